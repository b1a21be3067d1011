import CZeroMQ

/// What went wrong in the transport, with libzmq's reason.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
  public let message: String
  /// libzmq's or the system's error number.
  public let number: Int32

  public init(message: String, number: Int32) {
    self.message = message
    self.number = number
  }

  /// The last error of the calling thread, after `operation` failed.
  static func last(_ operation: String) -> TransportError {
    let number = zmq_errno()
    let reason = zmq_strerror(number).map { String(cString: $0) } ?? "error \(number)"
    return TransportError(message: "\(operation): \(reason)", number: number)
  }

  public var description: String { message }
}
