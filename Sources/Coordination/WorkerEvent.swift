import NumericsKit
import Wire

/// What happens to a worker.
public enum WorkerEvent: Sendable {
  /// The process is up; look for the coordinator.
  case started
  case received(Message)
  /// A part of a message that is not complete yet came: slow, but alive.
  case heard
  case malformed(WireError)
  /// The transport was refused: the keys don't fit.
  case notAuthorised(String)
  /// The set-up is built: its digest and the data's.
  case prepared(setupDigest: String, dataDigest: String)
  /// The set-up can't be built.
  case preparationFailed(RunFailure)
  /// An assignment is computed: its sums as little-endian float64 numbers.
  case computed(assignment: UInt64, sums: [UInt8], seconds: Double)
  /// An assignment can't be computed.
  case computationFailed(assignment: UInt64, RunFailure)
  /// For a relay: the workers behind it, and signs of their computing so far.
  case crewChanged(Crew, progress: UInt64)
  /// For a relay: it gives assignments up.
  case handedBack([UInt64])
  /// For a relay: what its coordinator is to know of a worker.
  case told(CrewNotice)
  /// Files of the fit's data are needed that are not here.
  case wanted([Digest])
  /// The digest of a file that came was compared.
  case shardChecked(Digest, isWhole: Bool)
  /// Time passes; how many tiles the compute loop has finished so far.
  case tick(progress: UInt64)
  /// The user or the system wants the process to end.
  case stopRequested(String)
}

/// What a worker wants done.
public enum WorkerAction: Sendable {
  /// Open a connection; one that is open is let go with whatever is still to come over it.
  case connect
  case send(Message)
  /// Build what the set-up describes.
  case prepare(setup: [UInt8])
  /// Compute an assignment; assignments are computed one after the other, in this order.
  case compute(Computation)
  /// Forget these assignments, whether they wait or are being computed: nobody wants their results.
  case forget([UInt64])
  /// Do something about a file that comes.
  case shard(ShardAction)
  /// Tell whoever started the process.
  case note(String)
  /// End the process.
  case exit(code: Int32, message: String)
}

/// One assignment as the compute loop takes it.
public struct Computation: Sendable {
  public var assignment: UInt64
  /// Names the job over all coordinators and registrations that the worker has seen.
  public var job: JobKey
  public var jobKind: UInt8
  public var iteration: Int
  public var subtrees: [Subtree]
  /// The job's state, when it is new.
  public var state: [UInt8]?
  /// The context that the job needs, 0 for none, and the context itself when it is new.
  public var context: UInt64
  public var contextBytes: [UInt8]?
}

/// A job of one coordinator's epoch.
public struct JobKey: Hashable, Sendable {
  public var epoch: UInt64
  public var session: UInt32
  public var number: UInt64

  public init(epoch: UInt64, session: UInt32, number: UInt64) {
    self.epoch = epoch
    self.session = session
    self.number = number
  }
}
