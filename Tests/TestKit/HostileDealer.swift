import CZeroMQ
import Foundation

/// A peer that speaks ZeroMQ through libzmq, with or without keys, but is no worker: sends whatever frames it is
/// told to.
public final class HostileDealer: @unchecked Sendable {
  // Sendable: used by one thread at a time, which the tests that use it see to.

  /// Keys as Z85 texts.
  public struct Keys: Sendable {
    public var `public`: String
    public var secret: String
    public var server: String

    public init(public open: String, secret: String, server: String) {
      self.public = open
      self.secret = secret
      self.server = server
    }
  }

  private let context: UnsafeMutableRawPointer?
  private let socket: UnsafeMutableRawPointer?

  public init(_ endpoint: String, keys: Keys? = nil) throws {
    context = zmq_ctx_new()
    socket = zmq_socket(context, ZMQ_DEALER)
    var linger: Int32 = 0
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, 4)
    if let keys {
      zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, keys.server, 40)
      zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys.public, 40)
      zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys.secret, 40)
    }
    guard zmq_connect(socket, endpoint) == 0 else { throw TestKitError("can't connect to \(endpoint)") }
  }

  deinit {
    zmq_close(socket)
    zmq_ctx_term(context)
  }

  /// Sends the frames of one message; libzmq lets none of them out before the last.
  public func send(_ frames: [[UInt8]]) {
    var nothing: UInt8 = 0
    for (index, frame) in frames.enumerated() {
      let flags = index + 1 < frames.count ? ZMQ_SNDMORE : 0
      if frame.isEmpty {
        zmq_send(socket, &nothing, 0, flags)
      } else {
        zmq_send(socket, frame, frame.count, flags)
      }
    }
  }
}
