import NumericsKit
import Wire

/// What happens to a coordinator.
public enum CoordinatorEvent: Sendable {
  case received(PeerID, Message)
  /// A part of a message that is not complete yet came: slow, but alive.
  case heard(PeerID)
  /// Bytes from a peer made no sense.
  case malformed(PeerID, WireError)
  /// The transport can't reach a peer any more.
  case unreachable(PeerID)
  /// A worker process that this coordinator started has ended.
  case childExited(processID: Int, description: String)
  /// Time passes.
  case tick
  /// The fit wants this evaluated over all tiles.
  case begin(Job)
  /// The run is over; tell everyone.
  case end(exitCode: Int32, message: String)
}

/// What a coordinator wants done.
public enum CoordinatorAction: Sendable {
  case send(PeerID, Message)
  /// Every tile of the job is reduced: the sums of its blocks, in order.
  case completed([[Double]])
  /// The run can't go on.
  case failed(RunFailure)
  case log(LogLevel, String)
  /// Forget what is known of a peer's stream, and take nothing more from it.
  case drop(PeerID)
}

public enum LogLevel: String, Sendable { case info, warning, error }

/// The coordinator's side of a run: registers workers, hands out tiles, collects and reduces their sums.
///
/// A pure state machine: it takes an event and the time and returns actions; it does no I/O, reads no clock
/// and draws no random number.
public struct Coordinator: Sendable {
  public struct Configuration: Sendable {
    public var run: RunID
    public var epoch: UInt64
    public var version: String
    public var build: String
    public var fingerprint: String
    public var numerics: String
    /// What workers need to compute for this run (an opaque document) and its digest.
    public var setup: [UInt8]
    public var setupDigest: String
    /// Digest of the data; empty without data.
    public var dataDigest: String
    /// Accept workers whose numerics may give other bits.
    public var mixedNumerics: Bool
    /// Workers that must be ready before the first job.
    public var workersToStart: Int
    /// How long to wait for workers before giving up.
    public var workerTimeout_ms: Int

    public init(
      run: RunID, epoch: UInt64, version: String, build: String, fingerprint: String, numerics: String,
      setup: [UInt8], setupDigest: String, dataDigest: String, mixedNumerics: Bool, workersToStart: Int,
      workerTimeout_ms: Int
    ) {
      self.run = run
      self.epoch = epoch
      self.version = version
      self.build = build
      self.fingerprint = fingerprint
      self.numerics = numerics
      self.setup = setup
      self.setupDigest = setupDigest
      self.dataDigest = dataDigest
      self.mixedNumerics = mixedNumerics
      self.workersToStart = workersToStart
      self.workerTimeout_ms = workerTimeout_ms
    }
  }

  /// Counters for the summary.
  public struct Statistics: Sendable, Equatable {
    public var workersSeen = 0
    public var workersLost = 0
    public var assignments = 0
    public var jobs = 0
  }

  public let configuration: Configuration
  public private(set) var statistics = Statistics()
  private(set) var workers: [PeerID: WorkerRecord] = [:]
  /// Ready workers in the order in which they became ready: the order of homes and of hand-out.
  private(set) var roster: [PeerID] = []
  private var job: RunningJob?
  private var nextJob: UInt64 = 1
  private var nextAssignment: UInt64 = 1
  private var waitingSince: Instant?
  private var lastBeat: Instant?
  private var lastTick: Instant?
  private var strangers: Set<PeerID> = []
  private var refusals = 0
  private var speed = CoordinationLimits.assumedSpeed
  private var phase = Phase.running

  private enum Phase: Sendable { case running, ended }

  public init(configuration: Configuration) { self.configuration = configuration }

  /// Workers that take part now.
  public var readyWorkers: Int { roster.count }

  /// Whether a peer has registered; strangers may send no bulk.
  public func isRegistered(_ peer: PeerID) -> Bool { workers[peer] != nil }

  /// Bytes of bulk that a peer may send in one message: what its assignments can amount to.
  public func bulkLimit(for peer: PeerID) -> Int {
    guard let record = workers[peer] else { return 0 }
    return record.assignments.map { $0.width * 8 }.max() ?? 0
  }

  /// Takes an event and returns what is to be done, in order.
  public mutating func handle(_ event: CoordinatorEvent, now: Instant) -> [CoordinatorAction] {
    guard phase == .running else { return [] }
    switch event {
    case .received(let peer, let message): return receive(message, from: peer, now: now)
    case .heard(let peer):
      workers[peer]?.lastHeard = now
      return []
    case .malformed(let peer, let error): return malformed(peer, error)
    case .unreachable(let peer): return lost(peer, because: "the connection to it is gone")
    case .childExited(let processID, let description): return childExited(processID, description)
    case .tick: return tick(now: now)
    case .begin(let job): return begin(job, now: now)
    case .end(let exitCode, let message): return end(exitCode: exitCode, message: message)
    }
  }

  // MARK: Registration

  private mutating func receive(_ message: Message, from peer: PeerID, now: Instant) -> [CoordinatorAction] {
    if case .hello(let hello) = message.content { return register(hello, at: peer, now: now) }
    guard var record = workers[peer] else {
      return stranger(peer, "sent a message of kind \(message.kind) before any hello")
    }
    guard message.run == configuration.run, message.epoch == configuration.epoch else {
      return lost(peer, because: "it sent a message of another run (\(message.run))")
    }
    record.lastHeard = now
    workers[peer] = record
    switch message.content {
    case .ready(let ready): return becomeReady(ready, peer: peer, now: now)
    case .result(let result): return collect(result, from: peer, now: now)
    case .beat(let beat):
      workers[peer]?.progress = beat.progress
      return []
    case .failure(let failure):
      statistics.workersLost += 1
      if record.phase == .preparing, !record.isLocalChild {
        // It never took part: whoever started it is told there, and the fit goes on without it.
        workers.removeValue(forKey: peer)
        return [.log(.warning, "\(record.name) could not join: \(failure.message)"), .drop(peer)]
      }
      // A run that a worker ended did not end well, whatever the worker says.
      let exitCode = (1...255).contains(failure.exitCode) ? failure.exitCode : ExitCode.software
      return fail(exitCode, "\(record.name) stopped: \(failure.message)")
    case .goodbye(let goodbye): return lost(peer, because: "it left: \(goodbye.message)")
    case .hello, .welcome, .refused, .work:
      return lost(peer, because: "it sent a message of kind \(message.kind), which only a coordinator sends")
    }
  }

  private mutating func register(_ hello: Hello, at peer: PeerID, now: Instant) -> [CoordinatorAction] {
    if workers[peer] != nil { return lost(peer, because: "it registered twice over one connection") }
    guard workers.count < WireLimits.peers else {
      return refuse(peer, .full, "this run has \(WireLimits.peers) workers, which is its limit", hello)
    }
    guard hello.version == configuration.version, hello.build == configuration.build else {
      return refuse(
        peer, .build,
        "the coordinator runs isomix \(configuration.version) (build \(configuration.build)), "
          + "the worker \(hello.version) (build \(hello.build)): install the same build on both hosts", hello)
    }
    guard configuration.mixedNumerics || hello.fingerprint == configuration.fingerprint else {
      return refuse(
        peer, .numerics,
        "this worker's CPU or libraries would give other bits (here \(hello.numerics); at the coordinator "
          + "\(configuration.numerics)). Pin both with OPENBLAS_CORETYPE and GLIBC_TUNABLES, or start the fit "
          + "with --mixed-numerics to accept it", hello)
    }
    let record = WorkerRecord(hello: hello, lastHeard: now)
    workers[peer] = record
    statistics.workersSeen += 1
    let welcome = Welcome(
      beatInterval_ms: CoordinationLimits.beatInterval_ms,
      silenceLimit_ms: CoordinationLimits.silenceLimit_ms, setup: configuration.setup)
    var actions: [CoordinatorAction] = []
    if hello.fingerprint != configuration.fingerprint {
      actions.append(
        .log(
          .warning,
          "\(record.name) computes with other numerics (\(hello.numerics)) than the coordinator "
            + "(\(configuration.numerics)): the bits of this fit may not come again (--mixed-numerics)"))
    }
    return actions + [
      .log(.info, "\(record.name) registered with \(hello.threads) thread(s)"),
      .send(peer, message(.welcome(welcome))),
    ]
  }

  private mutating func refuse(_ peer: PeerID, _ reason: Refusal.Reason, _ text: String, _ hello: Hello)
    -> [CoordinatorAction]
  {
    refusals += 1
    let log = CoordinatorAction.log(
      .warning, "refused worker \(hello.host)/\(hello.processID): \(text)")
    return (refusals <= CoordinationLimits.loggedRefusals ? [log] : []) + [
      .send(peer, message(.refused(Refusal(reason: reason, message: text)))), .drop(peer),
    ]
  }

  private mutating func becomeReady(_ ready: Ready, peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer], record.phase == .preparing else {
      return lost(peer, because: "it said twice that it is ready")
    }
    guard ready.setupDigest == configuration.setupDigest, ready.dataDigest == configuration.dataDigest else {
      let text = "it prepared other data than this run's (digest \(ready.dataDigest.prefix(12)))"
      return fail(ExitCode.badData, "\(record.name): \(text)")
    }
    workers[peer]?.phase = .ready
    roster.append(peer)
    var actions: [CoordinatorAction] = [.log(.info, "\(record.name) is ready")]
    guard let running = job else { return actions }
    if running.queue == nil {
      actions += startIfPossible(now: now)
    } else {
      actions += dispatch(to: peer)
    }
    return actions
  }

  // MARK: Jobs

  private mutating func begin(_ newJob: Job, now: Instant) -> [CoordinatorAction] {
    precondition(job == nil, "a job is begun when the one before it is complete")
    job = RunningJob(number: nextJob, job: newJob)
    nextJob += 1
    waitingSince = now
    return startIfPossible(now: now)
  }

  /// Hands out the job's first pieces once enough workers are ready.
  private mutating func startIfPossible(now: Instant) -> [CoordinatorAction] {
    let needed = statistics.jobs == 0 ? max(1, configuration.workersToStart) : 1
    guard job != nil, roster.count >= needed else { return [] }
    statistics.jobs += 1
    waitingSince = nil
    let threads = roster.map { workers[$0]?.hello.threads ?? 1 }
    job?.start(
      shares: threads,
      minimumCost: CoordinationLimits.minimumPiece_s * speed * Double(threads.min() ?? 1))
    var actions: [CoordinatorAction] = []
    for peer in roster { actions += dispatch(to: peer, once: true) }
    for peer in roster { actions += dispatch(to: peer) }
    return actions
  }

  /// Gives a worker assignments up to its credit.
  private mutating func dispatch(to peer: PeerID, once: Bool = false) -> [CoordinatorAction] {
    var actions: [CoordinatorAction] = []
    let place = roster.firstIndex(of: peer) ?? roster.count
    while let record = workers[peer], record.assignments.count < CoordinationLimits.assignmentsInFlight {
      let tiles = job?.queue?.take(
        for: place, fromOthers: record.assignments.isEmpty && !once)
      guard let job, let tiles, !tiles.isEmpty else { break }
      let subtrees = job.job.shape.subtrees(covering: tiles)
      let assignment = Assignment(
        number: nextAssignment, job: job.number, tiles: tiles, subtrees: subtrees,
        width: job.job.shape.width(of: subtrees), cost: job.job.shape.cost(of: tiles))
      nextAssignment += 1
      statistics.assignments += 1
      let isFirst = record.lastJob != job.number
      workers[peer]?.lastJob = job.number
      workers[peer]?.assignments.append(assignment)
      let work = Work(
        job: job.number, assignment: assignment.number, jobKind: job.job.kind,
        iteration: UInt64(job.job.iteration), subtrees: subtrees, state: isFirst ? job.job.state : nil)
      actions.append(.send(peer, message(.work(work))))
      if once { break }
    }
    return actions
  }

  private mutating func collect(_ result: WorkResult, from peer: PeerID, now: Instant) -> [CoordinatorAction]
  {
    guard let record = workers[peer],
      let place = record.assignments.firstIndex(where: { $0.number == result.assignment }),
      let running = job, running.number == result.job, record.assignments[place].job == result.job
    else { return lost(peer, because: "it sent a result for work that it does not have") }
    let assignment = record.assignments[place]
    guard result.sums.count == assignment.width * 8 else {
      return lost(
        peer,
        because: "it sent \(result.sums.count / 8) numbers for assignment \(assignment.number), which has "
          + "\(assignment.width)")
    }
    workers[peer]?.assignments.remove(at: place)
    observe(result, assignment, threads: record.hello.threads)
    job?.reduce(assignment, sums: result.sums)
    if job?.isComplete == true, let sums = job?.sums {
      job = nil
      return [.completed(sums)]
    }
    return dispatch(to: peer)
  }

  /// Learns how fast a thread works; used for the size of pieces alone, never for a result.
  private mutating func observe(_ result: WorkResult, _ assignment: Assignment, threads: Int) {
    guard result.computeSeconds > 1e-6, result.computeSeconds.isFinite else { return }
    let observed = assignment.cost / result.computeSeconds / Double(threads)
    speed += 0.1 * (min(max(observed, 1e6), 1e13) - speed)
  }

  // MARK: Loss

  private mutating func malformed(_ peer: PeerID, _ error: WireError) -> [CoordinatorAction] {
    guard workers[peer] != nil else {
      guard error.code == .protocolVersion else { return stranger(peer, "sent nonsense: \(error.message)") }
      let refusal = Refusal(reason: .version, message: error.message)
      return [.send(peer, message(.refused(refusal)))] + stranger(peer, "was refused: \(error.message)")
    }
    return lost(peer, because: "it sent a message that makes no sense: \(error.message)")
  }

  /// Somebody who is no worker of this run: logged, never fatal.
  private mutating func stranger(_ peer: PeerID, _ text: String) -> [CoordinatorAction] {
    guard strangers.count < CoordinationLimits.loggedStrangers, strangers.insert(peer).inserted else {
      return [.drop(peer)]
    }
    return [.log(.warning, "\(peer), which has not registered, \(text)"), .drop(peer)]
  }

  private mutating func childExited(_ processID: Int, _ description: String) -> [CoordinatorAction] {
    let peer = workers.filter { $0.value.hello.processID == processID && $0.value.isLocalChild }.keys.min()
    if let peer { return lost(peer, because: description) }
    statistics.workersLost += 1
    return fail(
      ExitCode.unavailable, "local worker process \(processID) ended before it registered: \(description)")
  }

  private mutating func lost(_ peer: PeerID, because reason: String) -> [CoordinatorAction] {
    guard let record = workers.removeValue(forKey: peer) else { return [] }
    roster.removeAll { $0 == peer }
    statistics.workersLost += 1
    var held = ""
    if let assignment = record.assignments.first {
      held = " It held tiles \(assignment.tiles.lowerBound)–\(assignment.tiles.upperBound - 1)"
      if record.assignments.count > 1 { held += " and \(record.assignments.count - 1) more assignment(s)" }
      held += "."
    }
    let text = "lost \(record.name): \(reason).\(held)"
    // It may only have been stopped for a while: when it goes on, it finds out that it is not waited for.
    let goodbye = Goodbye(exitCode: ExitCode.unavailable, message: text)
    return [.send(peer, message(.goodbye(goodbye))), .drop(peer)] + fail(ExitCode.unavailable, text)
  }

  private mutating func tick(now: Instant) -> [CoordinatorAction] {
    if let lastTick, lastTick.adding(milliseconds: CoordinationLimits.ownStall_ms) < now {
      for peer in workers.keys { workers[peer]?.lastHeard = now }
    }
    lastTick = now
    for peer in workers.keys.sorted() {
      guard let record = workers[peer] else { continue }
      let limit =
        record.phase == .preparing
        ? CoordinationLimits.setupSilence_ms : CoordinationLimits.silenceLimit_ms
      if record.lastHeard.adding(milliseconds: limit) < now {
        return lost(peer, because: "it has been silent for \(limit / 1000) s")
      }
    }
    if let waitingSince, waitingSince.adding(milliseconds: configuration.workerTimeout_ms) < now {
      return fail(ExitCode.unavailable, waitingMessage)
    }
    guard lastBeat.map({ $0.adding(milliseconds: CoordinationLimits.beatInterval_ms) <= now }) ?? true
    else { return [] }
    lastBeat = now
    return workers.keys.sorted().map { .send($0, message(.beat(Beat(progress: nextAssignment)))) }
  }

  private var waitingMessage: String {
    let needed = statistics.jobs == 0 ? max(1, configuration.workersToStart) : 1
    let registered = workers.values.filter { $0.phase == .preparing }.map(\.name).sorted()
    return "no result after \(configuration.workerTimeout_ms / 1000) s: waited for \(needed) worker(s), "
      + "\(roster.count) ready"
      + (registered.isEmpty ? "" : ", still preparing: \(registered.joined(separator: ", "))")
      + ". Start workers with `isomix worker`, or raise --worker-timeout"
  }

  // MARK: End

  private mutating func fail(_ exitCode: Int32, _ text: String) -> [CoordinatorAction] {
    let farewell = end(exitCode: exitCode, message: text)
    return farewell + [.failed(RunFailure(exitCode: exitCode, message: text))]
  }

  private mutating func end(exitCode: Int32, message text: String) -> [CoordinatorAction] {
    phase = .ended
    let goodbye = Goodbye(exitCode: exitCode, message: text)
    return workers.keys.sorted().map { .send($0, message(.goodbye(goodbye))) }
  }

  private func message(_ content: Message.Content) -> Message {
    Message(run: configuration.run, epoch: configuration.epoch, content: content)
  }
}
