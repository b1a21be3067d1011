import CZeroMQ
import Foundation
import TestKit
import Wire

/// One end of a connection that says whatever a test wants, well-formed or not.
final class RawPeer {
  enum Kind { case dealer, router }

  /// The endpoint that a router is bound to.
  private(set) var endpoint = ""
  private let context: UnsafeMutableRawPointer
  private let socket: UnsafeMutableRawPointer

  /// A dealer connects to the endpoint, a router listens on a free port of this machine.
  init(_ kind: Kind, connect address: String? = nil) throws {
    guard let context = zmq_ctx_new(),
      let socket = zmq_socket(context, kind == .dealer ? ZMQ_DEALER : ZMQ_ROUTER)
    else { throw TestKitError("can't open a socket") }
    self.context = context
    self.socket = socket
    var linger: Int32 = 1000
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, 4)
    if let address {
      guard zmq_connect(socket, address) == 0 else { throw TestKitError("can't connect to \(address)") }
    } else {
      guard zmq_bind(socket, "tcp://127.0.0.1:*") == 0 else { throw TestKitError("can't listen") }
      var buffer = [CChar](repeating: 0, count: 256)
      var size = buffer.count
      zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, &buffer, &size)
      endpoint = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  deinit {
    zmq_close(socket)
    zmq_ctx_term(context)
  }

  /// Sends frames as they are.
  func send(_ frames: [[UInt8]]) {
    var nothing: UInt8 = 0
    for (index, frame) in frames.enumerated() {
      let flags = index < frames.count - 1 ? ZMQ_SNDMORE : 0
      if frame.isEmpty {
        zmq_send(socket, &nothing, 0, flags)
      } else {
        zmq_send(socket, frame, frame.count, flags)
      }
    }
  }

  /// Sends a message as the program itself would, to a peer of a router.
  func send(_ message: Message, to identity: [UInt8]? = nil) {
    for frames in RawPeer.frames(message) { send((identity.map { [$0] } ?? []) + frames) }
  }

  /// The frames of each physical message.
  static func frames(_ message: Message) -> [[[UInt8]]] {
    let encoded = message.encoded()
    return (0..<encoded.partCount).map { part in
      [
        encoded.header(part: part).encoded(), part == 0 ? encoded.body : [],
        Array(encoded.bulk[encoded.bulkRange(part: part)]),
      ]
    }
  }

  /// Waits for the frames of the next physical message.
  func receive(within seconds: Double = 20) async throws -> [[UInt8]] {
    var frames: [[UInt8]]?
    _ = try await eventually(within: seconds) {
      frames = receiveNow()
      return frames != nil
    }
    guard let frames else { throw TestKitError("nothing came within \(seconds) s") }
    return frames
  }

  /// Waits for the next message of one part.
  func message(within seconds: Double = 20) async throws -> (identity: [UInt8]?, Message) {
    var frames = try await receive(within: seconds)
    let identity = frames.count == WireLimits.framesPerMessage + 1 ? frames.removeFirst() : nil
    guard frames.count == WireLimits.framesPerMessage else { throw TestKitError("\(frames.count) frames") }
    let header = try frames[0].withUnsafeBytes { try Header(decoding: $0) }
    return (identity, try Message(header: header, body: frames[1], bulk: frames[2]))
  }

  /// Waits for a message of a kind; others are passed over.
  func skip(to kind: MessageKind) async throws {
    while try await message().1.kind != kind {}
  }

  private func receiveNow() -> [[UInt8]]? {
    var frames: [[UInt8]] = []
    while true {
      var message = zmq_msg_t()
      zmq_msg_init(&message)
      defer { zmq_msg_close(&message) }
      guard zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0 else { return nil }
      frames.append(
        Array(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message))))
      if zmq_msg_more(&message) == 0 { return frames }
    }
  }
}
