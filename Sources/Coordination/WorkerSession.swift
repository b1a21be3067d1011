import Wire

/// The registration that a worker has with a coordinator.
struct WorkerSession: Sendable {
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
  var assignments: [(number: UInt64, job: UInt64)] = []
  /// Assignments that were taken, answered or not, oldest first.
  private var taken: [UInt64] = []
  /// When the worker goes at the latest, and why, once it is to leave.
  var leaving: (deadline: Instant, reason: String)?

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
    job = work.job
    if work.contextBytes != nil { context = work.context }
    assignments.append((work.assignment, work.job))
    taken.append(work.assignment)
    if taken.count > CoordinationLimits.assignmentsRemembered {
      taken.removeFirst(CoordinationLimits.assignmentsRemembered / 2)
    }
  }
}
