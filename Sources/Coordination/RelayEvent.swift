import NumericsKit
import Wire

/// What happens to a relay.
public enum RelayEvent: Sendable {
  /// From above: what happens to a worker, except that its set-up is prepared.
  case up(WorkerEvent)
  /// From below: what happens to a coordinator, except that jobs are begun.
  case down(CoordinatorEvent)
  /// The set-up was read: its digest, the data's, and the shapes of its jobs by their kind.
  case prepared(setupDigest: String, dataDigest: String, shapes: [UInt8: JobShape])
  /// The set-up can't be read.
  case preparationFailed(RunFailure)
  /// Files of the fit's data are needed that are not here.
  case wanted([Digest])
  /// A worker wants a part of a file that is not here yet.
  case shardMissing(ShardRead)
  /// The digest of a file that came was compared.
  case shardChecked(Digest, isWhole: Bool)
  /// Time passes.
  case tick
}

/// What a relay wants done.
public enum RelayAction: Sendable {
  /// Open a connection to the coordinator; one that is open is let go with whatever is still to come over it.
  case connect
  case sendUp(Message)
  /// Read what the set-up describes; the data are none of a relay's business.
  case prepare(setup: [UInt8])
  case sendDown(PeerID, Message)
  /// Forget what is known of a worker's stream, and take nothing more from it.
  case drop(PeerID)
  /// Do something about a file that comes.
  case shard(ShardAction)
  /// Read a part of a file for a worker, and answer with ``CoordinatorEvent/shardRead(_:_:)`` from below; or with
  /// ``RelayEvent/shardMissing(_:)``.
  case readShard(ShardRead)
  case log(LogLevel, String)
  /// End the process.
  case exit(code: Int32, message: String)
}
