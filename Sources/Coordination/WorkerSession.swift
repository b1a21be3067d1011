import Wire

/// The registration that a worker has with a coordinator.
struct WorkerSession: Sendable {
  /// An assignment without an answer.
  struct Given: Sendable {
    let number: UInt64
    let job: UInt64
    let subtrees: [Subtree]
    let role: Work.Role
  }

  /// When the worker goes at the latest, and why.
  struct Leaving: Sendable {
    let deadline: Instant
    let reason: String
    /// Whether its beats say so.
    let isSaid: Bool
  }

  let run: RunID
  let epoch: UInt64
  /// Which of the coordinator's registrations this is.
  let number: UInt32
  let beatInterval_ms: Int
  let silenceLimit_ms: Int
  /// The coordinator's numerics.
  let numerics: Welcome.Numerics
  var lastHeard: Instant
  var lastBeat: Instant
  /// When the last part of a message came that is not complete yet.
  var lastPart: Instant?
  /// What the coordinator's last beat told of its progress.
  var heardUpTo: UInt64 = 0
  /// The job whose state is known.
  var job: UInt64 = 0
  /// The context that is known.
  private(set) var context: UInt64 = 0
  /// Assignments without an answer, in the order in which they are computed.
  var assignments: [Given] = []
  /// Sums of the job that are held.
  var held = HeldSums()
  /// Assignments that were taken, answered or not, oldest first.
  private var taken: [UInt64] = []
  /// Set once the worker is to leave.
  var leaving: Leaving?

  init(_ welcome: Welcome, in message: Message, now: Instant) {
    run = message.run
    epoch = message.epoch
    number = message.session
    beatInterval_ms = min(max(welcome.beatInterval_ms, 10), 60_000)
    silenceLimit_ms = max(100, welcome.silenceLimit_ms)
    numerics = welcome.numerics
    lastHeard = now
    lastBeat = now
  }

  /// Whether a long message is on its way: over a slow link a part takes longer than from one beat to the next.
  func isReceiving(now: Instant) -> Bool {
    lastPart.map { now <= $0.adding(milliseconds: CoordinationLimits.partInterval_ms) } ?? false
  }

  func isMine(_ message: Message) -> Bool {
    message.run == run && message.epoch == epoch && message.session == number
  }

  func message(_ content: Message.Content) -> Message {
    Message(run: run, epoch: epoch, session: number, content: content)
  }

  /// Whether an assignment is new.
  func isNew(_ assignment: UInt64) -> Bool { !taken.contains(assignment) }

  /// Whether all that an assignment needs has come: its job's state and context.
  func canTake(_ work: Work) -> Bool {
    work.job >= job && (work.state != nil || work.job == job)
      && (work.context == 0 || work.contextBytes != nil || work.context == context)
  }

  /// Takes an assignment, once.
  mutating func take(_ work: Work) {
    if work.job != job {
      held = HeldSums()
      // What an earlier job wanted of them is for nobody.
      assignments.removeAll { $0.role.gathering != nil }
    }
    job = work.job
    if work.contextBytes != nil { context = work.context }
    assignments.append(
      Given(number: work.assignment, job: work.job, subtrees: work.subtrees, role: work.role))
    taken.append(work.assignment)
    if taken.count > CoordinationLimits.assignmentsRemembered {
      taken.removeFirst(CoordinationLimits.assignmentsRemembered / 2)
    }
  }

  /// Whether it has computed sums that nobody has asked for yet, or is about to.
  var isOwing: Bool { held.hasUnsent || assignments.first?.role == .hold }

  /// Answers to what is asked of the sums that are held, once all of them are there.
  mutating func gather() -> [WorkResult] {
    var results: [WorkResult] = []
    for request in assignments {
      guard let gathering = request.role.gathering,
        !assignments.contains(where: { gathering.assignments.contains($0.number) })
      else { continue }
      assignments.removeAll { $0.number == request.number }
      // Of sums that are not here nothing is said: beats don't name the request any more, and others compute them.
      guard let sums = held.sums(of: request.subtrees, gathering) else { continue }
      results.append(
        WorkResult(job: request.job, assignment: request.number, computeSeconds: 0, sums: sums))
    }
    return results
  }
}
