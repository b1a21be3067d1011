import CPlatform
import Coordination
import Datasets
import Foundation
import Glibc
import Inference
import NumericsKit
import Posteriors
import Reporting
import StanModels
import Wire
import ZeroMQTransport

/// Runs one worker process: drives the worker's machine with a socket, a clock, signals and compute threads.
public struct WorkerService {
  /// Where the coordinator is found.
  public enum Target: Sendable {
    case endpoint(String)
    /// A `rendezvous.json`, read anew for every connection.
    case rendezvous(String)

    /// The endpoint as it is now; nil when the rendezvous file is not there, or is being replaced.
    var endpoint: String? {
      switch self {
      case .endpoint(let given): given
      case .rendezvous(let path): try? Rendezvous.read(path)
      }
    }
  }

  public struct Options: Sendable {
    public var target: Target
    public var threads: Int
    /// The coordinator's process when it started this one: the worker ends with it.
    public var parent: Int?
    /// Seconds to look for a coordinator, at the start and when it is gone.
    public var wait_s: Double
    /// Keys for an encrypted endpoint.
    public var security: WorkerSecurity?
    /// Folder for data that come from the coordinator; nil: what the spec says, or the usual one.
    public var cache: String?
    /// The exit code of a worker that left well because a signal asked it to.
    public var codeWhenStopped: Int32

    public init(
      target: Target, threads: Int, parent: Int?, wait_s: Double, security: WorkerSecurity? = nil,
      cache: String? = nil, codeWhenStopped: Int32 = ExitCode.done
    ) {
      self.target = target
      self.cache = cache
      self.threads = threads
      self.parent = parent
      self.wait_s = wait_s
      self.security = security
      self.codeWhenStopped = codeWhenStopped
    }
  }

  /// Makes the worker leave when its standard input closes.
  public static func watchLifeline() { Lifeline.watch(patience_s: Lifeline.patience_s) }

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

/// The one thread of a worker that owns the socket and computes (with helpers when it has several threads).
///
/// Between tiles it looks after the connection, so a beat says that the compute loop goes on, not only that the
/// process exists.
private final class WorkerLoop {
  private let options: WorkerService.Options
  private let signals: Signals
  private let context: TransportContext
  private let progress = ProgressCounter()
  private var socket: WorkerSocket?
  private var poller: Poller
  private var machine: Worker
  private var pool: ComputePool?
  /// The set-up that the pool was built from, and its data.
  private var prepared: (setupDigest: String, dataDigest: String)?
  /// The set-up that waits for its data.
  private var unprepared: [UInt8]?
  /// The fit's target and data.
  private var problem: Problem?
  /// The fit's data, where they come from the coordinator.
  private var store: ShardStore?
  /// Assignments to compute, oldest first.
  private var pending: [Computation] = []
  /// Files that assignments wait for, by their numbers.
  private var needs: [UInt64: [Digest]] = [:]
  /// The assignment that is being computed, until nobody wants it any more.
  private var current: UInt64?
  private var serviced = Clock.now
  private var exit: (code: Int32, message: String)?
  /// When a local worker that got SIGTERM leaves by itself.
  private var stop: (when: Instant, reason: String)?
  /// Whether a signal has asked this worker to leave.
  private var isStopped = false

  /// How long the loop sleeps when there is nothing to do.
  private static let turn_ms = 250
  /// How long a local worker that got SIGTERM waits for its coordinator, which probably got it too, to end the run.
  private static let patience_ms = 200
  /// How often the connection is looked after during a computation.
  private static let serviceInterval_ms = 50

  /// Ends a computation because nobody wants its result.
  private struct Cancelled: Error {}

  init(_ options: WorkerService.Options, identity: Identity, signals: Signals) throws {
    self.options = options
    self.signals = signals
    context = try TransportContext()
    poller = Poller([.descriptor(signals.descriptor)])
    machine = Worker(
      hello: Hello(
        worker: UUID().uuidString, incarnation: 1, host: identity.host, processID: Int(getpid()),
        threads: options.threads, version: Identity.version, build: identity.build,
        fingerprint: identity.fingerprint.digest, numerics: identity.numerics,
        isLocalChild: options.parent != nil, processors: Allocation.processors()),
      // A local worker lives as long as its coordinator, and not a moment longer.
      patience_ms: options.parent == nil ? Int(options.wait_s * 1000) : nil)
  }

  func run() throws -> Int32 {
    try handle(.started)
    while exit == nil {
      if let next = pending.first, isProvided(next) {
        pending.removeFirst()
        needs[next.assignment] = nil
        try handle(compute(next))
      } else {
        let isBusy = pool?.prepareNext() ?? false
        try service(wait_ms: isBusy ? 0 : WorkerLoop.turn_ms)
      }
    }
    if let store { say(store.report) }
    guard let exit else { return ExitCode.done }
    if !exit.message.isEmpty { say(exit.message) }
    return isStopped && exit.code == ExitCode.done ? options.codeWhenStopped : exit.code
  }

  /// A local worker's coordinator has been told and says it itself.
  private func say(_ text: String) {
    guard options.parent == nil else { return }
    try? StandardStream.error.write("isomix worker: \(text)\n")
  }

  /// Takes what has arrived and lets time pass.
  private func service(wait_ms: Int) throws {
    let ready = try poller.wait(timeout_ms: wait_ms)
    if ready.dropFirst().contains(true) { try receive() }
    if ready[0], let number = signals.next() {
      let patience = options.parent == nil ? 0 : WorkerLoop.patience_ms
      stop = stop ?? (Clock.now.adding(milliseconds: patience), "stopped by \(Signals.name(number))")
    }
    if let stop, stop.when <= Clock.now {
      self.stop = nil
      isStopped = true
      try handle(.stopRequested(stop.reason))
    }
    if let parent = options.parent, Int(getppid()) != parent {
      exit = exit ?? (ExitCode.unavailable, "")
    }
    serviced = Clock.now
    try handle(.tick(progress: progress.value))
    guard let store else { return }
    try provide { try store.look(now: serviced) }
    // What another process of this host brings is on its way; who is to bring it after all is decided in `look`.
    if store.waitsForOthers { progress.add(1) }
  }

  private func receive() throws {
    var events: [WorkerEvent] = []
    _ = try socket?.drain { incoming in
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
    for event in events { try handle(event) }
  }

  private func handle(_ event: WorkerEvent) throws {
    for action in machine.handle(event, now: Clock.now) {
      switch action {
      case .connect: try connect()
      case .send(let message): _ = try socket?.send(message)
      case .prepare(let setup): if let event = prepare(setup) { try handle(event) }
      case .compute(let computation):
        pending.append(computation)
        try provide { try missing(for: computation) }
      case .shard(let action): try take(action)
      case .forget(let assignments):
        pending.removeAll { assignments.contains($0.assignment) }
        for assignment in assignments { needs[assignment] = nil }
        if let current, assignments.contains(current) { self.current = nil }
      case .note(let text): say(text)
      case .exit(let code, let message): exit = exit ?? (code, message)
      }
    }
  }

  /// Opens a fresh connection; what is still on its way over the old one is let go.
  private func connect() throws {
    socket?.close(linger_ms: 0)
    socket = nil
    store?.startAnew()
    unprepared = nil
    poller = Poller([.descriptor(signals.descriptor)])
    // Without a rendezvous file, or with one that is being replaced, the next attempt looks again.
    guard let endpoint = options.target.endpoint else { return }
    let socket = try WorkerSocket(context, endpoint: endpoint, security: options.security)
    self.socket = socket
    poller = Poller([.descriptor(signals.descriptor)] + socket.pollHandles.map { .socket($0) })
  }

  /// Builds what a set-up describes.
  /// - Returns: nil when its data have to come first.
  private func prepare(_ bytes: [UInt8]) -> WorkerEvent? {
    let digest = Digest.of(bytes).description
    // The same fit once more: its data are open.
    if let prepared, prepared.setupDigest == digest {
      return .prepared(setupDigest: digest, dataDigest: prepared.dataDigest)
    }
    do {
      var setup = try FitSetup(decoding: bytes)
      // A local worker has the coordinator's own files.
      if unprepared != bytes {
        store =
          options.parent == nil ? try ShardStore(setup, cache: options.cache, isRelay: false) : nil
      }
      unprepared = nil
      if let store {
        let missing = try store.missingManifests()
        guard missing.all.isEmpty else {
          unprepared = bytes
          return .wanted(missing.new)
        }
        setup = store.setup
      }
      let problem = try Problem(setup)
      self.problem = problem
      if let target = problem.target as? any ForeignDensity {
        giveOutputToModels()
        try target.check()
      }
      // This thread and the pool's; the socket's runs already. Where the system refuses, messages only wait longer.
      _ = isomix_schedule_as_batch()
      pool = ComputePool(
        problem: problem, threads: options.threads, progress: progress,
        afterTile: { [unowned self] in try afterTile() })
      prepared = (digest, setup.dataDigest)
      return .prepared(setupDigest: digest, dataDigest: setup.dataDigest)
    } catch let error as DatasetError where error.code == .noInput {
      return .preparationFailed(
        RunFailure(
          exitCode: ExitCode.noInput,
          message:
            "the prepared data are not on this host (\(error.message)): put the coordinator's --cache on a file "
            + "system that all hosts share, or start the fit with --set data.transport=stream"))
    } catch {
      return .preparationFailed(RunFailure(error))
    }
  }

  /// Files that an assignment's tiles read and that are to be asked for.
  private func missing(for computation: Computation) throws -> [Digest] {
    guard let store, let problem else { return [] }
    do {
      let missing = try store.missing(for: computation, of: problem)
      needs[computation.assignment] = missing.all.isEmpty ? nil : missing.all
      return missing.new
    } catch let error as FitError {
      try handle(.computationFailed(assignment: computation.assignment, RunFailure(error)))
      return []
    }
  }

  /// Whether the files that an assignment reads are here.
  private func isProvided(_ computation: Computation) -> Bool {
    guard let store, let files = needs[computation.assignment] else { return true }
    return store.has(files)
  }

  /// Asks for files; a folder that takes none ends the worker.
  private func provide(_ files: () throws -> [Digest]) throws {
    do {
      let files = try files()
      if !files.isEmpty { try handle(.wanted(files)) }
    } catch let error as DatasetError {
      try handle(.preparationFailed(RunFailure(error)))
    }
  }

  /// Does something about a file that comes.
  private func take(_ action: ShardAction) throws {
    if case .failed(_, let failure) = action { return try handle(.preparationFailed(failure)) }
    do {
      guard let (digest, isWhole) = try store?.perform(action) else { return }
      try handle(.shardChecked(digest, isWhole: isWhole))
      if isWhole, let unprepared, let event = prepare(unprepared) { try handle(event) }
    } catch let error as DatasetError {
      try handle(.preparationFailed(RunFailure(error)))
    }
  }

  /// A local worker's standard output is its coordinator's to read; another one's, that of its own log.
  private func giveOutputToModels() {
    if options.parent == nil { dup2(STDERR_FILENO, STDOUT_FILENO) }
    StanConsole.shared.passOn()
  }

  private func compute(_ computation: Computation) -> WorkerEvent {
    let start = Clock.now
    current = computation.assignment
    defer { current = nil }
    do {
      guard let pool else { throw FitError(.software, "work came before the set-up") }
      let sums = try pool.compute(computation)
      return .computed(
        assignment: computation.assignment, sums: sums, seconds: Clock.now.seconds(since: start))
    } catch is Cancelled {
      return .tick(progress: progress.value)
    } catch {
      return .computationFailed(assignment: computation.assignment, RunFailure(error))
    }
  }

  /// Looks after the connection now and then; ends the computation when the worker is to exit or nobody wants it.
  private func afterTile() throws {
    guard serviced.adding(milliseconds: WorkerLoop.serviceInterval_ms) <= Clock.now else { return }
    try service(wait_ms: 0)
    if exit != nil || current == nil { throw Cancelled() }
  }
}
