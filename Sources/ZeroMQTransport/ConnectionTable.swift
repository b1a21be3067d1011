/// Which connections a coordinator has, what each has sent, and which of them have to go.
///
/// A pure value: it is told what happened and says which connections to close.
///
/// **Why.** libzmq keeps the parts of a message until the last one has come, whatever its limits say, so a peer
/// that sends parts without end fills the memory; and each connection costs memory and a descriptor before its
/// peer has said who it is. Only the system knows how many bytes a connection has brought.
///
/// **The bound.** For a connection, let *received* be the bytes that the system has received over it and
/// *delivered* the bytes on the wire of the messages that libzmq has handed to us. What libzmq and the system hold
/// for it — parts of an unfinished message, messages that wait to be read — is at most `received − delivered`.
/// The difference also holds what is never delivered as a message: the handshake (about 1 kB) and heartbeats.
/// That grows without being held, so it is forgotten now and then: when the difference is at most
/// ``Limits/settled_bytes`` and at least as much has been delivered since it was forgotten last. Bytes come in
/// order, so by then everything that was wrongly forgotten has been delivered, and at no time is more than
/// `settled_bytes` of held bytes forgotten, or more than that counted as delivered that came before. So what is
/// held is under `allowance + 2 · settled_bytes`, plus what arrives between two checks.
///
/// In memory an empty part of two bytes takes 64 (libzmq's `msg_t`): a peer that is allowed `n` bytes can make
/// libzmq hold up to `32 n`. The allowances are chosen for that.
package struct ConnectionTable: Sendable {
  /// A connection: the door it came through, and its descriptor.
  package struct ID: Hashable, Sendable {
    package var door: Int
    package var descriptor: Int32

    package init(door: Int, descriptor: Int32) {
      self.door = door
      self.descriptor = descriptor
    }
  }

  package struct Limits: Hashable, Sendable {
    /// Connections whose peers have not registered, at most.
    package var strangers: Int
    /// Connections at all, at most.
    package var connections: Int
    /// What one stranger may have under way: a hello has a few kB.
    package var stranger_bytes: UInt64
    /// What all strangers together may have under way.
    package var strangers_bytes: UInt64
    /// What a registered peer may have under way beyond what its assignments allow: beats and other small messages.
    package var slack_bytes: UInt64
    /// How much may be forgotten at once.
    package var settled_bytes: UInt64
    /// How often a connection whose peer was turned away is still looked at before it is closed: about a second.
    package var dismissal_checks: Int

    package init(
      strangers: Int = 512, connections: Int = 16_384, stranger_bytes: UInt64 = 64 << 10,
      strangers_bytes: UInt64 = 1 << 20, slack_bytes: UInt64 = 1 << 20, settled_bytes: UInt64 = 4096,
      dismissal_checks: Int = 400
    ) {
      self.strangers = strangers
      self.connections = connections
      self.stranger_bytes = stranger_bytes
      self.strangers_bytes = strangers_bytes
      self.slack_bytes = slack_bytes
      self.settled_bytes = settled_bytes
      self.dismissal_checks = dismissal_checks
    }
  }

  /// Why a connection is closed.
  package enum Reason: Hashable, Sendable {
    /// It is the oldest of too many whose peers have not registered.
    case tooManyStrangers
    case tooManyConnections
    /// Its peer was turned away.
    case dismissed
    case strangerSentTooMuch(bytes: UInt64)
    case strangersSentTooMuch(bytes: UInt64)
    case peerSentTooMuch(bytes: UInt64, allowed: UInt64)
  }

  package struct Closing: Hashable, Sendable {
    package let connection: ID
    package let reason: Reason
  }

  private enum Standing { case silent, heard, registered, closing }

  private struct Connection {
    var standing = Standing.silent
    /// The peer that the last message came from.
    var peer: UInt64?
    /// When it was accepted, as a count.
    var order: UInt64
    /// Bytes of its results that the peer may have under way.
    var allowed: UInt64 = 0
    /// Bytes that were received when the overhead was last forgotten.
    var baseline: UInt64 = 0
    /// Bytes that were delivered since then.
    var delivered: UInt64 = 0
    var underWay: UInt64 = 0
  }

  private struct Early {
    var peer: UInt64?
    var bytes: UInt64 = 0
    var allowance: Int?
  }

  package let limits: Limits
  private static let mostEarly = 1024
  private var connections: [ID: Connection] = [:]
  /// Those whose peers have not registered.
  private var strangers: Set<ID> = []
  private var registeredCount = 0
  /// What was delivered over connections whose acceptance has not been told yet: messages and news about
  /// connections come over different ways.
  private var early: [ID: Early] = [:]
  /// The connection of each peer that has been heard.
  private var connectionOfPeer: [UInt64: ID] = [:]
  private var accepted: UInt64 = 0
  /// Silent connections, oldest first; entries that are out of date are skipped.
  private var queue: [(id: ID, order: UInt64)] = []
  private var queueStart = 0
  /// Registered connections in the order in which they are looked at.
  private var rotation: [ID] = []
  private var rotationStart = 0
  /// Connections of peers that were turned away, with the checks that are left to each.
  private var dismissals: [(id: ID, order: UInt64, checks: Int)] = []

  package init(limits: Limits = Limits()) { self.limits = limits }

  /// Connections that are open and stay so.
  package var openCount: Int { strangers.count + registeredCount }
  /// Those of them whose peers have not registered.
  package var strangerCount: Int { strangers.count }
  /// Connections that were accepted so far.
  package var acceptedCount: UInt64 { accepted }
  package var isEmpty: Bool { connections.isEmpty }

  /// A connection was accepted. Says which have to go for it.
  package mutating func accept(_ id: ID) -> [Closing] {
    remove(id)
    accepted += 1
    connections[id] = Connection(order: accepted)
    strangers.insert(id)
    queue.append((id, accepted))
    // Bounded, because it can also be the last word of a connection that had this descriptor before.
    if let before = early.removeValue(forKey: id) {
      deliver(min(before.bytes, limits.stranger_bytes), from: before.peer, over: id)
      if let peer = before.peer { set(before.allowance, for: peer) }
    }
    trimQueue()
    var closings: [Closing] = []
    while strangerCount > limits.strangers {
      guard let oldest = oldestStranger() else { break }
      closings.append(close(oldest, .tooManyStrangers))
    }
    if openCount > limits.connections, let oldest = oldestStranger() {
      closings.append(close(oldest, .tooManyConnections))
    }
    return closings
  }

  /// A connection has ended.
  package mutating func remove(_ id: ID) {
    guard let connection = connections.removeValue(forKey: id) else { return }
    early.removeValue(forKey: id)
    strangers.remove(id)
    if connection.standing == .registered { registeredCount -= 1 }
    if let peer = connection.peer, connectionOfPeer[peer] == id { connectionOfPeer.removeValue(forKey: peer) }
  }

  /// A whole message from a peer was delivered over a connection.
  package mutating func deliver(_ bytes: UInt64, from peer: UInt64?, over id: ID) {
    guard var connection = connections[id] else {
      if early.count >= ConnectionTable.mostEarly { early = [:] }
      early[id, default: Early()].bytes += bytes
      early[id]?.peer = peer
      return
    }
    connection.delivered += bytes
    if let peer, connection.peer != peer {
      // A late message of a connection that had this descriptor before can be taken for one of the newcomer's:
      // until its first own message, a registered peer's allowance is then the newcomer's.
      if let before = connection.peer { connectionOfPeer.removeValue(forKey: before) }
      connection.peer = peer
      connection.allowed = 0
      connectionOfPeer[peer] = id
      move(id, &connection, to: .heard)
    }
    if connection.standing == .silent { move(id, &connection, to: .heard) }
    connections[id] = connection
  }

  /// Sets what every peer may have under way; nil for strangers.
  package mutating func setAllowances(_ allowance: (UInt64) -> Int?) {
    for peer in Array(connectionOfPeer.keys) { set(allowance(peer), for: peer) }
    for (id, before) in early { early[id]?.allowance = before.peer.flatMap(allowance) }
  }

  /// Sets what a peer may have under way; nil for a stranger.
  package mutating func set(_ allowance: Int?, for peer: UInt64) {
    if connectionOfPeer[peer] == nil, let id = early.first(where: { $0.value.peer == peer })?.key {
      early[id]?.allowance = allowance
    }
    guard let id = connectionOfPeer[peer], var connection = connections[id], connection.standing != .closing
    else { return }
    let isNew = connection.standing != .registered && allowance != nil
    connection.allowed = UInt64(max(0, allowance ?? 0))
    move(id, &connection, to: allowance == nil ? .heard : .registered)
    connections[id] = connection
    if isNew { rotation.append(id) }
  }

  /// A peer was turned away: it is a stranger from now on, and its connection is closed after some more checks.
  package mutating func dismiss(_ peer: UInt64) {
    set(nil, for: peer)
    guard let id = connectionOfPeer[peer], let connection = connections[id], connection.standing != .closing
    else { return }
    dismissals.append((id, connection.order, limits.dismissal_checks))
  }

  private mutating func closeDismissed() -> [Closing] {
    guard !dismissals.isEmpty else { return [] }
    for index in dismissals.indices { dismissals[index].checks -= 1 }
    let due = dismissals.prefix { $0.checks <= 0 }
    dismissals.removeFirst(due.count)
    // A descriptor may have been used again meanwhile.
    let open = due.filter { dismissed in
      connections[dismissed.id].map { $0.order == dismissed.order && $0.standing != .closing } ?? false
    }
    return open.map { close($0.id, .dismissed) }
  }

  /// Compares what connections have received with what they may, and says which have to go.
  ///
  /// Looks at all strangers, and at `registered` registered connections in turn.
  /// - Parameter received: bytes that the system has received over a connection; nil when it does not know.
  ///   To be asked after everything that was delivered has been told.
  package mutating func check(registered: Int, received: (ID) -> UInt64?) -> [Closing] {
    var closings = closeDismissed()
    var small: [(id: ID, bytes: UInt64, order: UInt64)] = []
    for id in Array(strangers) {
      guard let underWay = measure(id, received) else { continue }
      if underWay > limits.stranger_bytes {
        closings.append(close(id, .strangerSentTooMuch(bytes: underWay)))
      } else {
        small.append((id, underWay, connections[id]?.order ?? 0))
      }
    }
    var total = small.reduce(0) { $0 + $1.bytes }
    if total > limits.strangers_bytes {
      // Those that sent most go first, and of those the oldest.
      small.sort { ($0.bytes, $1.order) > ($1.bytes, $0.order) }
      for stranger in small where total > limits.strangers_bytes {
        closings.append(close(stranger.id, .strangersSentTooMuch(bytes: total)))
        total -= stranger.bytes
      }
    }
    for id in nextRegistered(registered) {
      guard let underWay = measure(id, received), let connection = connections[id] else { continue }
      let allowed = connection.allowed + limits.slack_bytes
      if underWay > allowed {
        closings.append(close(id, .peerSentTooMuch(bytes: underWay, allowed: connection.allowed)))
      }
    }
    return closings.sorted {
      ($0.connection.door, $0.connection.descriptor) < ($1.connection.door, $1.connection.descriptor)
    }
  }

  /// Bytes that a connection has under way; forgets overhead where that is due.
  private mutating func measure(_ id: ID, _ received: (ID) -> UInt64?) -> UInt64? {
    guard let bytes = received(id), var connection = connections[id] else { return nil }
    let settled = connection.baseline + connection.delivered
    connection.underWay = bytes > settled ? bytes - settled : 0
    if connection.underWay <= limits.settled_bytes, connection.delivered >= limits.settled_bytes {
      connection.baseline = bytes
      connection.delivered = 0
    }
    connections[id] = connection
    return connection.underWay
  }

  private mutating func nextRegistered(_ count: Int) -> [ID] {
    var next: [ID] = []
    if rotationStart >= rotation.count {
      var seen: Set<ID> = []
      rotation = rotation.filter { connections[$0]?.standing == .registered && seen.insert($0).inserted }
      rotationStart = 0
    }
    while next.count < count, rotationStart < rotation.count {
      let id = rotation[rotationStart]
      if connections[id]?.standing == .registered { next.append(id) }
      rotationStart += 1
    }
    return next
  }

  private mutating func oldestStranger() -> ID? {
    while queueStart < queue.count {
      let (id, order) = queue[queueStart]
      queueStart += 1
      if let connection = connections[id], connection.order == order, connection.standing == .silent {
        return id
      }
    }
    // Every stranger has said something: rare, so a search does.
    return strangers.min { (connections[$0]?.order ?? 0) < (connections[$1]?.order ?? 0) }
  }

  /// Drops entries of the queue that are out of date, once they are the most.
  private mutating func trimQueue() {
    guard queue.count > 2 * (strangers.count + 512) else { return }
    queue = queue[queueStart...].filter {
      connections[$0.id]?.order == $0.order && connections[$0.id]?.standing == .silent
    }
    queueStart = 0
  }

  private mutating func close(_ id: ID, _ reason: Reason) -> Closing {
    if var connection = connections[id] {
      move(id, &connection, to: .closing)
      connections[id] = connection
    }
    return Closing(connection: id, reason: reason)
  }

  private mutating func move(_ id: ID, _ connection: inout Connection, to standing: Standing) {
    guard connection.standing != .closing else { return }
    if connection.standing == .registered { registeredCount -= 1 }
    connection.standing = standing
    if standing == .registered { registeredCount += 1 }
    if standing == .silent || standing == .heard { strangers.insert(id) } else { strangers.remove(id) }
  }
}
