import Coordination
import Datasets
import Foundation
import Inference
import Reporting
import Wire
import ZeroMQTransport

/// Runs a fit over worker processes: drives the coordinator's machine with a socket, a clock, signals and child
/// processes. Everything happens on the thread that calls `run`.
final class DistributedRunner: JobRunner {
  private var machine: Coordinator
  private let socket: CoordinatorSocket
  private let children: LocalWorkers
  private let interruption: Interruption
  private let log: (LogLevel, String) -> Void
  private var poller: Poller
  private var completed: [[Double]]?
  private var failure: RunFailure?
  private var childrenEnded = false
  private let takesRemoteWorkers: Bool
  /// The data's files, where workers get them from here.
  private let shards: ShardCatalogue?
  private var nextTick: Instant
  private var nextHangCheck: Instant
  private var socketFolder: SocketFolder?
  private let localTransport: LocalTransport

  /// Endpoints that workers can connect to.
  private(set) var endpoints: [String] = []

  private var warnings: [String] = []
  private var voice = ModelVoice(now: Clock.now)

  var rejection: String? { voice.rejection }
  var view: CoordinatorView { machine.view(now: Clock.now) }
  var whileRunning: (() -> Void)?

  private static let turn_ms = 100
  private static let mostWarnings = 20
  private static let lastWords_us: UInt32 = 20_000
  private static let hangCheck_ms = 1_000

  /// How local workers are connected: by a socket that only their user can reach, or like remote ones over the loopback
  /// interface, where anybody can reach it: to measure what that costs.
  enum LocalTransport { case socket, loopback }

  /// Opens the endpoints and starts the local workers.
  ///
  /// - Parameters:
  ///   - localWorkers: worker processes to start on this machine; 0 for remote ones only.
  ///   - listen: endpoints for remote workers.
  ///   - security: keys; with them every tcp endpoint is encrypted.
  ///   - shards: the data's files, for workers that don't share a folder with this process; nil: they do.
  ///   - localTransport: how local workers are connected.
  init(
    configuration: Coordinator.Configuration, localWorkers: Int, threads: Int, listen: [String],
    security: CoordinatorSecurity? = nil, shards: ShardCatalogue? = nil, interruption: Interruption,
    localTransport: LocalTransport = .socket, log: @escaping (LogLevel, String) -> Void
  ) throws {
    var configuration = configuration
    configuration.servesShards = shards != nil
    configuration.secret = ShardTickets.secret()
    machine = Coordinator(configuration: configuration)
    self.shards = shards
    self.interruption = interruption
    self.localTransport = localTransport
    self.log = log
    socket = try CoordinatorSocket(TransportContext(), security: security)
    poller = Poller([.descriptor(interruption.descriptor)] + socket.pollHandles.map { .socket($0) })
    children = try LocalWorkers()
    takesRemoteWorkers = !listen.isEmpty
    nextTick = Clock.now
    nextHangCheck = nextTick
    do {
      for endpoint in listen {
        let encrypted = security != nil && endpoint.hasPrefix("tcp://")
        endpoints.append(try socket.bind(endpoint, encrypted: encrypted))
      }
      if localWorkers > 0 {
        try children.start(
          count: localWorkers, endpoint: try bindForChildren(localTransport), threads: threads)
      }
    } catch {
      cleanUp(afterFailure: true)
      throw error
    }
    interruption.childrenEnded = { [weak self] in self?.childrenEnded = true }
  }

  /// Opens the endpoint for local workers.
  private func bindForChildren(_ transport: LocalTransport) throws -> String {
    switch transport {
    case .socket:
      let folder = try SocketFolder()
      socketFolder = folder
      return try socket.bindForChildren("ipc://\(folder.path)/coordinator")
    case .loopback: return try socket.bind("tcp://127.0.0.1:0", encrypted: false)
    }
  }

  func run(_ job: Job) throws -> [[Double]] {
    completed = nil
    try handle(.begin(job))
    while true {
      if let completed { return completed }
      try turn()
    }
  }

  /// Waits for something to happen and lets the machine act on it.
  private func turn() throws {
    let ready = try poller.wait(timeout_ms: DistributedRunner.turn_ms)
    if ready.dropFirst().contains(true) { try receive() }
    if ready[0] { try interruption.check() }
    if childrenEnded { try reapChildren() }
    let now = Clock.now
    if nextTick <= now {
      nextTick = now.adding(milliseconds: DistributedRunner.turn_ms)
      try lookAfterChildren(now: now)
      listen(now: now)
      try handle(.tick)
      for note in socket.guardConnections(allowance: { machine.resultBytes(for: PeerID(number: $0)) }) {
        log(.warning, note)
      }
      whileRunning?()
    }
  }

  /// Takes what workers' models have printed.
  private func listen(now: Instant) {
    for line in children.takeLines() {
      for (level, text) in voice.hear(line, now: now) {
        if level == .warning, warnings.count < DistributedRunner.mostWarnings { warnings.append(text) }
        log(level, text)
      }
    }
  }

  /// Ended ones are reaped and started again, hanging ones killed.
  private func lookAfterChildren(now: Instant) throws {
    try reapChildren()
    do {
      try children.restartDue()
    } catch {
      log(.warning, "\(RunFailure(error).message); it is tried again")
    }
    // Over the loopback interface nobody is known as a child.
    guard nextHangCheck <= now, localTransport == .socket else { return }
    nextHangCheck = now.adding(milliseconds: DistributedRunner.hangCheck_ms)
    for process in children.killHanging(isRegistered: { machine.hasLocalWorker(processID: $0) }) {
      log(.warning, "local worker process \(process) hangs: it is killed and started again")
    }
  }

  private func receive() throws {
    var events: [CoordinatorEvent] = []
    _ = try socket.drain(bulkLimit: bulkLimit(of:)) { incoming in
      switch incoming {
      case .message(let peer, let message):
        events.append(.received(PeerID(number: peer), checked(message, from: peer)))
      case .part(let peer): events.append(.heard(PeerID(number: peer)))
      case .unwanted(let peer): events.append(.unwanted(PeerID(number: peer)))
      case .malformed(let peer, let error): events.append(.malformed(PeerID(number: peer), error))
      }
    }
    for event in events { try handle(event) }
  }

  /// What a child process says of itself and its data ends the run: nobody else may claim to be one.
  private func checked(_ message: Message, from peer: UInt64) -> Message {
    guard case .hello(var hello) = message.content, hello.isLocalChild, !socket.isChild(peer) else {
      return message
    }
    hello.isLocalChild = false
    var checked = message
    checked.content = .hello(hello)
    return checked
  }

  private func bulkLimit(of peer: UInt64) -> Int { machine.bulkLimit(for: PeerID(number: peer)) }

  private func reapChildren() throws {
    childrenEnded = false
    let ended = children.reap { machine.hasReadyLocalWorker(processID: $0) }
    guard !ended.isEmpty else { return }
    // A worker that said why it ends is heard before its end is: its last words may still be in the pipe.
    usleep(DistributedRunner.lastWords_us)
    try receive()
    for child in ended {
      if !machine.hasLocalWorker(processID: child.processID) {
        log(
          .info, "local worker process \(child.processID) ended (\(child.description)): \(child.consequence)")
      }
      try handle(.childExited(processID: child.processID, description: child.description))
    }
    if children.isExhausted, !takesRemoteWorkers, machine.readyWorkers == 0, let last = ended.last {
      throw RunFailure(
        exitCode: ExitCode.unavailable,
        message:
          "no local worker is left, and none is started any more: the last one, process \(last.processID): "
          + "\(last.description)")
    }
  }

  private func handle(_ event: CoordinatorEvent) throws {
    var unreachable: [PeerID] = []
    for action in machine.handle(event, now: Clock.now) {
      switch action {
      case .send(let peer, let message):
        let allowance = machine.resultBytes(for: peer)
        if try !socket.send(message, to: peer.number, allowance: allowance) { unreachable.append(peer) }
      case .completed(let sums): completed = sums
      case .failed(let error): failure = failure ?? error
      case .log(let level, let text):
        if level == .warning, warnings.count < DistributedRunner.mostWarnings { warnings.append(text) }
        log(level, text)
      case .drop(let peer): socket.drop(peer.number)
      case .readShard(let read):
        if let shards { try handle(.shardRead(read, shards.content(of: read))) }
      // Those are for relays.
      case .portionCompleted, .portionRefused, .crew: break
      }
    }
    if let failure {
      // Who is asked to stop stops for that reason, even if workers were asked too and left first.
      try interruption.check()
      throw failure
    }
    for peer in unreachable { try handle(.unreachable(peer)) }
  }

  func end(exitCode: Int32, message: String) {
    try? handle(.end(exitCode: exitCode, message: message))
    cleanUp(afterFailure: exitCode != ExitCode.done)
  }

  private func cleanUp(afterFailure: Bool) {
    children.shutDown(afterFailure: afterFailure)
    listen(now: Clock.now)
    socketFolder?.remove()
    socketFolder = nil
  }

  private var bytesPerIteration: BytesPerIteration? {
    let gradient = machine.statistics.traffic[JobKind.gradient.rawValue].map(\.perShare)
    return gradient.map { BytesPerIteration(down: $0.down, up: $0.up) }
  }

  var statistics: RunStatistics {
    RunStatistics(
      workers: machine.statistics.workersSeen, lostWorkers: machine.statistics.workersLost,
      readyWorkers: machine.readyWorkers, redispatchedTiles: machine.statistics.redispatchedTiles,
      bytesSent: socket.bytesSent, bytesReceived: socket.bytesReceived,
      assignments: machine.statistics.assignments, bytesPerIteration: bytesPerIteration,
      bytesStreamed: shards == nil ? nil : machine.statistics.shardBytes,
      timeline: machine.timeline, warnings: warnings)
  }
}
