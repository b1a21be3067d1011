import CZeroMQ
import Glibc
import Wire

/// The coordinator's end: ROUTER sockets that workers connect to.
///
/// There are up to three of them, called doors: a plain one; one for the coordinator's own child processes, so that
/// nobody else can pass for one; and with keys an encrypted one (CURVE), which lets in only workers whose keys are
/// authorized. They look like one to the caller.
///
/// Belongs to the thread that made it.
public final class CoordinatorSocket {
  /// A peer as this socket numbers it: the door in the high 32 bits, libzmq's routing id in the low ones.
  public typealias Peer = UInt64

  /// What came in.
  public enum Incoming {
    case message(Peer, Message)
    /// A part of a message that is not complete yet.
    case part(Peer)
    /// More bulk than the peer may send now; it was left away.
    case unwanted(Peer)
    case malformed(Peer, WireError)
  }

  private let context: TransportContext
  private let doors: [Door]
  private let authenticator: Authenticator?
  private var connectionGuard: ConnectionGuard?
  private var monitors: [SocketMonitor] = []
  private var nextDoor = 0
  private var notes = NoteLimiter()
  private var assemblers: [Peer: MessageAssembler] = [:]
  private var dropped: Set<Peer> = []
  /// The same peers, oldest first.
  private var droppedOrder: [Peer] = []
  private var sharedBulk = SharedBulk()
  public private(set) var bytesSent: UInt64 = 0
  public private(set) var bytesReceived: UInt64 = 0

  /// Opens the doors; with keys, the authenticator answers before this returns.
  public init(_ context: TransportContext, security: CoordinatorSecurity? = nil) throws {
    self.context = context
    let plain = try Door(context, number: 0, keys: nil)
    let local = try Door(context, number: Door.localNumber, keys: nil)
    guard let security else {
      (doors, authenticator) = ([plain, local], nil)
      return
    }
    let authenticator = try Authenticator(context, workers: security.workers)
    do {
      doors = [plain, try Door(context, number: 1, keys: security.keys), local]
    } catch {
      authenticator.stop()
      throw error
    }
    self.authenticator = authenticator
  }

  deinit {
    // The I/O thread tells the monitors what happens: they end first, then who reads them, then the doors.
    for monitor in monitors { monitor.stop() }
    connectionGuard?.stop()
    for door in doors { door.socket.close() }
    authenticator?.stop()
  }

  /// Listens on an endpoint and returns it with the port that the system chose.
  ///
  /// - Parameter encrypted: whether workers need keys there.
  /// - Throws: ``TransportError``; a path too long for a socket is named as such.
  public func bind(_ endpoint: String, encrypted: Bool = false) throws -> String {
    guard let door = doors.first(where: { $0.isEncrypted == encrypted && !$0.isLocal }) else {
      throw TransportError(
        message: "can't listen on \(endpoint) with encryption: there are no keys", number: EINVAL)
    }
    if endpoint.hasPrefix("tcp://") { try startGuard() }
    return try bind(endpoint, at: door)
  }

  /// Listens for the coordinator's own child processes, at an ipc endpoint that only this user can reach.
  public func bindForChildren(_ endpoint: String) throws -> String {
    guard endpoint.hasPrefix("ipc://"), let door = doors.first(where: \.isLocal) else {
      throw TransportError(message: "\(endpoint) is no place for child processes", number: EINVAL)
    }
    return try bind(endpoint, at: door)
  }

  /// Whether a peer has come through the door of child processes.
  public func isChild(_ peer: Peer) -> Bool { Int(peer >> 32) == Door.localNumber }

  private func bind(_ endpoint: String, at door: Door) throws -> String {
    if endpoint.hasPrefix("ipc://"), endpoint.utf8.count - 6 > TransportLimits.ipcPath_bytes {
      throw TransportError(
        message: "the socket path \(endpoint.dropFirst(6)) is over \(TransportLimits.ipcPath_bytes) bytes: "
          + "set TMPDIR to a shorter path", number: ENAMETOOLONG)
    }
    try door.socket.bind(endpoint)
    return try door.socket.lastEndpoint()
  }

  private func startGuard() throws {
    guard connectionGuard == nil else { return }
    let guarding = try ConnectionGuard(limits: CoordinatorSocket.connectionLimits())
    // In the order of the doors' numbers.
    let monitors = try doors.filter { !$0.isLocal }.map { try SocketMonitor($0.socket, context: context) }
    self.monitors = monitors
    try guarding.start(monitors: monitors)
    connectionGuard = guarding
  }

  /// As many connections as there are descriptors to spare: libzmq ends the process or spins when they run out.
  private static func connectionLimits() -> ConnectionTable.Limits {
    var limits = ConnectionTable.Limits()
    var descriptors = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors) == 0 else { return limits }
    let spare = Int(clamping: descriptors.rlim_cur) - TransportLimits.reservedDescriptors
    limits.connections = max(16, min(limits.connections, spare / 2))
    limits.strangers = max(8, min(limits.strangers, limits.connections / 2))
    return limits
  }

  /// For `poll`: something can be read when any of them is readable.
  public var pollHandles: [UnsafeMutableRawPointer] { doors.map(\.socket.pointer) }

  /// Reads what has arrived, up to a limit a turn, from the doors in turn; returns whether there may be more.
  ///
  /// - Parameter bulkLimit: bytes of bulk that a peer may send in one message now.
  public func drain(bulkLimit: (Peer) -> Int, _ body: (Incoming) -> Void) throws -> Bool {
    var emptyDoors = 0
    for _ in 0..<TransportLimits.messagesPerTurn {
      var incoming: Incoming?
      while emptyDoors < doors.count {
        let door = doors[nextDoor]
        nextDoor = (nextDoor + 1) % doors.count
        let isReceived = try door.socket.receive(
          keeping: WireLimits.framesPerMessage + 1, withDescriptor: connectionGuard != nil
        ) { received in
          bytesReceived += received.traffic.payloadBytes
          let peer = received.frames.first.flatMap(door.peer)
          // Told before anybody acts on the message: the peer may send more in answer to that.
          if let connectionGuard, !door.isLocal, let descriptor = received.descriptor {
            let id = ConnectionTable.ID(door: door.number, descriptor: descriptor)
            connectionGuard.deliver(door.wireBytes(received), from: peer, over: id)
          }
          guard let peer else { return }
          incoming = accept(received.frames, count: received.frameCount, from: peer, bulkLimit: bulkLimit)
        }
        if isReceived {
          emptyDoors = 0
          break
        }
        emptyDoors += 1
      }
      guard emptyDoors < doors.count else { return false }
      if let incoming { body(incoming) }
    }
    return true
  }

  private func accept(
    _ frames: [UnsafeRawBufferPointer], count: Int, from peer: Peer, bulkLimit: (Peer) -> Int
  ) -> Incoming? {
    guard !dropped.contains(peer) else { return nil }
    do throws(WireError) {
      guard count == WireLimits.framesPerMessage + 1 else {
        throw WireError(
          .malformed, "a message has \(WireLimits.framesPerMessage) frames, this one \(count - 1)")
      }
      guard assemblers[peer] != nil || assemblers.count < WireLimits.peers else { return nil }
      let limit = bulkLimit(peer)
      assemblers[peer, default: MessageAssembler(bulkLimit: limit)].bulkLimit = limit
      guard let message = try assemblers[peer]?.accept(Array(frames.dropFirst())) else { return .part(peer) }
      return .message(peer, message)
    } catch {
      if error.code == .unwanted { return .unwanted(peer) }
      assemblers.removeValue(forKey: peer)
      return .malformed(peer, error)
    }
  }

  /// Takes nothing more from a peer, forgets its stream, and ends its connection when what was sent to it last has had
  /// some time to leave: else what it does not read would be held for as long as it likes.
  public func drop(_ peer: Peer) {
    assemblers.removeValue(forKey: peer)
    connectionGuard?.dismiss(peer)
    guard dropped.insert(peer).inserted else { return }
    droppedOrder.append(peer)
    if droppedOrder.count > WireLimits.peers { dropped.remove(droppedOrder.removeFirst()) }
  }

  /// Sends a message without waiting. A bulk that is the same array as the one before is not copied again.
  ///
  /// - Parameter allowance: bytes of results that the peer may send from now on, when the message changes that:
  ///   set before the message leaves, so that no answer can be faster.
  /// - Returns: false when the peer can't be reached or does not take what is sent.
  public func send(_ message: Message, to peer: Peer, allowance: Int? = nil) throws -> Bool {
    guard let door = doors.first(where: { $0.number == Int(peer >> 32) }) else { return false }
    if let allowance { connectionGuard?.set(allowance, for: peer) }
    let encoded = message.encoded()
    // A part of a file is one peer's; what many get is not to be copied anew after each.
    let shared = encoded.header.kind == .shardPart ? nil : try sharedBulk.frames(of: encoded.bulk)
    guard try door.send(encoded, shared: shared, to: peer) else { return false }
    bytesSent += UInt64(encoded.byteCount)
    return true
  }

  /// Tells the connection guard what each peer may have under way, and returns what it has to say for the log, a few
  /// sentences a minute. To be called every 100 ms or so.
  ///
  /// The guard closes connections that sent more than they may: a peer whose messages nobody waits for can't fill
  /// the memory with them.
  ///
  /// - Parameter allowance: bytes of results that a peer may have under way: for all its assignments that it has not
  ///   answered, also those that nobody waits for any more. Nil for a stranger; peers that were welcomed are none.
  public func guardConnections(allowance: (Peer) -> Int?) -> [String] {
    let mine = connectionGuard?.update(allowance) ?? []
    let theirs = authenticator?.takeNotes() ?? []
    return notes.admit(mine + theirs, now_ms: MonotonicTime.now_ms)
  }

  /// What the doors have seen.
  public var connectionStatistics: ConnectionStatistics {
    var statistics = connectionGuard?.statistics ?? ConnectionStatistics()
    statistics.refusedKeys = authenticator?.refusedCount ?? 0
    return statistics
  }

  /// Ends the authenticator, to prove that nobody is let in without it.
  package func stopAuthenticator() { authenticator?.stop() }
}
