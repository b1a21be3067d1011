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
  case log(LogLevel, String)
  /// End the process.
  case exit(code: Int32, message: String)
}
