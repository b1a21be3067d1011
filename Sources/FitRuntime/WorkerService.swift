import CPlatform
import Coordination
import Foundation
import Glibc
import Inference
import Reporting
import Wire
import ZeroMQTransport

/// Runs one worker process: drives the worker's machine with a socket, a clock, signals and a compute thread.
public struct WorkerService {
  public struct Options: Sendable {
    public var endpoint: String
    public var threads: Int
    /// The coordinator's process when it started this one: the worker ends with it.
    public var parent: Int?

    public init(endpoint: String, threads: Int, parent: Int?) {
      self.endpoint = endpoint
      self.threads = threads
      self.parent = parent
    }
  }

  /// Runs until the run ends; returns the exit code.
  /// - Throws: ``RunFailure`` when the worker can't even start.
  public static func run(_ options: Options) throws -> Int32 {
    if let parent = options.parent {
      // Die with the coordinator, also when it was killed before this line.
      guard isomix_set_parent_death_signal(SIGKILL) == 0, Int(getppid()) == parent else {
        return ExitCode.unavailable
      }
    }
    // Ctrl-C, and what a batch queue sends before the time limit, reach every process of a job; local workers
    // wait for their coordinator's word.
    if options.parent != nil {
      signal(SIGINT, SIG_IGN)
      signal(SIGUSR1, SIG_IGN)
    }
    let signals = try Signals(options.parent == nil ? [SIGTERM, SIGINT] : [SIGTERM])
    let identity = try Identity.measure()
    let loop = try WorkerLoop(options, identity: identity, signals: signals)
    return try loop.run()
  }
}

/// The I/O thread of a worker.
private final class WorkerLoop {
  private let options: WorkerService.Options
  private let signals: Signals
  private let socket: WorkerSocket
  private let mailbox: Mailbox<WorkerEvent>
  private let compute: ComputeThread
  private let progress = ProgressCounter()
  private var machine: Worker
  private var exit: (code: Int32, message: String)?
  /// When a local worker that got SIGTERM ends by itself.
  private var stop: (when: Instant, reason: String)?

  private static let turn_ms = 250
  /// How long a local worker that got SIGTERM waits for its coordinator, which probably got it too, to end the run.
  private static let patience_ms = 200
  /// How long a failed send is tried again before the coordinator counts as gone.
  private static let sendAttempts = 200

  init(_ options: WorkerService.Options, identity: Identity, signals: Signals) throws {
    self.options = options
    self.signals = signals
    mailbox = try Mailbox()
    compute = ComputeThread(threads: options.threads, progress: progress, mailbox: mailbox)
    machine = Worker(
      hello: Hello(
        worker: UUID().uuidString, incarnation: 1, host: identity.host, processID: Int(getpid()),
        threads: options.threads, version: Identity.version, build: identity.build,
        fingerprint: identity.fingerprint.digest, numerics: identity.numerics,
        isLocalChild: options.parent != nil))
    socket = try WorkerSocket(TransportContext(), endpoint: options.endpoint)
  }

  func run() throws -> Int32 {
    var poller = Poller([
      .socket(socket.pollHandle), .descriptor(mailbox.descriptor), .descriptor(signals.descriptor),
    ])
    try handle(.connected)
    while exit == nil {
      let ready = try poller.wait(timeout_ms: WorkerLoop.turn_ms)
      if ready[1] { for event in mailbox.take() { try handle(event) } }
      if ready[0] {
        var incoming: [WorkerEvent] = []
        _ = try socket.drain { message in
          switch message {
          case .message(let message): incoming.append(.received(message))
          case .malformed(let error): incoming.append(.malformed(error))
          }
        }
        for event in incoming { try handle(event) }
      }
      if ready[2], let number = signals.next() {
        let patience = options.parent == nil ? 0 : WorkerLoop.patience_ms
        stop = stop ?? (Clock.now.adding(milliseconds: patience), "stopped by \(Signals.name(number))")
      }
      if let stop, stop.when <= Clock.now { try handle(.stopRequested(stop.reason)) }
      if let parent = options.parent, Int(getppid()) != parent { return ExitCode.unavailable }
      try handle(.tick(progress: progress.value))
    }
    guard let exit else { return ExitCode.done }
    // A local worker's coordinator has been told and says it itself.
    if options.parent == nil, !exit.message.isEmpty {
      try? StandardStream.error.write("isomix worker: \(exit.message)\n")
    }
    return exit.code
  }

  private func handle(_ event: WorkerEvent) throws {
    for action in machine.handle(event, now: Clock.now) {
      switch action {
      case .send(let message): try send(message)
      case .prepare(let setup): compute.prepare(setup)
      case .compute(let computation): compute.compute(computation)
      case .exit(let code, let message): exit = exit ?? (code, message)
      }
    }
  }

  /// Sends, waiting a little when the queue is full; a coordinator that takes nothing is noticed by its silence.
  private func send(_ message: Message) throws {
    for _ in 0..<WorkerLoop.sendAttempts {
      if try socket.send(message) { return }
      usleep(10_000)
    }
  }
}
