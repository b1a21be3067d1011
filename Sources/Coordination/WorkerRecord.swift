import Wire

/// What the coordinator knows of one registered worker.
struct WorkerRecord: Sendable {
  enum Phase: Sendable { case preparing, ready }

  let hello: Hello
  /// Which registration of the epoch this is.
  let session: UInt32
  /// When it registered.
  let since: Instant
  var phase = Phase.preparing
  var lastHeard: Instant
  /// Tiles that its compute loop has finished, as its beats say.
  var progress: UInt64 = 0
  /// When it was last seen to get on with its work: a tile finished, a part of a message moved, work given to it
  /// while it had none.
  var progressedAt: Instant
  /// Since when it should have computed the oldest of its assignments: it was given it, or it answered the one before.
  var busySince: Instant
  /// Assignments without a result, oldest first; also those that somebody else has answered meanwhile.
  var assignments: [Assignment] = []
  /// Assignments that it has computed and whose sums it holds.
  var held: [Assignment] = []
  /// Whether it has said that it leaves: it gets nothing any more, and is asked for what it holds.
  var isLeaving = false
  /// How often it has registered over its connection.
  var registrations = 1
  /// How often in a row work did not reach it.
  var missed = 0
  /// The coordinator's last assignment that it is known to have lived to hear of.
  var heardUpTo: UInt64
  /// The last job whose state was sent to it.
  var lastJob: UInt64 = 0
  /// The last context that was sent to it.
  var lastContext: UInt64 = 0
  /// Tiles whose sums it has sent, and the seconds that it computed for them.
  var tilesDone = 0
  var computeSeconds = 0.0
  /// Parts of files that are on their way to it, and whether it waits for files.
  var credit = ShardCredit()
  var isFetching = false
  /// For a relay: the workers behind it.
  var crew = Crew()
  /// Floating-point operations a second of one of its threads, once it has answered.
  var speed: Double?

  /// - Parameter heardUpTo: the assignment that comes next: whoever answers the welcome lives after all before it.
  init(hello: Hello, session: UInt32, heardUpTo: UInt64, now: Instant) {
    self.hello = hello
    self.session = session
    self.heardUpTo = heardUpTo
    since = now
    lastHeard = now
    progressedAt = now
    busySince = now
  }

  /// How messages name it.
  var name: String { "\(hello.isRelay ? "relay" : "worker") \(hello.host)/\(hello.processID)" }

  /// Compute threads: its own, or those of the workers behind it.
  var threads: Int { hello.isRelay ? crew.threads : hello.threads }

  /// Workers that it stands for.
  var workerCount: Int { hello.isRelay ? crew.workers : 1 }

  /// Tiles that it was given to compute and has not answered for.
  var tilesInHand: Int { assignments.reduce(0) { $0 + ($1.gathered == nil ? $1.tiles.count : 0) } }

  /// Whether it takes work: a relay without workers does not, nor does who leaves.
  var isOnRoster: Bool { phase == .ready && threads > 0 && !isLeaving }

  /// Whether the process may be a child of this coordinator.
  var isLocalChild: Bool { hello.isLocalChild }
}

/// A contiguous range of tiles in one worker's hands; or what is asked of the sums that it holds.
struct Assignment: Sendable, Equatable {
  let number: UInt64
  let job: UInt64
  /// The piece of work that it is a copy of: the number of the first assignment of it.
  let piece: UInt64
  let kind: UInt8
  /// Of sums that are gathered: from the first to the last.
  let tiles: Range<Int>
  let subtrees: [Subtree]
  /// Numbers in its result.
  let width: Int
  /// Estimated floating-point operations.
  let cost: Double
  var role = Work.Role.answer
  var sentAt: Instant

  /// Bytes of sums in its answer.
  var answerBytes: Int { role == .hold ? 0 : width * 8 }
  /// Assignments whose sums it gathers; nil when it is to be computed itself.
  var gathered: [UInt64]? { role.gathering?.assignments }
}
