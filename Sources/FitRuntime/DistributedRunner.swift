import Coordination
import Foundation
import Inference
import Wire
import ZeroMQTransport

/// Runs a fit over worker processes: drives the coordinator's machine with a socket, a clock, signals and child
/// processes. Everything happens on the thread that calls `run`.
final class DistributedRunner: JobRunner {
  private var machine: Coordinator
  private let socket: CoordinatorSocket
  private let children = LocalWorkers()
  private let interruption: Interruption
  private let log: (LogLevel, String) -> Void
  private var poller: Poller
  private var completed: [[Double]]?
  private var failure: RunFailure?
  private var childrenEnded = false
  private var nextTick: Instant
  private var socketFolder: SocketFolder?

  /// Endpoints that workers can connect to.
  private(set) var endpoints: [String] = []

  private var warnings: [String] = []

  private static let turn_ms = 100
  private static let mostWarnings = 20
  private static let lastWords_us: UInt32 = 20_000
  private static let lastLooks = 10

  /// Opens the endpoints and starts the local workers.
  ///
  /// - Parameters:
  ///   - localWorkers: worker processes to start on this machine; 0 for remote ones only.
  ///   - listen: endpoints for remote workers.
  init(
    configuration: Coordinator.Configuration, localWorkers: Int, threads: Int, listen: [String],
    interruption: Interruption, log: @escaping (LogLevel, String) -> Void
  ) throws {
    machine = Coordinator(configuration: configuration)
    self.interruption = interruption
    self.log = log
    socket = try CoordinatorSocket(TransportContext())
    poller = Poller([.socket(socket.pollHandles[0]), .descriptor(interruption.descriptor)])
    nextTick = Clock.now
    do {
      for endpoint in listen { endpoints.append(try socket.bind(endpoint)) }
      if localWorkers > 0 {
        let folder = try SocketFolder()
        socketFolder = folder
        let endpoint = try socket.bind("ipc://\(folder.path)/coordinator")
        try children.start(count: localWorkers, endpoint: endpoint, threads: threads)
      }
    } catch {
      cleanUp(afterFailure: true)
      throw error
    }
    interruption.childrenEnded = { [weak self] in self?.childrenEnded = true }
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
    if ready[0] { try receive() }
    if ready[1] { try interruption.check() }
    if childrenEnded { try reapChildren() }
    let now = Clock.now
    if nextTick <= now {
      nextTick = now.adding(milliseconds: DistributedRunner.turn_ms)
      try reapChildren()
      try handle(.tick)
      for note in socket.guardConnections(allowance: { machine.bulkLimit(for: PeerID(number: $0)) }) {
        log(.warning, note)
      }
    }
  }

  private func receive() throws {
    var events: [CoordinatorEvent] = []
    _ = try socket.drain(bulkLimit: bulkLimit(of:)) { incoming in
      switch incoming {
      case .message(let peer, let message): events.append(.received(PeerID(number: peer), message))
      case .part(let peer): events.append(.heard(PeerID(number: peer)))
      case .malformed(let peer, let error): events.append(.malformed(PeerID(number: peer), error))
      }
    }
    for event in events { try handle(event) }
  }

  private func bulkLimit(of peer: UInt64) -> Int { machine.bulkLimit(for: PeerID(number: peer)) }

  /// A connection is gone a little before its process has ended: how it ended says more.
  private func awaitChildren() throws {
    for _ in 0..<DistributedRunner.lastLooks where children.count > 0 {
      usleep(DistributedRunner.lastWords_us)
      try reapChildren()
    }
  }

  private func reapChildren() throws {
    childrenEnded = false
    let ended = children.reap()
    guard !ended.isEmpty else { return }
    // A worker that said why it ends is heard before its end is: its last words may still be in the pipe.
    usleep(DistributedRunner.lastWords_us)
    try receive()
    for child in ended {
      try handle(.childExited(processID: child.processID, description: child.description))
    }
  }

  private func handle(_ event: CoordinatorEvent) throws {
    var unreachable: [PeerID] = []
    for action in machine.handle(event, now: Clock.now) {
      switch action {
      case .send(let peer, let message):
        let allowance = machine.bulkLimit(for: peer)
        if try !socket.send(message, to: peer.number, allowance: allowance) { unreachable.append(peer) }
      case .completed(let sums): completed = sums
      case .failed(let error): failure = failure ?? error
      case .log(let level, let text):
        if level == .warning, warnings.count < DistributedRunner.mostWarnings { warnings.append(text) }
        log(level, text)
      case .drop(let peer): socket.drop(peer.number)
      }
    }
    if let failure {
      // Who is asked to stop stops for that reason, even if workers were asked too and left first.
      try interruption.check()
      throw failure
    }
    if !unreachable.isEmpty { try awaitChildren() }
    for peer in unreachable { try handle(.unreachable(peer)) }
  }

  func end(exitCode: Int32, message: String) {
    try? handle(.end(exitCode: exitCode, message: message))
    cleanUp(afterFailure: exitCode != ExitCode.done)
  }

  private func cleanUp(afterFailure: Bool) {
    children.shutDown(afterFailure: afterFailure)
    socketFolder?.remove()
    socketFolder = nil
  }

  var statistics: RunStatistics {
    RunStatistics(
      workers: machine.statistics.workersSeen, lostWorkers: machine.statistics.workersLost,
      bytesSent: socket.bytesSent, bytesReceived: socket.bytesReceived,
      assignments: machine.statistics.assignments, warnings: warnings)
  }
}
