import CZeroMQ
import Glibc
import Wire

/// The worker's end: a DEALER that connects to one coordinator.
///
/// Cheap to close and make anew, which is how a worker starts from a clean state. Belongs to the thread that made
/// it.
public final class WorkerSocket {
  /// What came in.
  public enum Incoming {
    case message(Message)
    /// A part of a message that is not complete yet.
    case part
    case malformed(WireError)
    /// The connection does not come about.
    case refused(ConnectionRefusal)
  }

  private let socket: Socket
  private let monitor: SocketMonitor
  private let endpoint: String
  private let security: WorkerSecurity?
  private var assembler = MessageAssembler(bulkLimit: WireLimits.bulkBytes)
  private var brokenHandshakes = 0
  private var isClosed = false

  /// Connects to an endpoint; the connection is made in the background.
  ///
  /// - Parameter security: keys, for an encrypted door.
  public init(_ context: TransportContext, endpoint: String, security: WorkerSecurity? = nil) throws {
    self.endpoint = endpoint
    self.security = security
    socket = try Socket(context, type: ZMQ_DEALER)
    if let security {
      try socket.set(ZMQ_CURVE_SERVERKEY, text: security.coordinator.text)
      try socket.set(ZMQ_CURVE_PUBLICKEY, text: security.keys.public.text)
      try socket.set(ZMQ_CURVE_SECRETKEY, text: security.keys.secret.text)
    }
    monitor = try SocketMonitor(socket, context: context)
    try socket.connect(endpoint)
  }

  deinit { close() }

  /// Closes the connection as at a normal end: what was sent still leaves in the background, for two seconds at
  /// most.
  public func close() { close(linger_ms: Int(TransportLimits.linger_ms)) }

  /// Closes the connection. What was sent still leaves in the background for as long as is said here: 0 for a
  /// connection that is abandoned.
  public func close(linger_ms: Int) {
    guard !isClosed else { return }
    isClosed = true
    monitor.stop()
    try? socket.set(ZMQ_LINGER, Int32(clamping: linger_ms))
    socket.close()
  }

  /// For `poll`: messages, and what becomes of the connection. Both are read by `drain`.
  public var pollHandles: [UnsafeMutableRawPointer] { isClosed ? [] : [socket.pointer, monitor.pollHandle] }

  /// Reads what has arrived, up to a limit a turn; returns whether there may be more.
  public func drain(_ body: (Incoming) -> Void) throws -> Bool {
    guard !isClosed else { return false }
    while let event = try monitor.next() {
      if let refusal = refusal(event) { body(.refused(refusal)) }
    }
    for _ in 0..<TransportLimits.messagesPerTurn {
      var incoming: Incoming?
      let isReceived = try socket.receive(keeping: WireLimits.framesPerMessage) { received in
        do throws(WireError) {
          guard received.frameCount == WireLimits.framesPerMessage else {
            throw WireError(
              .malformed,
              "a message has \(WireLimits.framesPerMessage) frames, this one \(received.frameCount)")
          }
          incoming = try assembler.accept(received.frames).map { .message($0) } ?? .part
        } catch {
          incoming = .malformed(error)
        }
      }
      guard isReceived else { return false }
      if let incoming { body(incoming) }
    }
    return true
  }

  /// What an event says about why there is no connection.
  private func refusal(_ event: SocketMonitor.Event) -> ConnectionRefusal? {
    var cause: ConnectionRefusal.Cause?
    switch event {
    case .handshakeSucceeded: brokenHandshakes = 0
    case .handshakeRefused(let status) where (400..<500).contains(status): cause = .keyNotAllowed
    case .handshakeFailed(let error) where error == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
      cause = security == nil ? .keysWanted : .keysNotWanted
    case .handshakeFailed: cause = .notZeroMQ
    // A coordinator whose authenticator fails says 500 or nothing: it may recover.
    case .handshakeRefused, .handshakeBroken:
      brokenHandshakes += 1
      if brokenHandshakes == TransportLimits.brokenHandshakes { cause = .handshakeBroken }
    case .accepted, .connected, .disconnected, .stopped, .other: break
    }
    return cause.map { ConnectionRefusal($0, endpoint: endpoint, security: security) }
  }

  /// Sends a message; each of its parts waits a little while the queue is full.
  ///
  /// - Returns: false when nobody takes it.
  public func send(_ message: Message) throws -> Bool {
    guard !isClosed else { return false }
    let encoded = message.encoded()
    for part in 0..<encoded.partCount {
      var attempts = 0
      while !send(encoded, part: part) {
        attempts += 1
        guard attempts < TransportLimits.sendAttempts else { return false }
        usleep(TransportLimits.sendPause_us)
      }
    }
    return true
  }

  /// Sends one part without waiting. A full queue shows at the first frame, so that a part is sent whole or not
  /// at all.
  private func send(_ encoded: EncodedMessage, part: Int) -> Bool {
    let header = encoded.header(part: part).encoded()
    let body = part == 0 ? encoded.body : []
    var status = header.withUnsafeBytes { socket.send($0, more: true) }
    if status == 0 { status = body.withUnsafeBytes { socket.send($0, more: true) } }
    if status == 0 {
      status = encoded.bulk.withUnsafeBytes { bytes in
        socket.send(UnsafeRawBufferPointer(rebasing: bytes[encoded.bulkRange(part: part)]), more: false)
      }
    }
    return status == 0
  }
}
