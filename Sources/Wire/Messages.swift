/// What a message is. Raw values are on the wire and never change their meaning.
public enum MessageKind: UInt16, Hashable, Sendable, CaseIterable {
  case hello = 1
  case welcome = 2
  case refused = 3
  case ready = 4
  case work = 5
  case result = 6
  case beat = 7
  case failure = 8
  case goodbye = 9
  case registerAgain = 10
  case handBack = 11
  case crew = 12
  case shardRequest = 13
  case shardPart = 14
  case shardReceived = 15
  case shardRefused = 16
}

/// One message between a coordinator and a worker, or a relay in the place of either.
public struct Message: Hashable, Sendable {
  public var run: RunID
  public var epoch: UInt64
  /// Which registration of the worker it belongs to; 0 before a welcome.
  public var session: UInt32
  public var content: Content

  public init(run: RunID, epoch: UInt64, session: UInt32 = 0, content: Content) {
    self.run = run
    self.epoch = epoch
    self.session = session
    self.content = content
  }

  public enum Content: Hashable, Sendable {
    /// Worker → coordinator, first message: who I am.
    case hello(Hello)
    /// Coordinator → worker: the run and everything needed to compute for it (bulk: set-up).
    case welcome(Welcome)
    /// Coordinator → worker: you can't join, and why.
    case refused(Refusal)
    /// Worker → coordinator: set-up done, data verified, work can come.
    case ready(Ready)
    /// Coordinator → worker: compute these subtrees (bulk: the context if it is new to the worker; then the job's
    /// state, with the job's first assignment).
    case work(Work)
    /// Worker → coordinator: sums of the subtrees (bulk: float64 numbers, subtree after subtree).
    case result(WorkResult)
    /// Both ways, every second or so: I am alive, and how far I am.
    case beat(Beat)
    /// Worker → coordinator: I can't go on, and why.
    case failure(WorkerFailure)
    /// Both ways: I leave.
    case goodbye(Goodbye)
    /// Coordinator → worker: I don't know you (any more); say hello again.
    case registerAgain
    /// Relay → coordinator: I shall not answer this assignment.
    case handBack(HandBack)
    /// Relay → coordinator: what happened to a worker behind me.
    case crew(CrewNotice)
    /// Worker → coordinator: send me a part of a file of the fit's data.
    case shardRequest(ShardRequest)
    /// Coordinator → worker: a part of a file (bulk: its bytes).
    case shardPart(ShardPart)
    /// Worker → coordinator: I have read a part; its ticket.
    case shardReceived(ticket: UInt64)
    /// Coordinator → worker: you can't have that part, and why.
    case shardRefused(ShardRefusal)
  }

  public var kind: MessageKind {
    switch content {
    case .hello: .hello
    case .welcome: .welcome
    case .refused: .refused
    case .ready: .ready
    case .work: .work
    case .result: .result
    case .beat: .beat
    case .failure: .failure
    case .goodbye: .goodbye
    case .registerAgain: .registerAgain
    case .handBack: .handBack
    case .crew: .crew
    case .shardRequest: .shardRequest
    case .shardPart: .shardPart
    case .shardReceived: .shardReceived
    case .shardRefused: .shardRefused
    }
  }
}

/// Who a worker is and what it runs.
public struct Hello: Hashable, Sendable, Codable {
  /// Made anew by every worker process.
  public var worker: String
  /// Counts the registrations of this process.
  public var incarnation: Int
  public var host: String
  public var processID: Int
  public var threads: Int
  /// Version of the software.
  public var version: String
  /// Digest of the executable.
  public var build: String
  /// Digest of the numerics fingerprint: equal ones compute equal bits.
  public var fingerprint: String
  /// The fingerprint in words (BLAS core, kernel variant), for messages.
  public var numerics: String
  /// Whether the coordinator started the process itself.
  public var isLocalChild: Bool
  /// Whether it computes nothing itself, but passes work on to workers of its own. Their number and threads come with
  /// `ready` and with every beat.
  public var isRelay: Bool
  /// The processors that it runs on; nil when it can't tell.
  public var processors: Processors?

  public init(
    worker: String, incarnation: Int, host: String, processID: Int, threads: Int, version: String,
    build: String, fingerprint: String, numerics: String, isLocalChild: Bool, isRelay: Bool = false,
    processors: Processors? = nil
  ) {
    self.worker = worker
    self.incarnation = incarnation
    self.host = host
    self.processID = processID
    self.threads = threads
    self.version = version
    self.build = build
    self.fingerprint = fingerprint
    self.numerics = numerics
    self.isLocalChild = isLocalChild
    self.isRelay = isRelay
    self.processors = processors
  }
}

/// The processors that a process may run on. Processes of one set take turns on them.
public struct Processors: Hashable, Sendable, Codable {
  /// Names the set: the same name from processes that share it, another one on every other machine.
  public var set: String
  public var count: Int

  public init(set: String, count: Int) {
    self.set = set
    self.count = count
  }
}

/// The set-up of a run, as an opaque document with its digest.
public struct Welcome: Hashable, Sendable {
  /// How often both sides send a beat.
  public var beatInterval_ms: Int
  /// After how much silence the other side is given up.
  public var silenceLimit_ms: Int
  /// The incarnation of the hello that is answered.
  public var incarnation: Int
  public var setup: [UInt8]
  /// The coordinator's numerics, so that a relay can tell which workers it may take.
  public var numerics: Numerics

  /// Digest of a numerics fingerprint, the fingerprint in words, and whether others are taken too.
  public struct Numerics: Hashable, Sendable, Codable {
    public var fingerprint: String
    public var words: String
    public var isMixed: Bool

    public init(fingerprint: String, words: String, isMixed: Bool) {
      self.fingerprint = fingerprint
      self.words = words
      self.isMixed = isMixed
    }
  }

  public init(
    beatInterval_ms: Int, silenceLimit_ms: Int, incarnation: Int, setup: [UInt8],
    numerics: Numerics = Numerics(fingerprint: "", words: "", isMixed: false)
  ) {
    self.beatInterval_ms = beatInterval_ms
    self.silenceLimit_ms = silenceLimit_ms
    self.incarnation = incarnation
    self.setup = setup
    self.numerics = numerics
  }
}

/// Why a worker can't join.
public struct Refusal: Hashable, Sendable, Codable {
  public enum Reason: String, Hashable, Sendable, Codable {
    case version
    case build
    case numerics
    case data
    case full
    case invalid
  }

  public var reason: Reason
  public var message: String

  public init(reason: Reason, message: String) {
    self.reason = reason
    self.message = message
  }
}

/// A worker's set-up is done.
public struct Ready: Hashable, Sendable, Codable {
  /// Digest of the set-up it built, to be compared.
  public var setupDigest: String
  /// Digest of the data it opened; empty for targets without data.
  public var dataDigest: String
  /// From a relay: the workers behind it, and their threads.
  public var crew: Crew

  public init(setupDigest: String, dataDigest: String, crew: Crew = Crew()) {
    self.setupDigest = setupDigest
    self.dataDigest = dataDigest
    self.crew = crew
  }
}

/// The workers behind a relay that are ready, and their threads in all; zeros from a worker.
public struct Crew: Hashable, Sendable, Codable {
  public var workers: Int
  public var threads: Int

  public init(workers: Int = 0, threads: Int = 0) {
    self.workers = workers
    self.threads = threads
  }
}

/// An assignment that a relay gives up: nobody behind it can compute it any more, or another job has begun.
public struct HandBack: Hashable, Sendable {
  public var job: UInt64
  public var assignment: UInt64

  public init(job: UInt64, assignment: UInt64) {
    self.job = job
    self.assignment = assignment
  }
}

/// What happened to a worker behind a relay: the coordinator counts and names it as one of its own.
public struct CrewNotice: Hashable, Sendable, Codable {
  public enum Kind: String, Hashable, Sendable, Codable {
    /// It registered, or came back.
    case joined
    /// It was lost; over the tiles named, if any.
    case lost
    /// It left in good order, or could not join.
    case left
    /// Something to be said in the fit's log.
    case warning
    /// The run can't go on.
    case fatal
  }

  public var kind: Kind
  /// The worker's own name; empty where the notice is about none.
  public var worker: String
  /// What happened, in words.
  public var text: String
  /// The job that it happened in, 0 outside of one.
  public var job: UInt64
  /// The tiles that the worker had, in the job's order.
  public var firstTile: Int
  public var tileCount: Int
  /// Whether the worker may only have been cut off.
  public var maybeAlive: Bool
  /// What it said of itself (sysexits), 0 for nothing.
  public var exitCode: Int32

  public init(
    kind: Kind, worker: String = "", text: String, job: UInt64 = 0, firstTile: Int = 0, tileCount: Int = 0,
    maybeAlive: Bool = false, exitCode: Int32 = 0
  ) {
    self.kind = kind
    self.worker = worker
    self.text = text
    self.job = job
    self.firstTile = firstTile
    self.tileCount = tileCount
    self.maybeAlive = maybeAlive
    self.exitCode = exitCode
  }
}

/// One aligned subtree of one block's reduction tree.
public struct Subtree: Hashable, Sendable {
  public var block: UInt32
  public var level: UInt8
  public var index: UInt64

  public init(block: UInt32, level: UInt8, index: UInt64) {
    self.block = block
    self.level = level
    self.index = index
  }
}

/// An assignment: subtrees of one job.
public struct Work: Hashable, Sendable {
  /// What is to become of the sums of an assignment.
  public enum Role: Hashable, Sendable {
    /// Compute them and send them.
    case answer
    /// Compute them, say so by a result without sums, and hold them until they are asked for.
    case hold
    /// Compute nothing: send sums that are made of those that are held.
    case gather(Gathering)

    /// What the sums are made of; nil when they are to be computed.
    public var gathering: Gathering? { if case .gather(let gathering) = self { gathering } else { nil } }
  }

  /// What sums are made of.
  public struct Gathering: Hashable, Sendable {
    /// The assignments whose sums are held: the subtrees cover what these do, no more and no less.
    public var assignments: [UInt64]
    /// The numbers in a sum of each block that the subtrees are of, in the order in which they name the blocks.
    public var widths: [Int]

    public init(assignments: [UInt64], widths: [Int]) {
      self.assignments = assignments
      self.widths = widths
    }

    /// The blocks that some subtrees are of, in the order in which they name them; those of a block follow each other.
    public static func blocks(of subtrees: [Subtree]) -> [UInt32] {
      var blocks: [UInt32] = []
      for subtree in subtrees where blocks.last != subtree.block { blocks.append(subtree.block) }
      return blocks
    }
  }

  /// Counts the jobs of an epoch.
  public var job: UInt64
  /// Counts the assignments of an epoch.
  public var assignment: UInt64
  /// What kind of job, as the fit numbers them.
  public var jobKind: UInt8
  /// The iteration whose noise is to be used.
  public var iteration: UInt64
  public var subtrees: [Subtree]
  /// The job's state, or nil when the worker has it from an earlier assignment of the same job.
  public var state: [UInt8]?
  /// The context that the job needs; 0 for none.
  public var context: UInt64
  /// The context itself, or nil when the worker has it from an earlier assignment.
  public var contextBytes: [UInt8]?
  public var role: Role

  public init(
    job: UInt64, assignment: UInt64, jobKind: UInt8, iteration: UInt64, subtrees: [Subtree], state: [UInt8]?,
    context: UInt64 = 0, contextBytes: [UInt8]? = nil, role: Role = .answer
  ) {
    self.job = job
    self.assignment = assignment
    self.jobKind = jobKind
    self.iteration = iteration
    self.subtrees = subtrees
    self.state = state
    self.context = context
    self.contextBytes = contextBytes
    self.role = role
  }
}

/// The sums of an assignment's subtrees.
public struct WorkResult: Hashable, Sendable {
  public var job: UInt64
  public var assignment: UInt64
  /// Wall-clock seconds that the worker computed.
  public var computeSeconds: Double
  /// Little-endian float64 numbers, subtree after subtree in the assignment's order; none of an assignment whose sums are
  /// held.
  public var sums: [UInt8]

  public init(job: UInt64, assignment: UInt64, computeSeconds: Double, sums: [UInt8]) {
    self.job = job
    self.assignment = assignment
    self.computeSeconds = computeSeconds
    self.sums = sums
  }
}

/// A sign of life, and from a worker what it has of what it was given: so that what was lost on the way is noticed.
public struct Beat: Hashable, Sendable {
  /// From a worker: tiles that the compute loop has finished since it started; stands still when it hangs. From a
  /// coordinator: the number of its next assignment.
  public var progress: UInt64
  /// Whether the worker's set-up is done.
  public var isReady: Bool
  /// Whether parts of a longer message have come, and more of them are on their way.
  public var isReceiving: Bool
  /// Whether the worker leaves: it has nothing but the assignments that it names, takes none, and waits to be asked for
  /// the sums that it holds.
  public var isLeaving: Bool
  /// From a worker: the progress that the coordinator's last beat told it. Messages keep their order, so that
  /// assignments below this number have come, or are lost.
  public var heardUpTo: UInt64
  /// Assignments that the worker has and has not answered.
  public var assignments: [UInt64]
  /// From a relay: the workers behind it.
  public var crew: Crew

  public init(
    progress: UInt64, isReady: Bool = false, isReceiving: Bool = false, isLeaving: Bool = false,
    heardUpTo: UInt64 = 0, assignments: [UInt64] = [], crew: Crew = Crew()
  ) {
    self.progress = progress
    self.isReady = isReady
    self.isReceiving = isReceiving
    self.isLeaving = isLeaving
    self.heardUpTo = heardUpTo
    self.assignments = assignments
    self.crew = crew
  }
}

/// Why a worker can't go on.
public struct WorkerFailure: Hashable, Sendable, Codable {
  /// Exit code (sysexits) that describes the failure best.
  public var exitCode: Int32
  public var message: String
  /// The job and the assignment it happened in, 0 outside of one.
  public var job: UInt64
  public var assignment: UInt64

  public init(exitCode: Int32, message: String, job: UInt64 = 0, assignment: UInt64 = 0) {
    self.exitCode = exitCode
    self.message = message
    self.job = job
    self.assignment = assignment
  }
}

/// The end of a conversation.
public struct Goodbye: Hashable, Sendable, Codable {
  /// 0 when the run ended well.
  public var exitCode: Int32
  public var message: String

  public init(exitCode: Int32, message: String) {
    self.exitCode = exitCode
    self.message = message
  }
}
