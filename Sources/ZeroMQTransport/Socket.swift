import CZeroMQ
import Glibc
import Wire

/// A libzmq context: the I/O thread that all sockets of a process share.
public final class TransportContext: Sendable {
  /// libzmq contexts may be used from any thread, and this pointer never changes.
  nonisolated(unsafe) let pointer: UnsafeMutableRawPointer

  public init() throws {
    guard let pointer = zmq_ctx_new() else { throw TransportError.last("can't start ZeroMQ") }
    self.pointer = pointer
  }

  deinit { zmq_ctx_term(pointer) }
}

/// One libzmq socket. Not thread-safe: it belongs to the thread that uses it.
final class Socket {
  let context: TransportContext
  let pointer: UnsafeMutableRawPointer
  private var isClosed = false

  init(_ context: TransportContext, type: Int32) throws {
    guard let pointer = zmq_socket(context.pointer, type) else {
      throw TransportError.last("can't open a socket")
    }
    self.context = context
    self.pointer = pointer
    try set(ZMQ_LINGER, TransportLimits.linger_ms)
    try set(ZMQ_SNDHWM, TransportLimits.sendQueue_messages)
    try set(ZMQ_RCVHWM, TransportLimits.receiveQueue_messages)
    try set(ZMQ_HANDSHAKE_IVL, TransportLimits.handshake_ms)
    try set(ZMQ_BACKLOG, TransportLimits.backlog_connections)
    try set(ZMQ_TCP_MAXRT, TransportLimits.tcpRetransmission_ms)
    try set(ZMQ_TCP_KEEPALIVE, 1)
    try set(ZMQ_RECONNECT_IVL, TransportLimits.reconnectMinimum_ms)
    try set(ZMQ_RECONNECT_IVL_MAX, TransportLimits.reconnectMaximum_ms)
    try set(ZMQ_HEARTBEAT_IVL, TransportLimits.heartbeatInterval_ms)
    try set(ZMQ_HEARTBEAT_TIMEOUT, TransportLimits.heartbeatTimeout_ms)
    try set(ZMQ_IPV6, 1)
    var largest = Int64(WireLimits.frameBytes + TransportLimits.encryptionOverhead_bytes)
    guard zmq_setsockopt(pointer, ZMQ_MAXMSGSIZE, &largest, MemoryLayout<Int64>.size) == 0 else {
      throw TransportError.last("can't limit the size of frames")
    }
  }

  deinit { close() }

  /// Closes the socket; using it afterwards is an error of this program that libzmq reports.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    zmq_close(pointer)
  }

  func set(_ option: Int32, text: String) throws {
    guard zmq_setsockopt(pointer, option, text, text.utf8.count) == 0 else {
      throw TransportError.last("can't set socket option \(option)")
    }
  }

  func set(_ option: Int32, _ value: Int32) throws {
    var value = value
    guard zmq_setsockopt(pointer, option, &value, MemoryLayout<Int32>.size) == 0 else {
      throw TransportError.last("can't set socket option \(option)")
    }
  }

  func bind(_ endpoint: String) throws {
    guard zmq_bind(pointer, endpoint) == 0 else { throw TransportError.last("can't listen on \(endpoint)") }
  }

  func connect(_ endpoint: String) throws {
    guard zmq_connect(pointer, endpoint) == 0 else {
      throw TransportError.last("can't connect to \(endpoint)")
    }
  }

  /// The endpoint bound last, with the port that the system chose.
  func lastEndpoint() throws -> String {
    var buffer = [CChar](repeating: 0, count: 1024)
    var size = buffer.count
    guard zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &buffer, &size) == 0 else {
      throw TransportError.last("can't read the bound endpoint")
    }
    return String(decoding: buffer.prefix(while: { $0 != 0 }).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Sends one frame without waiting. Returns libzmq's error number, or 0.
  func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> Int32 {
    // libzmq takes a pointer even for an empty frame.
    var nothing: UInt8 = 0
    let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
    while true {
      let sent =
        bytes.isEmpty
        ? zmq_send(pointer, &nothing, 0, flags) : zmq_send(pointer, bytes.baseAddress, bytes.count, flags)
      if sent >= 0 { return 0 }
      // A signal in the middle of a message is no reason to break it off.
      let number = zmq_errno()
      if number != EINTR { return number }
    }
  }

  /// Sends a frame that several peers get, sharing its memory.
  func send(_ frame: SharedFrame, more: Bool) -> Int32 {
    var message = zmq_msg_t()
    zmq_msg_init(&message)
    guard zmq_msg_copy(&message, frame.message) == 0 else { return zmq_errno() }
    let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
    while zmq_msg_send(&message, pointer, flags) < 0 {
      let number = zmq_errno()
      if number == EINTR { continue }
      zmq_msg_close(&message)
      return number
    }
    return 0
  }

  /// One physical message as it came.
  struct Received {
    /// The frames that were kept; valid only during the call that they are handed to.
    var frames: [UnsafeRawBufferPointer]
    /// How many frames came, kept or not.
    var frameCount: Int
    /// Bytes and number of the frames that came, by their size on the wire: those of at most 255 bytes, and
    /// longer ones.
    var traffic = Traffic()
    /// The descriptor of the connection that it came over, if that was asked for and is known.
    var descriptor: Int32?
  }

  /// Receives all frames of one physical message without waiting; false when there is none.
  ///
  /// Frames over the fixed count are read, to keep the stream in step, but only counted.
  func receive(keeping kept: Int, withDescriptor: Bool = false, _ body: (Received) -> Void) throws -> Bool {
    var messages: [UnsafeMutablePointer<zmq_msg_t>] = []
    messages.reserveCapacity(kept)
    defer {
      for message in messages {
        zmq_msg_close(message)
        message.deallocate()
      }
    }
    var received = Received(frames: [], frameCount: 0)
    while true {
      let message = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
      zmq_msg_init(message)
      var number: Int32 = 0
      repeat {
        number = zmq_msg_recv(message, pointer, ZMQ_DONTWAIT) >= 0 ? 0 : zmq_errno()
        // A signal in the middle of a message must not lose its beginning.
      } while number == EINTR
      guard number == 0 else {
        zmq_msg_close(message)
        message.deallocate()
        if number == EAGAIN, received.frameCount == 0 { return false }
        throw TransportError(
          message: "can't receive: \(String(cString: zmq_strerror(number)))", number: number)
      }
      let more = zmq_msg_more(message) != 0
      received.frameCount += 1
      received.traffic.add(frameBytes: zmq_msg_size(message))
      if !more, withDescriptor {
        let descriptor = zmq_msg_get(message, ZMQ_SRCFD)
        received.descriptor = descriptor >= 0 ? descriptor : nil
      }
      if received.frameCount <= kept {
        messages.append(message)
      } else {
        zmq_msg_close(message)
        message.deallocate()
      }
      if !more { break }
    }
    received.frames = messages.map {
      UnsafeRawBufferPointer(start: zmq_msg_data($0), count: zmq_msg_size($0))
    }
    body(received)
    return true
  }
}

/// A frame whose bytes are held once by libzmq, however many peers it is sent to.
final class SharedFrame {
  let message: UnsafeMutablePointer<zmq_msg_t>

  init(_ bytes: UnsafeRawBufferPointer) throws {
    message = .allocate(capacity: 1)
    guard zmq_msg_init_size(message, bytes.count) == 0 else {
      message.deallocate()
      throw TransportError.last("can't make a frame of \(bytes.count) bytes")
    }
    if let target = zmq_msg_data(message), let source = bytes.baseAddress {
      target.copyMemory(from: source, byteCount: bytes.count)
    }
  }

  deinit {
    zmq_msg_close(message)
    message.deallocate()
  }
}
