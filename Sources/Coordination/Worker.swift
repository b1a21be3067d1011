import Wire

/// The worker's side of a run.
///
/// A pure state machine, as the coordinator's: event and time in, actions out. It outlives its coordinator: when that
/// is silent, gone or new, it says hello again, over a fresh connection and as its next incarnation.
public struct Worker: Sendable {
  private enum Phase: Sendable {
    case greeting(Greeting)
    case preparing(WorkerSession)
    case working(WorkerSession)
    case ended
  }

  /// Looking for a coordinator.
  private struct Greeting: Sendable {
    /// When the search began.
    let since: Instant
    /// When to say hello once more.
    var retryAt: Instant
    /// Hellos said in this search.
    var attempts: Int
  }

  private var hello: Hello
  /// How long to look for a coordinator; nil: for ever.
  private let patience_ms: Int?
  private var phase = Phase.ended
  private var hasGreeted = false
  private var lastTick: Instant?
  private var lastProgress: UInt64 = 0
  /// For a relay: the workers behind it.
  private var crew = Crew()
  /// Files that it waits for, and whether its beats say so.
  var fetch = ShardFetch()
  var isFetching = false

  /// - Parameters:
  ///   - hello: who the worker is; its incarnations are counted from the one given.
  ///   - patience_ms: how long to look for a coordinator before giving up; nil: for ever.
  public init(hello: Hello, patience_ms: Int? = CoordinationLimits.greeting_ms) {
    self.hello = hello
    self.patience_ms = patience_ms
  }

  /// Whether a coordinator knows this worker.
  package var isRegistered: Bool { session != nil }

  /// Takes an event and returns what is to be done, in order.
  public mutating func handle(_ event: WorkerEvent, now: Instant) -> [WorkerAction] {
    switch event {
    case .started: return greet(now: now)
    case .received(let message): return receive(message, now: now)
    case .heard:
      heard(now: now, isPart: true)
      return []
    case .malformed(let error):
      return giveUp(
        ExitCode.unavailable, "the coordinator sent a message that makes no sense: \(error.message)")
    case .notAuthorised(let reason): return giveUp(ExitCode.notAuthorised, reason)
    case .prepared(let setupDigest, let dataDigest):
      guard case .preparing(let session) = phase else { return [] }
      phase = .working(session)
      let ready = Ready(setupDigest: setupDigest, dataDigest: dataDigest, crew: crew)
      return [.send(session.message(.ready(ready)))]
    case .preparationFailed(let failure): return giveUp(failure.exitCode, failure.message)
    case .computed(let assignment, let sums, let seconds):
      return finish(assignment, sums: sums, seconds: seconds, now: now)
    case .computationFailed(let assignment, let failure):
      guard case .working(let session) = phase,
        session.assignments.contains(where: { $0.number == assignment })
      else { return [] }
      return giveUp(failure.exitCode, failure.message, assignment: assignment)
    case .crewChanged(let crew, let progress): return change(crew, progress: progress, now: now)
    case .handedBack(let assignments): return handBack(assignments, now: now)
    case .told(let notice): return session.map { [.send($0.message(.crew(notice)))] } ?? []
    case .wanted(let digests): return want(digests, now: now)
    case .shardChecked(let digest, let isWhole): return checked(digest, isWhole: isWhole, now: now)
    case .tick(let progress):
      let actions = tick(progress: progress, now: now)
      return actions + continueTransfer(now: now)
    case .stopRequested(let reason): return stop(reason, now: now)
    }
  }

  // MARK: Registration

  /// Says hello over a fresh connection, as the next incarnation.
  private mutating func greet(now: Instant, since: Instant? = nil, attempts: Int = 0) -> [WorkerAction] {
    // What was asked for was asked of somebody else.
    fetch = ShardFetch()
    isFetching = false
    if hasGreeted { hello.incarnation += 1 }
    hasGreeted = true
    let wait = Worker.retryDelay_ms(attempts: attempts, of: hello)
    phase = .greeting(
      Greeting(since: since ?? now, retryAt: now.adding(milliseconds: wait), attempts: attempts + 1))
    return [.connect, .send(Message(run: .none, epoch: 0, content: .hello(hello)))]
  }

  /// Twice as long after every attempt, up to a limit; and different from worker to worker, so that a coordinator that
  /// comes back is not greeted by all at once.
  private static func retryDelay_ms(attempts: Int, of hello: Hello) -> Int {
    let base = min(
      CoordinationLimits.firstRetry_ms << min(attempts, 10), CoordinationLimits.lastRetry_ms)
    // FNV-1a (Fowler, Noll, Vo) of who and how often: a machine draws no random numbers.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in "\(hello.worker)/\(hello.incarnation)".utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    // The last bytes have reached the high bits only now.
    let spread = (hash ^ hash >> 32) &* 0x9E37_79B9_7F4A_7C15
    return base * (75_000 + Int(spread >> 48) * 50_000 / 0xFFFF) / 100_000
  }

  /// Looks for a coordinator anew; what was being computed is for nobody.
  private mutating func greetAgain(_ reason: String, now: Instant) -> [WorkerAction] {
    let held = session?.assignments.map(\.number) ?? []
    let forget: [WorkerAction] = held.isEmpty ? [] : [.forget(held)]
    return forget + [.note(reason)] + greet(now: now)
  }

  private mutating func receive(_ message: Message, now: Instant) -> [WorkerAction] {
    switch phase {
    case .ended: return []
    case .greeting: return answer(message, now: now)
    case .preparing(let session), .working(let session):
      if case .registerAgain = message.content {
        guard session.leaving == nil else { return leave() }
        return greetAgain("the coordinator asks to register again", now: now)
      }
      // What was said in an earlier registration, or by an earlier coordinator, says nothing about now.
      guard session.isMine(message) else { return [] }
      updateSession { session in
        session.lastHeard = now
        // Messages come one after the other: the long one that was on its way is complete.
        session.lastPart = nil
      }
    }
    switch message.content {
    case .work(let work): return take(work, now: now)
    case .beat(let beat):
      updateSession { $0.heardUpTo = beat.progress }
      return []
    case .shardPart(let part): return receive(part, now: now)
    case .shardRefused(let refusal): return refused(refusal, now: now)
    // A welcome that comes twice says nothing new.
    case .welcome: return []
    case .goodbye(let goodbye): return ended(by: goodbye, now: now)
    case .refused(let refusal):
      let code = refusal.reason == .data ? ExitCode.badData : ExitCode.unavailable
      phase = .ended
      return [.exit(code: code, message: "the coordinator refused this worker: \(refusal.message)")]
    case .hello, .ready, .result, .failure, .registerAgain, .handBack, .crew, .shardRequest, .shardReceived:
      return giveUp(
        ExitCode.unavailable, "the coordinator sent an unexpected message of kind \(message.kind)")
    }
  }

  /// What comes while the worker looks for a coordinator.
  private mutating func answer(_ message: Message, now: Instant) -> [WorkerAction] {
    switch message.content {
    case .refused(let refusal):
      phase = .ended
      let code =
        switch refusal.reason {
        case .data, .numerics, .build, .version: ExitCode.badData
        case .full, .invalid: ExitCode.unavailable
        }
      return [.exit(code: code, message: "the coordinator refused this worker: \(refusal.message)")]
    case .welcome(let welcome):
      // An answer to an earlier hello comes too late.
      guard welcome.incarnation == hello.incarnation else { return [] }
      phase = .preparing(WorkerSession(welcome, in: message, now: now))
      return [.prepare(setup: welcome.setup)]
    default: return []
    }
  }

  // MARK: Work

  private mutating func take(_ work: Work, now: Instant) -> [WorkerAction] {
    guard case .working(var session) = phase else {
      // Only when its own `ready` overtook this worker, or the message is of no use yet: the beats say what it has.
      return []
    }
    guard session.leaving == nil || work.role.gathering != nil, session.isNew(work.assignment) else {
      return []
    }
    // Work of an earlier job came late; or what came before it with the state or the context was lost.
    guard session.canTake(work) else { return [] }
    guard session.assignments.count < CoordinationLimits.assignmentsHeld else {
      return giveUp(
        ExitCode.unavailable,
        "the coordinator sent more than \(CoordinationLimits.assignmentsHeld) assignments at once")
    }
    session.take(work)
    let answers = session.gather()
    phase = .working(session)
    if work.role.gathering != nil {
      return answers.map { .send(session.message(.result($0))) } + leaveIfDone(now: now)
    }
    return [
      .compute(
        Computation(
          assignment: work.assignment,
          job: JobKey(epoch: session.epoch, session: session.number, number: work.job),
          jobKind: work.jobKind, iteration: Int(clamping: work.iteration), subtrees: work.subtrees,
          state: work.state, context: work.context, contextBytes: work.contextBytes))
    ]
  }

  private mutating func finish(_ assignment: UInt64, sums: [UInt8], seconds: Double, now: Instant)
    -> [WorkerAction]
  {
    guard case .working(var session) = phase,
      let place = session.assignments.firstIndex(where: { $0.number == assignment })
    else { return [] }
    let given = session.assignments.remove(at: place)
    var result = WorkResult(job: given.job, assignment: assignment, computeSeconds: seconds, sums: sums)
    if given.role == .hold {
      if given.job == session.job { session.held.hold(given.subtrees, of: assignment, sums: sums) }
      result.sums = []
    }
    let results = [result] + session.gather()
    phase = .working(session)
    return results.map { .send(session.message(.result($0))) } + leaveIfDone(now: now)
  }

  /// A relay does not answer some assignments: its coordinator is told, and finds somebody else.
  private mutating func handBack(_ assignments: [UInt64], now: Instant) -> [WorkerAction] {
    guard case .working(var session) = phase else { return [] }
    let given = session.assignments.filter { assignments.contains($0.number) }
    session.assignments.removeAll { assignments.contains($0.number) }
    let results = session.gather()
    phase = .working(session)
    let handBacks = given.map { HandBack(job: $0.job, assignment: $0.number) }
    let contents =
      handBacks.map { Message.Content.handBack($0) } + results.map { Message.Content.result($0) }
    let messages = contents.map { WorkerAction.send(session.message($0)) }
    return messages + leaveIfDone(now: now)
  }

  // MARK: Time

  /// A relay's workers have become more or fewer: a beat says so at once.
  private mutating func change(_ crew: Crew, progress: UInt64, now: Instant) -> [WorkerAction] {
    guard crew != self.crew else { return [] }
    self.crew = crew
    guard case .working(let session) = phase else { return [] }
    return [.send(session.message(.beat(beat(session, progress: progress, isReady: true, now: now))))]
  }

  /// A beat out of its time.
  func beatNow(now: Instant) -> [WorkerAction] {
    guard let session else { return [] }
    let isReady = if case .working = phase { true } else { false }
    return [
      .send(session.message(.beat(beat(session, progress: lastProgress, isReady: isReady, now: now))))
    ]
  }

  private mutating func heard(now: Instant, isPart: Bool) {
    if case .greeting(var greeting) = phase {
      // A long welcome is on its way.
      greeting.retryAt = max(greeting.retryAt, now.adding(milliseconds: CoordinationLimits.lastRetry_ms))
      phase = .greeting(greeting)
    }
    updateSession { session in
      session.lastHeard = now
      if isPart { session.lastPart = now }
    }
  }

  private mutating func tick(progress: UInt64, now: Instant) -> [WorkerAction] {
    lastProgress = progress
    // After a time without ticks (a long set-up, a suspended process) what came meanwhile is still to be read.
    if let lastTick, lastTick.adding(milliseconds: CoordinationLimits.ownStall_ms) < now {
      heard(now: now, isPart: false)
      fetch.pardon(now: now)
    }
    lastTick = now
    switch phase {
    case .ended: return []
    case .greeting(let greeting):
      if let patience_ms, greeting.since.adding(milliseconds: patience_ms) < now {
        phase = .ended
        return [
          .exit(
            code: ExitCode.unavailable,
            message:
              "no coordinator answered within \(patience_ms / 1000) s: is the address right, and is the "
              + "fit running?")
        ]
      }
      guard greeting.retryAt <= now else { return [] }
      return greet(now: now, since: greeting.since, attempts: greeting.attempts)
    case .preparing(var session):
      let beat = beat(&session, progress: progress, isReady: false, now: now)
      phase = .preparing(session)
      return beat ?? lostCoordinator(session, now: now)
    case .working(var session):
      if let leaving = session.leaving, leaving.deadline <= now { return leave() }
      let beat = beat(&session, progress: progress, isReady: true, now: now)
      phase = .working(session)
      return beat ?? lostCoordinator(session, now: now)
    }
  }

  /// A beat when it is time for one; nil when the coordinator has been silent for too long.
  private func beat(_ session: inout WorkerSession, progress: UInt64, isReady: Bool, now: Instant)
    -> [WorkerAction]?
  {
    if session.lastHeard.adding(milliseconds: session.silenceLimit_ms) < now { return nil }
    guard session.lastBeat.adding(milliseconds: session.beatInterval_ms) <= now else { return [] }
    session.lastBeat = now
    return [.send(session.message(.beat(beat(session, progress: progress, isReady: isReady, now: now))))]
  }

  private func beat(_ session: WorkerSession, progress: UInt64, isReady: Bool, now: Instant) -> Beat {
    Beat(
      progress: progress, isReady: isReady, isReceiving: fetch.isActive || session.isReceiving(now: now),
      isLeaving: session.leaving?.isSaid ?? false, heardUpTo: session.heardUpTo,
      assignments: session.assignments.map(\.number), crew: crew)
  }

  private mutating func lostCoordinator(_ session: WorkerSession, now: Instant) -> [WorkerAction] {
    guard session.leaving == nil else { return leave() }
    return greetAgain(
      "the coordinator has been silent for \(session.silenceLimit_ms / 1000) s: looking for it", now: now)
  }

  // MARK: End

  /// Leaves as soon as what is being computed is done, and the coordinator has what it wants of the sums that are
  /// held; what waits is handed back.
  private mutating func stop(_ reason: String, now: Instant) -> [WorkerAction] {
    guard case .working(var session) = phase, session.leaving == nil,
      session.isOwing || !session.assignments.isEmpty
    else { return leave(because: reason) }
    let waiting = session.assignments.dropFirst().map(\.number)
    session.assignments.removeLast(waiting.count)
    let deadline = now.adding(milliseconds: CoordinationLimits.leaving_ms)
    let isOwing = session.isOwing
    session.leaving = WorkerSession.Leaving(deadline: deadline, reason: reason, isSaid: isOwing)
    phase = .working(session)
    return (waiting.isEmpty ? [] : [.forget(waiting)]) + (isOwing ? beatNow(now: now) : [])
  }

  /// A worker that is to leave does so when it has answered all. As long as it holds sums that were not asked for, its
  /// beats ask whether they are wanted.
  private mutating func leaveIfDone(now: Instant) -> [WorkerAction] {
    guard let session, session.leaving != nil, session.assignments.isEmpty else { return [] }
    return session.held.hasUnsent ? beatNow(now: now) : leave()
  }

  /// Says goodbye and ends well.
  private mutating func leave(because given: String? = nil) -> [WorkerAction] {
    if case .ended = phase { return [] }
    let reason = session?.leaving?.reason ?? given ?? "it was asked to"
    let goodbye = Message.Content.goodbye(Goodbye(exitCode: ExitCode.done, message: reason))
    let actions: [WorkerAction] = session.map { [.send($0.message(goodbye))] } ?? []
    phase = .ended
    return actions + [.exit(code: ExitCode.done, message: "\(reason), left the run")]
  }

  private mutating func ended(by goodbye: Goodbye, now: Instant) -> [WorkerAction] {
    // The fit will be resumed: its coordinator comes back.
    if goodbye.exitCode == ExitCode.interrupted, session?.leaving != nil { return leave() }
    if goodbye.exitCode == ExitCode.interrupted, !hello.isLocalChild {
      let limit = patience_ms.map { " for up to \($0 / 1000) s" } ?? ""
      return greetAgain("the fit was interrupted; waiting\(limit) for it to be resumed", now: now)
    }
    phase = .ended
    let text = goodbye.exitCode == 0 ? "" : "the run ended: \(goodbye.message)"
    return [.exit(code: goodbye.exitCode == 0 ? 0 : ExitCode.unavailable, message: text)]
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

  /// Changes the session, if there is one.
  private mutating func updateSession(_ change: (inout WorkerSession) -> Void) {
    switch phase {
    case .preparing(var session):
      change(&session)
      phase = .preparing(session)
    case .working(var session):
      change(&session)
      phase = .working(session)
    case .greeting, .ended: break
    }
  }

  /// The registration, while there is one.
  var session: WorkerSession? {
    switch phase {
    case .preparing(let session), .working(let session): session
    case .greeting, .ended: nil
    }
  }
}
