/// What a simulated fit of many workers is made of: its size, what computing and messages cost, and who runs where.
///
/// Times are in seconds, sizes in bytes. The defaults are a small machine's; `isomix bench coordination` and a fit of one
/// worker measure them anew.
public struct ScaleModel: Sendable, Codable, Equatable {
  /// Components N and dimension d.
  public var components = 1000
  public var dimension = 30
  /// Blocks of components, and tiles of each.
  public var blocks = 39
  public var tilesPerBlock = 512
  /// Seconds that one thread computes for a tile; and for the first tile of a block, which has the mixture's own part
  /// (nil: as long).
  public var tile_s = 5.3e-4
  public var firstTile_s: Double?
  /// Seconds that the coordinator computes for an iteration besides messages and sums: the step.
  public var step_s = 2e-4
  /// Seconds of a processor for a message, and for a byte of it, at each end.
  public var message_s = 1.5e-5
  public var byte_s = 4e-10
  /// Seconds on the way from one host to another, and from one process to another on a host.
  public var latency_s = 1e-4
  public var localLatency_s = 2e-5
  /// Bytes a second that a host sends, and takes.
  public var bandwidth_Bps = 1.25e9
  /// Processors of a host.
  public var cores = 8
  /// Workers on a host; a relay is on a host with some of its workers. 0: everybody is on one host with the coordinator.
  public var workersPerHost = 8
  /// Whether all workers take part, also where fewer would be faster: as in `isomix bench coordination`.
  public var employsAll = false
  /// Memory that the coordinator's transport needs for a connection.
  public var connection_B = 6e4

  public init() {}

  enum CodingKeys: String, CodingKey {
    case components, dimension, blocks, cores, tile_s, step_s, message_s, byte_s, latency_s, bandwidth_Bps,
      connection_B
    case tilesPerBlock = "tiles_per_block"
    case firstTile_s = "first_tile_s"
    case localLatency_s = "local_latency_s"
    case workersPerHost = "workers_per_host"
    case employsAll = "employs_all"
  }

  /// Reads a model; what is missing has its default.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func take<Value: Decodable>(_ key: CodingKeys, _ place: WritableKeyPath<ScaleModel, Value>) throws {
      if let value = try values.decodeIfPresent(Value.self, forKey: key) { self[keyPath: place] = value }
    }
    try take(.components, \.components)
    try take(.dimension, \.dimension)
    try take(.blocks, \.blocks)
    try take(.tilesPerBlock, \.tilesPerBlock)
    try take(.tile_s, \.tile_s)
    firstTile_s = try values.decodeIfPresent(Double.self, forKey: .firstTile_s)
    try take(.step_s, \.step_s)
    try take(.message_s, \.message_s)
    try take(.byte_s, \.byte_s)
    try take(.latency_s, \.latency_s)
    try take(.localLatency_s, \.localLatency_s)
    try take(.bandwidth_Bps, \.bandwidth_Bps)
    try take(.cores, \.cores)
    try take(.workersPerHost, \.workersPerHost)
    try take(.employsAll, \.employsAll)
    try take(.connection_B, \.connection_B)
  }

  /// What is wrong with it, in words; nil when nothing is.
  public var problem: String? {
    guard (1...10_000_000).contains(components), (1...1_000_000).contains(dimension), blocks >= 1,
      blocks <= components, (1...1 << 24).contains(tilesPerBlock), blocks * tilesPerBlock <= 1 << 24
    else {
      return "components, dimension, blocks (at most one a component) and tiles_per_block must be positive"
    }
    let times = [tile_s, firstTile_s ?? tile_s, step_s, message_s, byte_s, latency_s, localLatency_s]
    guard times.allSatisfy({ $0 >= 0 && $0.isFinite }), tile_s > 0, firstTile_s != 0, bandwidth_Bps > 0,
      cores >= 1,
      workersPerHost >= 0, connection_B >= 0
    else { return "times, bandwidth_Bps, cores and workers_per_host must be positive" }
    return nil
  }
}

/// What one number of workers gives.
public struct ScaleForecast: Sendable, Codable {
  public var workers: Int
  /// Relays between them and the coordinator; 0: each is the coordinator's own.
  public var relays: Int
  public var iterationsPerSecond: Double
  /// Iterations a second over those of one worker that pays nothing for messages.
  public var speedup: Double
  /// Processor seconds of the coordinator an iteration, and the share of its time that it is busy.
  public var coordinatorCPU_s: Double
  public var coordinatorBusy: Double
  /// Memory of the coordinator's tables, connections, and sums on their way.
  public var coordinatorMemory_B: Double
  /// Bytes an iteration that the coordinator sends and gets, over all its links, and over one link on average.
  public var bytesDown: Double
  public var bytesUp: Double
  public var bytesDownPerLink: Double
  public var bytesUpPerLink: Double

  enum CodingKeys: String, CodingKey {
    case workers, relays, speedup
    case iterationsPerSecond = "iterations_per_second"
    case coordinatorCPU_s = "coordinator_cpu_s"
    case coordinatorBusy = "coordinator_busy"
    case coordinatorMemory_B = "coordinator_memory_bytes"
    case bytesDown = "bytes_down"
    case bytesUp = "bytes_up"
    case bytesDownPerLink = "bytes_down_per_link"
    case bytesUpPerLink = "bytes_up_per_link"
  }
}
