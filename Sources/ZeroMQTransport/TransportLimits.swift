import Wire

/// Socket options and bounds as numbers with names and units.
enum TransportLimits {
  /// Messages queued for one peer before sends fail: a whole bulk in parts and some more.
  static let sendQueue_messages = Int32(
    clamping: max(100_000, 2 * WireLimits.bulkBytes / WireLimits.frameBytes))
  /// Messages of one peer that wait to be read, at most. The rest stays in the network, where it costs the sender.
  static let receiveQueue_messages: Int32 = 64
  /// What CURVE adds to a frame, rounded up; counts towards the size of a frame.
  static let encryptionOverhead_bytes = 64
  /// How long a closing socket still tries to send.
  static let linger_ms: Int32 = 2_000
  /// How long a peer may take for the ZMTP handshake.
  static let handshake_ms: Int32 = 5_000
  /// Connections that the system keeps waiting to be accepted.
  static let backlog_connections: Int32 = 1_024
  /// How long TCP retransmits before a connection is given up.
  static let tcpRetransmission_ms: Int32 = 30_000
  static let reconnectMinimum_ms: Int32 = 200
  static let reconnectMaximum_ms: Int32 = 30_000
  /// ZMTP heartbeats only find dead connections; the machines' beats find dead programs.
  static let heartbeatInterval_ms: Int32 = 5_000
  static let heartbeatTimeout_ms: Int32 = 30_000
  /// How long a worker waits for room in its queue; a coordinator that takes nothing is noticed by its silence.
  static let sendAttempts = 200
  static let sendPause_us: UInt32 = 10_000
  /// Physical messages read in one turn, at most.
  static let messagesPerTurn = 256
  /// Longest path of an ipc socket (sockaddr_un), in bytes.
  static let ipcPath_bytes = 107
  /// Handshakes that a coordinator may break off, one after the other, before the worker says so.
  static let brokenHandshakes = 3
  /// Worker keys that a coordinator may know.
  static let authorizedKeys = 65_536
  /// How often connections are looked at. What a peer can send in this time is what it can exceed its allowance by.
  static let guardTurn_ms = 5
  /// Registered connections looked at in one turn; they take turns. Unregistered ones are looked at every time.
  static let guardedPerTurn = 128
  /// How often unused memory is given back after connections were closed, at most.
  static let trimInterval_ms: Int64 = 500
  /// Descriptors that connections leave to the rest of the process.
  static let reservedDescriptors = 256
}
