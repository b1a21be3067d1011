/// Socket options as numbers with names and units.
enum TransportLimits {
  /// Messages queued for one peer before sends fail.
  static let highWaterMark_messages: Int32 = 100_000
  /// How long a closing socket still tries to send.
  static let linger_ms: Int32 = 2_000
  /// How long a peer may take for the ZMTP handshake.
  static let handshake_ms: Int32 = 5_000
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
}
