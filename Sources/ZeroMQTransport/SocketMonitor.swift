import CZeroMQ
import Glibc
import Synchronization

/// What libzmq tells about a socket's connections.
final class SocketMonitor {
  enum Event: Hashable, Sendable {
    case accepted(Int32)
    case connected
    case disconnected(Int32)
    case handshakeSucceeded
    /// With the status that the other side's authenticator gave.
    case handshakeRefused(status: Int32)
    /// With one of libzmq's protocol errors.
    case handshakeFailed(protocolError: Int32)
    /// Broken off without a reason.
    case handshakeBroken
    case stopped
    case other
  }

  private static let counter = Atomic<Int>(0)

  private let socket: Socket
  private let watched: Socket
  private var isStopped = false

  /// Watches a socket from now on. To be called on the thread that owns it.
  init(_ watched: Socket, context: TransportContext) throws {
    let number = SocketMonitor.counter.wrappingAdd(1, ordering: .relaxed).newValue
    let endpoint = "inproc://isomix-monitor-\(number)"
    let events =
      ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
      | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
      | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_MONITOR_STOPPED
    guard zmq_socket_monitor(watched.pointer, endpoint, events) == 0 else {
      throw TransportError.last("can't watch a socket")
    }
    self.watched = watched
    socket = try Socket(context, type: ZMQ_PAIR)
    // libzmq's I/O thread would wait for room here, and with it every connection: no limit, but always read.
    try socket.set(ZMQ_RCVHWM, 0)
    try socket.set(ZMQ_LINGER, 0)
    try socket.connect(endpoint)
  }

  /// Ends the watching, after which `socket` may go. To be called on the thread that owns the watched socket.
  ///
  /// libzmq's I/O thread writes to the other end of this pair: it has to be closed first, or the I/O thread waits
  /// for ever for somebody to write to.
  func stop() {
    guard !isStopped else { return }
    isStopped = true
    zmq_socket_monitor(watched.pointer, nil, 0)
  }

  deinit { stop() }

  /// For `poll`.
  var pollHandle: UnsafeMutableRawPointer { socket.pointer }

  /// The next event without waiting; nil when there is none.
  func next() throws -> Event? {
    var event: Event?
    let received = try socket.receive(keeping: 2) { message in
      guard let frame = message.frames.first, frame.count >= 6 else {
        event = .other
        return
      }
      let kind = Int32(frame.loadUnaligned(as: UInt16.self))
      let value = Int32(bitPattern: frame.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
      event =
        switch kind {
        case ZMQ_EVENT_ACCEPTED: .accepted(value)
        case ZMQ_EVENT_CONNECTED: .connected
        case ZMQ_EVENT_DISCONNECTED: .disconnected(value)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .handshakeSucceeded
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: .handshakeRefused(status: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: .handshakeFailed(protocolError: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: .handshakeBroken
        case ZMQ_EVENT_MONITOR_STOPPED: .stopped
        default: .other
        }
    }
    return received ? event : nil
  }
}
