import Coordination
import Foundation
import Inference
import NumericsKit
import Wire

/// Runs a fit in one process: the coordinator's and one worker's machines, joined by a queue in memory instead of
/// sockets. Same machines, same tiles, same tree, same bits.
final class InProcessRunner: JobRunner {
  private var coordinator: Coordinator
  private var worker: Worker
  private let pool: ComputePool
  private let setup: FitSetup
  private let setupDigest: String
  private let interruption: Interruption
  private let log: (LogLevel, String) -> Void
  private let peer = PeerID(number: 1)
  /// Called by the pool, which is made before `self` is there.
  private final class Hook { var action: (() -> Void)? }
  private let hook: Hook

  var view: CoordinatorView { coordinator.view(now: Clock.now) }
  var whileRunning: (() -> Void)? {
    get { hook.action }
    set { hook.action = newValue }
  }

  private enum Delivery {
    case toCoordinator(CoordinatorEvent)
    case toWorker(WorkerEvent)
  }

  /// - Throws: ``RunFailure`` when worker and coordinator don't agree, which would be a fault of this program.
  init(
    configuration: Coordinator.Configuration, setup: FitSetup, problem: Problem, threads: Int,
    identity: Identity, interruption: Interruption, log: @escaping (LogLevel, String) -> Void
  ) throws {
    coordinator = Coordinator(configuration: configuration)
    let hook = Hook()
    self.hook = hook
    pool = ComputePool(problem: problem, threads: threads, progress: ProgressCounter()) {
      try interruption.check()
      hook.action?()
    }
    self.setup = setup
    setupDigest = configuration.setupDigest
    self.interruption = interruption
    self.log = log
    worker = Worker(
      hello: Hello(
        worker: UUID().uuidString, incarnation: 1, host: identity.host, processID: Int(getpid()),
        threads: threads, version: Identity.version, build: identity.build,
        fingerprint: identity.fingerprint.digest, numerics: identity.numerics, isLocalChild: false))
    _ = try deliver(.toWorker(.started))
  }

  func run(_ job: Job) throws -> [[Double]] {
    try interruption.check()
    guard let sums = try deliver(.toCoordinator(.begin(job))) else {
      throw RunFailure(exitCode: ExitCode.software, message: "a job ended without a result")
    }
    return sums
  }

  func end(exitCode: Int32, message: String) {
    _ = try? deliver(.toCoordinator(.end(exitCode: exitCode, message: message)))
  }

  var statistics: RunStatistics {
    RunStatistics(
      workers: 1, lostWorkers: 0, bytesSent: 0, bytesReceived: 0,
      assignments: coordinator.statistics.assignments, timeline: coordinator.timeline)
  }

  /// Passes an event and everything that follows from it back and forth until nothing is left to do.
  private func deliver(_ first: Delivery) throws -> [[Double]]? {
    var queue = [first]
    var place = 0
    var sums: [[Double]]?
    while place < queue.count {
      let delivery = queue[place]
      place += 1
      let now = Clock.now
      switch delivery {
      case .toCoordinator(let event):
        for action in coordinator.handle(event, now: now) {
          switch action {
          case .send(_, let message): queue.append(.toWorker(.received(message)))
          case .completed(let result): sums = result
          case .failed(let failure): throw failure
          case .log(let level, let text): log(level, text)
          // Those are for relays, and for workers on other hosts.
          case .drop, .portionCompleted, .portionRefused, .crew, .readShard: break
          }
        }
      case .toWorker(let event):
        for action in worker.handle(event, now: now) {
          switch action {
          case .send(let message): queue.append(.toCoordinator(.received(peer, message)))
          case .prepare:
            queue.append(
              .toWorker(.prepared(setupDigest: setupDigest, dataDigest: setup.dataDigest)))
          case .compute(let computation): queue.append(.toWorker(compute(computation)))
          case .connect, .forget, .note, .shard: break
          case .exit(let code, let message):
            guard code == ExitCode.done else { throw RunFailure(exitCode: code, message: message) }
          }
        }
      }
    }
    return sums
  }

  private func compute(_ computation: Computation) -> WorkerEvent {
    let start = Clock.now
    do {
      let sums = try pool.compute(computation)
      return .computed(
        assignment: computation.assignment, sums: sums, seconds: Clock.now.seconds(since: start))
    } catch {
      return .computationFailed(assignment: computation.assignment, RunFailure(error))
    }
  }
}
