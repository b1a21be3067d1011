import Coordination
import Datasets
import Foundation
import Glibc
import Inference
import NumericsKit
import Reporting
import Wire
import ZeroMQTransport

/// Runs one relay process: drives the relay's machine with a socket above and one below, a clock and signals.
public struct RelayService {
  public struct Options: Sendable {
    /// Where the coordinator is found.
    public var target: WorkerService.Target
    /// Endpoints for the workers behind it.
    public var listen: [String]
    /// Where to say what these endpoints are, as a fit's `rendezvous.json` does; nil: nowhere.
    public var publish: String?
    /// Seconds to look for a coordinator, at the start and when it is gone.
    public var wait_s: Double
    /// Keys for the connection to the coordinator.
    public var security: WorkerSecurity?
    /// The key folder that the workers behind it have: with it every tcp endpoint below is encrypted.
    public var listenKeys: String?
    /// Listen without keys where other machines can connect.
    public var insecure: Bool
    /// Folder for data that come from the coordinator; nil: what the spec says, or the usual one.
    public var cache: String?

    public init(
      target: WorkerService.Target, listen: [String], publish: String?, wait_s: Double,
      security: WorkerSecurity? = nil, listenKeys: String? = nil, insecure: Bool = false, cache: String? = nil
    ) {
      self.cache = cache
      self.target = target
      self.listen = listen
      self.publish = publish
      self.wait_s = wait_s
      self.security = security
      self.listenKeys = listenKeys
      self.insecure = insecure
    }
  }

  /// Runs until the run ends; returns the exit code.
  /// - Throws: ``RunFailure`` when the relay can't even start.
  public static func run(_ options: Options) throws -> Int32 {
    let security = try checkEndpoints(options)
    let signals = try Signals([SIGTERM, SIGINT])
    try FitService.reserveDescriptors(workers: 0)
    let identity = try Identity.measure()
    let loop = try RelayLoop(options, security: security, identity: identity, signals: signals)
    return try loop.run()
  }

  private static func checkEndpoints(_ options: Options) throws -> CoordinatorSecurity? {
    let security = try options.listenKeys.map { try KeyFolder.coordinator($0) }
    for endpoint in options.listen {
      try Endpoint.check(endpoint)
      guard Endpoint.isLocal(endpoint) || security != nil || options.insecure else {
        throw RuntimeError(
          "\(endpoint) can be reached from other machines: give --listen-keys DIR (made by `isomix keys new DIR`; workers "
            + "behind this relay take the same folder as their --keys), listen on 127.0.0.1 or a socket (ipc://PATH), or "
            + "give --insecure on a network where you trust everybody", exitCode: ExitCode.usage)
      }
    }
    return security
  }
}

/// The one thread of a relay, which owns both sockets.
private final class RelayLoop {
  private let options: RelayService.Options
  private let signals: Signals
  private let identity: Identity
  private let context: TransportContext
  private let below: CoordinatorSocket
  private var uplink: WorkerSocket?
  private var poller: Poller
  private var machine: Relay
  private var nextTick = Clock.now
  private var throttle = LogThrottle(now: Clock.now)
  private var exit: (code: Int32, message: String)?
  /// The set-up that waits for its data's manifests.
  private var unprepared: [UInt8]?
  /// The fit's data, where they come from the coordinator: one copy for all workers behind this relay.
  private var store: ShardStore?
  /// Whether one of the sockets had more to read than one turn takes.
  private var hasMore = false

  private static let turn_ms = 100

  init(
    _ options: RelayService.Options, security: CoordinatorSecurity?, identity: Identity, signals: Signals
  ) throws {
    self.options = options
    self.signals = signals
    self.identity = identity
    context = try TransportContext()
    below = try CoordinatorSocket(context, security: security)
    poller = Poller([])
    machine = Relay(
      hello: Hello(
        worker: UUID().uuidString, incarnation: 1, host: identity.host, processID: Int(getpid()), threads: 1,
        version: Identity.version, build: identity.build, fingerprint: identity.fingerprint.digest,
        numerics: identity.numerics, isLocalChild: false),
      epoch: UInt64(Date().timeIntervalSince1970 * 1000) << 8, patience_ms: Int(options.wait_s * 1000),
      secret: ShardTickets.secret(), employsAll: Allocation.letsNobodyRest)
    let endpoints = try options.listen.map { endpoint in
      Endpoint.advertised(
        try below.bind(endpoint, encrypted: security != nil && endpoint.hasPrefix("tcp://")))
    }
    if let path = options.publish {
      let rendezvous = Rendezvous(
        run: "", endpoints: endpoints, host: identity.host, processID: Int(getpid()),
        version: Identity.version)
      try RunFolder.write(Array(try JSONStyle.encoder(pretty: true).encode(rendezvous)), to: path)
    }
    say("workers can join with: isomix worker --connect \(endpoints.joined(separator: " or "))")
  }

  func run() throws -> Int32 {
    defer { if let path = options.publish { unlink(path) } }
    listen()
    try handle(.up(.started))
    while exit == nil {
      let ready = try poller.wait(timeout_ms: hasMore ? 0 : RelayLoop.turn_ms)
      hasMore = false
      try receiveBelow()
      try receiveAbove()
      if ready.first == true, let number = signals.next() {
        try handle(.up(.stopRequested("stopped by \(Signals.name(number))")))
      }
      let now = Clock.now
      if nextTick <= now {
        nextTick = now.adding(milliseconds: RelayLoop.turn_ms)
        try handle(.tick)
        for note in below.guardConnections(allowance: { machine.resultBytes(for: PeerID(number: $0)) }) {
          say(note)
        }
      }
    }
    uplink?.close()
    if let store { say(store.report) }
    guard let exit else { return ExitCode.done }
    if !exit.message.isEmpty { say(exit.message) }
    return exit.code
  }

  private func say(_ text: String) {
    for line in throttle.pass(text, now: Clock.now) {
      try? StandardStream.error.write("isomix relay: \(line)\n")
    }
  }

  private func listen() {
    poller = Poller(
      [.descriptor(signals.descriptor)]
        + (below.pollHandles + (uplink?.pollHandles ?? [])).map { .socket($0) })
  }

  private func receiveAbove() throws {
    var events: [WorkerEvent] = []
    let isMore = try uplink?.drain { incoming in
      switch incoming {
      case .message(let message): events.append(.received(message))
      case .part: events.append(.heard)
      case .malformed(let error): events.append(.malformed(error))
      case .refused(let refusal):
        if refusal.isFinal {
          events.append(.notAuthorised(refusal.message))
        } else {
          say(refusal.message)
        }
      }
    }
    hasMore = hasMore || isMore == true
    for event in events { try handle(.up(event)) }
  }

  private func receiveBelow() throws {
    var events: [CoordinatorEvent] = []
    let isMore = try below.drain(bulkLimit: { machine.bulkLimit(for: PeerID(number: $0)) }) { incoming in
      switch incoming {
      case .message(let peer, let message): events.append(.received(PeerID(number: peer), message))
      case .part(let peer): events.append(.heard(PeerID(number: peer)))
      case .unwanted(let peer): events.append(.unwanted(PeerID(number: peer)))
      case .malformed(let peer, let error): events.append(.malformed(PeerID(number: peer), error))
      }
    }
    hasMore = hasMore || isMore
    for event in events { try handle(.down(event)) }
  }

  private func handle(_ event: RelayEvent) throws {
    var unreachable: [PeerID] = []
    for action in machine.handle(event, now: Clock.now) {
      switch action {
      case .connect: try connect()
      case .sendUp(let message): _ = try uplink?.send(message)
      case .prepare(let setup): try handle(prepare(setup))
      case .shard(let action): try take(action)
      case .readShard(let read): try serve(read)
      case .sendDown(let peer, let message):
        let allowance = machine.resultBytes(for: peer)
        if try !below.send(message, to: peer.number, allowance: allowance) { unreachable.append(peer) }
      case .drop(let peer): below.drop(peer.number)
      case .log(_, let text): say(text)
      case .exit(let code, let message): exit = exit ?? (code, message)
      }
    }
    for peer in unreachable { try handle(.down(.unreachable(peer))) }
  }

  /// Opens a fresh connection; what is still on its way over the old one is let go.
  private func connect() throws {
    uplink?.close(linger_ms: 0)
    uplink = nil
    store?.startAnew()
    unprepared = nil
    defer { listen() }
    // Without a rendezvous file, or with one that is being replaced, the next attempt looks again.
    guard let endpoint = options.target.endpoint else { return }
    uplink = try WorkerSocket(context, endpoint: endpoint, security: options.security)
  }

  /// Reads what workers need to know to be told apart; their data stay closed.
  private func prepare(_ bytes: [UInt8]) -> RelayEvent {
    do {
      let setup = try FitSetup(decoding: bytes)
      if unprepared != bytes { store = try ShardStore(setup, cache: options.cache, isRelay: true) }
      unprepared = nil
      if let missing = try store?.missingManifests(), !missing.all.isEmpty {
        unprepared = bytes
        return .wanted(missing.new)
      }
      let shapes = JobKind.allCases.compactMap { kind in
        setup.plan.job(kind).map { (kind.rawValue, JobShape($0, problem: setup.plan.problem)) }
      }
      return .prepared(
        setupDigest: Digest.of(bytes).description, dataDigest: setup.dataDigest,
        shapes: Dictionary(uniqueKeysWithValues: shapes))
    } catch {
      return .preparationFailed(RunFailure(error))
    }
  }

  /// Does something about a file that comes.
  private func take(_ action: ShardAction) throws {
    do {
      if case .failed(_, let failure) = action {
        _ = try store?.perform(action)
        // Workers that wait for it have been told.
        return unprepared == nil ? say(failure.message) : try handle(.preparationFailed(failure))
      }
      guard let (digest, isWhole) = try store?.perform(action) else { return }
      try handle(.shardChecked(digest, isWhole: isWhole))
      if isWhole, let unprepared { try handle(prepare(unprepared)) }
    } catch let error as DatasetError {
      try handle(.preparationFailed(RunFailure(error)))
    }
  }

  /// Gives a worker a part of a file, or has the file brought first.
  private func serve(_ read: ShardRead) throws {
    guard let store else {
      let reason = "this fit's workers read its data from a folder that they share"
      return try handle(.down(.shardRead(read, .unavailable(reason))))
    }
    if let content = store.content(of: read) {
      try handle(.down(.shardRead(read, content)))
    } else {
      try handle(.shardMissing(read))
    }
  }
}
