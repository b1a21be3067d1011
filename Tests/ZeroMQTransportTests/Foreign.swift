import CZeroMQ
import Foundation
import Testing
import Wire

/// A peer that speaks ZeroMQ but is no worker: sends whatever frames it is told to.
final class ForeignPeer {
  private let context: UnsafeMutableRawPointer?
  private let socket: UnsafeMutableRawPointer?

  /// - Parameters:
  ///   - routingID: the identity that the peer gives itself; nil for none.
  ///   - receiveLimit: messages that it takes before the sender has to wait; 0 for libzmq's default.
  init(_ endpoint: String, routingID: [UInt8]? = nil, receiveLimit: Int32 = 0) {
    context = zmq_ctx_new()
    socket = zmq_socket(context, ZMQ_DEALER)
    var linger: Int32 = 0
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, 4)
    if var limit = Optional(receiveLimit), limit > 0 { zmq_setsockopt(socket, ZMQ_RCVHWM, &limit, 4) }
    if let routingID { zmq_setsockopt(socket, ZMQ_ROUTING_ID, routingID, routingID.count) }
    #expect(zmq_connect(socket, endpoint) == 0)
  }

  deinit { close() }

  private var isClosed = false

  func close() {
    guard !isClosed else { return }
    isClosed = true
    zmq_close(socket)
    zmq_ctx_term(context)
  }

  func send(_ frames: [[UInt8]]) {
    for (index, frame) in frames.enumerated() {
      let bytes = frame + [0]
      zmq_send(socket, bytes, frame.count, index + 1 < frames.count ? ZMQ_SNDMORE : 0)
    }
  }

  /// The next frame, or nil after a while.
  func receive(milliseconds: Int32 = 10_000) -> [UInt8]? {
    var wait = milliseconds
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, 4)
    var message = zmq_msg_t()
    zmq_msg_init(&message)
    defer { zmq_msg_close(&message) }
    guard zmq_msg_recv(&message, socket, 0) >= 0 else { return nil }
    return Array(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message)))
  }
}

/// A folder for ipc sockets, short enough for their paths and removed with it.
final class SocketPlace {
  let path: String

  init() throws {
    path = "/tmp/isx-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var endpoint: String { "ipc://\(path)/c" }
}

enum Examples {
  static func message(_ content: Message.Content) -> Message {
    Message(run: RunID(bytes: Array(1...16)), epoch: 2, content: content)
  }

  static func beat(_ progress: UInt64) -> Message { message(.beat(Beat(progress: progress))) }

  static func result(_ count: Int, seed: UInt8) -> Message {
    let sums = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) &+ seed }
    return message(.result(WorkResult(job: 1, assignment: 2, computeSeconds: 0.5, sums: sums)))
  }

  static func work(_ state: [UInt8]) -> Message {
    let subtree = Subtree(block: 0, level: 1, index: 2)
    return message(
      .work(Work(job: 1, assignment: 1, jobKind: 1, iteration: 3, subtrees: [subtree], state: state)))
  }

  /// The frames of a small message.
  static func frames(_ message: Message) -> [[UInt8]] {
    let encoded = message.encoded()
    return [encoded.header(part: 0).encoded(), encoded.body, encoded.bulk]
  }
}
