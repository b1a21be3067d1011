/// The file `workers.json`: what each worker did over the time of a run.
public struct WorkerActivity: Sendable, Codable, Equatable {
  /// Raised whenever the meaning of the file changes.
  public var formatVersion: Int
  /// Seconds that the fit had taken before this sitting of it: 0 unless it was resumed.
  public var secondsBefore: Double
  /// Seconds that this sitting took. Time counts from its first job.
  public var seconds: Double
  /// Seconds a bin.
  public var binSeconds: Double
  public var workers: [Worker]
  /// Workers that took part and are not listed.
  public var leftOut: Int

  /// One worker process.
  public struct Worker: Sendable, Codable, Equatable {
    /// Host and process.
    public var name: String
    public var threads: Int
    /// The share of each bin in which it computed, from 0 to 1; bins after the last are idle.
    public var busy: [Double]
    /// When it took part.
    public var stays: [Stay]

    public init(name: String, threads: Int, busy: [Double], stays: [Stay]) {
      self.name = name
      self.threads = threads
      self.busy = busy
      self.stays = stays
    }
  }

  /// A stretch of time in which a worker took part.
  public struct Stay: Sendable, Codable, Equatable {
    public var from: Double
    /// Nil: to the end.
    public var until: Double?
    public var isLost: Bool

    public init(from: Double, until: Double?, isLost: Bool) {
      self.from = from
      self.until = until
      self.isLost = isLost
    }
  }

  public static let currentVersion = 1
  public static let fileName = "workers.json"

  public init(
    secondsBefore: Double, seconds: Double, binSeconds: Double, workers: [Worker], leftOut: Int
  ) {
    formatVersion = WorkerActivity.currentVersion
    self.secondsBefore = secondsBefore
    self.seconds = seconds
    self.binSeconds = binSeconds
    self.workers = workers
    self.leftOut = leftOut
  }
}
