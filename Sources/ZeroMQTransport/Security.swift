/// What a coordinator needs to take encrypted connections: its own keys, and whom it knows.
public struct CoordinatorSecurity: Hashable, Sendable {
  /// A worker that may connect.
  public struct AuthorizedWorker: Hashable, Sendable {
    public let key: CurveKey
    /// For messages; may be empty.
    public let name: String

    public init(key: CurveKey, name: String = "") {
      self.key = key
      self.name = name
    }
  }

  public let keys: CurveKeyPair
  public let workers: [AuthorizedWorker]

  public init(keys: CurveKeyPair, workers: [AuthorizedWorker]) {
    self.keys = keys
    self.workers = workers
  }
}

/// What a worker needs to connect to an encrypted door: its own keys, and the coordinator's public one.
public struct WorkerSecurity: Hashable, Sendable {
  public let keys: CurveKeyPair
  public let coordinator: CurveKey

  public init(keys: CurveKeyPair, coordinator: CurveKey) {
    self.keys = keys
    self.coordinator = coordinator
  }
}

/// Why a worker's connection does not come about.
public struct ConnectionRefusal: Error, Hashable, Sendable {
  public enum Cause: Hashable, Sendable {
    /// The coordinator does not know this worker's key.
    case keyNotAllowed
    /// The coordinator wants keys, and the worker has none.
    case keysWanted
    /// The worker has keys, and the endpoint takes none.
    case keysNotWanted
    /// The coordinator breaks off the handshake again and again, and a client is told no more: with keys, most likely
    /// because the worker has another public key of the coordinator than the coordinator's. When only one side has
    /// keys this may come first, too, before an attempt shows it.
    case handshakeBroken
    /// What answers does not speak the protocol.
    case notZeroMQ
  }

  public let cause: Cause
  /// A sentence for the user, with what to do.
  public let message: String

  /// Whether trying again is pointless. Otherwise the socket goes on trying.
  public var isFinal: Bool {
    switch cause {
    case .keyNotAllowed, .keysWanted, .keysNotWanted: true
    case .handshakeBroken, .notZeroMQ: false
    }
  }

  init(_ cause: Cause, endpoint: String, security: WorkerSecurity?) {
    self.cause = cause
    switch cause {
    case .keyNotAllowed:
      message =
        "the coordinator at \(endpoint) does not know this worker's key: add the line '\(security?.keys.public.text ?? "")' "
        + "to its authorized_workers and start the fit again"
    case .keysWanted:
      message = "the coordinator at \(endpoint) wants keys: give this worker the key folder (--keys DIR)"
    case .keysNotWanted:
      message =
        "the coordinator at \(endpoint) takes no keys there: start it with its key folder (--keys DIR), or this worker "
        + "without"
    case .handshakeBroken:
      message =
        security == nil
        ? "what answers at \(endpoint) breaks off every handshake: is it an isomix coordinator, and does it want "
          + "keys (--keys DIR)?"
        : "what answers at \(endpoint) breaks off every handshake: is coordinator.public in the key folder the key "
          + "of this coordinator, and does it use keys there?"
    case .notZeroMQ:
      message = "what answers at \(endpoint) does not speak isomix's protocol: is the port right?"
    }
  }
}
