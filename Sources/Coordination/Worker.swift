import Wire

/// What happens to a worker.
public enum WorkerEvent: Sendable {
  /// The transport is open; say hello.
  case connected
  case received(Message)
  /// A part of a message that is not complete yet came: slow, but alive.
  case heard
  case malformed(WireError)
  /// The set-up is built: its digest and the data's.
  case prepared(setupDigest: String, dataDigest: String)
  /// The set-up can't be built.
  case preparationFailed(RunFailure)
  /// An assignment is computed: its sums as little-endian float64 numbers.
  case computed(assignment: UInt64, sums: [UInt8], seconds: Double)
  /// An assignment can't be computed.
  case computationFailed(assignment: UInt64, RunFailure)
  /// Time passes; how many tiles the compute loop has finished so far.
  case tick(progress: UInt64)
  /// The user or the system wants the process to end.
  case stopRequested(String)
}

/// What a worker wants done.
public enum WorkerAction: Sendable {
  case send(Message)
  /// Build what the set-up describes.
  case prepare(setup: [UInt8])
  /// Compute an assignment; assignments are computed one after the other, in this order.
  case compute(Computation)
  /// End the process.
  case exit(code: Int32, message: String)
}

/// One assignment as the compute loop takes it.
public struct Computation: Sendable {
  public var assignment: UInt64
  public var job: UInt64
  public var jobKind: UInt8
  public var iteration: Int
  public var subtrees: [Subtree]
  /// The job's state, when it is new.
  public var state: [UInt8]?
}

/// The worker's side of a run.
///
/// A pure state machine, as the coordinator's: event and time in, actions out.
public struct Worker: Sendable {
  fileprivate enum Phase: Sendable {
    case greeting(since: Instant)
    case preparing(Session)
    case working(Session)
    case ended
  }

  /// The coordinator that this worker has been welcomed by.
  fileprivate struct Session: Sendable {
    var run: RunID
    var epoch: UInt64
    var beatInterval_ms: Int
    var silenceLimit_ms: Int
    var lastHeard: Instant
    var lastBeat: Instant
    /// The job whose state is known.
    var job: UInt64 = 0
    /// Assignments that are being computed.
    var assignments: [(number: UInt64, job: UInt64)] = []
  }

  private let hello: Hello
  fileprivate var phase = Phase.ended
  private var lastTick: Instant?

  public init(hello: Hello) { self.hello = hello }

  /// Takes an event and returns what is to be done, in order.
  public mutating func handle(_ event: WorkerEvent, now: Instant) -> [WorkerAction] {
    switch event {
    case .connected:
      phase = .greeting(since: now)
      return [.send(Message(run: .none, epoch: 0, content: .hello(hello)))]
    case .received(let message): return receive(message, now: now)
    case .heard:
      heard(now: now)
      return []
    case .malformed(let error):
      return giveUp(
        ExitCode.unavailable, "the coordinator sent a message that makes no sense: \(error.message)")
    case .prepared(let setupDigest, let dataDigest):
      guard case .preparing(let session) = phase else { return [] }
      phase = .working(session)
      return [
        .send(session.message(.ready(Ready(setupDigest: setupDigest, dataDigest: dataDigest))))
      ]
    case .preparationFailed(let failure): return giveUp(failure.exitCode, failure.message)
    case .computed(let assignment, let sums, let seconds):
      return finish(assignment) { job in
        .result(WorkResult(job: job, assignment: assignment, computeSeconds: seconds, sums: sums))
      }
    case .computationFailed(let assignment, let failure):
      return giveUp(failure.exitCode, failure.message, assignment: assignment)
    case .tick(let progress): return tick(progress: progress, now: now)
    case .stopRequested(let reason): return stop(reason)
    }
  }

  private mutating func receive(_ message: Message, now: Instant) -> [WorkerAction] {
    switch (phase, message.content) {
    case (.ended, _): return []
    case (.greeting, .refused(let refusal)):
      phase = .ended
      let code =
        switch refusal.reason {
        case .data, .numerics, .build, .version: ExitCode.badData
        case .full, .invalid: ExitCode.unavailable
        }
      return [.exit(code: code, message: "the coordinator refused this worker: \(refusal.message)")]
    case (.greeting, .welcome(let welcome)):
      phase = .preparing(
        Session(
          run: message.run, epoch: message.epoch, beatInterval_ms: max(10, welcome.beatInterval_ms),
          silenceLimit_ms: max(100, welcome.silenceLimit_ms), lastHeard: now, lastBeat: now))
      return [.prepare(setup: welcome.setup)]
    case (.greeting, .goodbye(let goodbye)): return ended(by: goodbye)
    case (.greeting, _):
      return giveUp(
        ExitCode.unavailable, "the coordinator answered the hello with a message of kind \(message.kind)")
    case (.preparing(var session), _):
      guard session.isMine(message) else { return wrongRun(message) }
      session.lastHeard = now
      phase = .preparing(session)
    case (.working(var session), _):
      guard session.isMine(message) else { return wrongRun(message) }
      session.lastHeard = now
      phase = .working(session)
    }
    switch message.content {
    case .work(let work): return take(work)
    case .beat: return []
    case .goodbye(let goodbye): return ended(by: goodbye)
    case .refused(let refusal):
      phase = .ended
      return [.exit(code: ExitCode.unavailable, message: refusal.message)]
    case .hello, .welcome, .ready, .result, .failure:
      return giveUp(
        ExitCode.unavailable, "the coordinator sent an unexpected message of kind \(message.kind)")
    }
  }

  private mutating func take(_ work: Work) -> [WorkerAction] {
    guard case .working(var session) = phase else {
      return giveUp(ExitCode.unavailable, "the coordinator sent work before this worker was ready")
    }
    guard session.assignments.count < CoordinationLimits.assignmentsHeld else {
      return giveUp(
        ExitCode.unavailable,
        "the coordinator sent more than \(CoordinationLimits.assignmentsHeld) assignments at once")
    }
    guard work.state != nil || work.job == session.job else {
      return giveUp(ExitCode.unavailable, "the coordinator sent work of job \(work.job) without its state")
    }
    session.job = work.job
    session.assignments.append((work.assignment, work.job))
    phase = .working(session)
    return [
      .compute(
        Computation(
          assignment: work.assignment, job: work.job, jobKind: work.jobKind,
          iteration: Int(clamping: work.iteration), subtrees: work.subtrees, state: work.state))
    ]
  }

  private mutating func finish(_ assignment: UInt64, _ content: (UInt64) -> Message.Content)
    -> [WorkerAction]
  {
    guard case .working(var session) = phase,
      let place = session.assignments.firstIndex(where: { $0.number == assignment })
    else { return [] }
    let job = session.assignments.remove(at: place).job
    phase = .working(session)
    return [.send(session.message(content(job)))]
  }

  private mutating func heard(now: Instant) {
    switch phase {
    case .preparing(var session):
      session.lastHeard = now
      phase = .preparing(session)
    case .working(var session):
      session.lastHeard = now
      phase = .working(session)
    case .greeting, .ended: break
    }
  }

  private mutating func tick(progress: UInt64, now: Instant) -> [WorkerAction] {
    // After a time without ticks (a long set-up, a suspended process) what came meanwhile is still to be read.
    if let lastTick, lastTick.adding(milliseconds: CoordinationLimits.ownStall_ms) < now { heard(now: now) }
    lastTick = now
    switch phase {
    case .ended: return []
    case .greeting(let since):
      guard since.adding(milliseconds: CoordinationLimits.greeting_ms) < now else { return [] }
      phase = .ended
      return [
        .exit(
          code: ExitCode.unavailable,
          message:
            "no coordinator answered within \(CoordinationLimits.greeting_ms / 1000) s: is the address "
            + "right, and is the fit running?")
      ]
    case .preparing(var session):
      let actions = beat(&session, progress: progress, now: now)
      if case .preparing = phase { phase = .preparing(session) }
      return actions
    case .working(var session):
      let actions = beat(&session, progress: progress, now: now)
      if case .working = phase { phase = .working(session) }
      return actions
    }
  }

  private mutating func beat(_ session: inout Session, progress: UInt64, now: Instant) -> [WorkerAction] {
    if session.lastHeard.adding(milliseconds: session.silenceLimit_ms) < now {
      return giveUp(
        ExitCode.unavailable,
        "the coordinator has been silent for \(session.silenceLimit_ms / 1000) s")
    }
    guard session.lastBeat.adding(milliseconds: session.beatInterval_ms) <= now else { return [] }
    session.lastBeat = now
    return [.send(session.message(.beat(Beat(progress: progress))))]
  }

  private mutating func stop(_ reason: String) -> [WorkerAction] {
    let farewell = Message.Content.goodbye(Goodbye(exitCode: ExitCode.interrupted, message: reason))
    let actions: [WorkerAction] = session.map { [.send($0.message(farewell))] } ?? []
    phase = .ended
    return actions + [.exit(code: ExitCode.interrupted, message: reason)]
  }

  private mutating func ended(by goodbye: Goodbye) -> [WorkerAction] {
    phase = .ended
    let text = goodbye.exitCode == 0 ? "" : "the run ended: \(goodbye.message)"
    return [.exit(code: goodbye.exitCode == 0 ? 0 : ExitCode.unavailable, message: text)]
  }

  private mutating func wrongRun(_ message: Message) -> [WorkerAction] {
    giveUp(ExitCode.unavailable, "a message of another run (\(message.run)) came from the coordinator")
  }

  /// Tells the coordinator, if there is one, and ends.
  private mutating func giveUp(_ code: Int32, _ text: String, assignment: UInt64 = 0) -> [WorkerAction] {
    if case .ended = phase { return [] }
    var actions: [WorkerAction] = []
    if let session {
      let job = session.assignments.first { $0.number == assignment }?.job ?? 0
      let failure = WorkerFailure(exitCode: code, message: text, job: job, assignment: assignment)
      actions.append(.send(session.message(.failure(failure))))
    }
    phase = .ended
    return actions + [.exit(code: code, message: text)]
  }

  fileprivate var session: Session? {
    switch phase {
    case .preparing(let session), .working(let session): session
    case .greeting, .ended: nil
    }
  }
}

extension Worker.Session {
  fileprivate func isMine(_ message: Message) -> Bool { message.run == run && message.epoch == epoch }

  fileprivate func message(_ content: Message.Content) -> Message {
    Message(run: run, epoch: epoch, content: content)
  }
}
