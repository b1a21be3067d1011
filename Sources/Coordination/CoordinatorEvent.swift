import Wire

/// What happens to a coordinator.
public enum CoordinatorEvent: Sendable {
  case received(PeerID, Message)
  /// A part of a message that is not complete yet came: slow, but alive.
  case heard(PeerID)
  /// A peer sent more than it may (any more); it was left away.
  case unwanted(PeerID)
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
  /// A relay's own coordinator has begun a job, of which portions will come: the job before it is let go.
  case open(Job)
  /// Some subtrees of the open job are wanted, under a number.
  case add(portion: UInt64, subtrees: [Subtree])
  /// Portions are not wanted any more.
  case cancel([UInt64])
  /// A part of a file was read, as ``CoordinatorAction/readShard(_:)`` asks.
  case shardRead(ShardRead, ShardContent)
  /// The run is over; tell everyone.
  case end(exitCode: Int32, message: String)
}

/// What a coordinator wants done.
public enum CoordinatorAction: Sendable {
  case send(PeerID, Message)
  /// Every tile of the job is reduced: the sums of its blocks, in order.
  case completed([[Double]])
  /// A portion of an open job is reduced: one sum for each of its subtrees, in order; with the seconds that they would
  /// have taken on all threads together.
  case portionCompleted(UInt64, sums: [[Double]], seconds: Double)
  /// A portion that was added is none of the open job's.
  case portionRefused(UInt64)
  /// For a relay: what its own coordinator is to know of a worker.
  case crew(CrewNotice)
  /// Read a part of a file of the fit's data, and answer with ``CoordinatorEvent/shardRead(_:_:)``.
  case readShard(ShardRead)
  /// The run can't go on.
  case failed(RunFailure)
  case log(LogLevel, String)
  /// Forget what is known of a peer's stream, and take nothing more from it.
  case drop(PeerID)
}

public enum LogLevel: String, Sendable { case info, warning, error }
