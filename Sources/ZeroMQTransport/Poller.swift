import CZeroMQ
import Glibc

/// Waits for sockets and file descriptors together.
public struct Poller {
  /// What to wait for.
  public enum Source {
    case socket(UnsafeMutableRawPointer)
    case descriptor(Int32)
  }

  private var items: [zmq_pollitem_t]

  public init(_ sources: [Source]) {
    items = sources.map { source in
      switch source {
      case .socket(let pointer):
        zmq_pollitem_t(socket: pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
      case .descriptor(let descriptor):
        zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0)
      }
    }
  }

  /// Waits until something is readable or the time is up. Interruption by a signal counts as nothing.
  ///
  /// - Returns: for each source, whether it is readable.
  public mutating func wait(timeout_ms: Int) throws -> [Bool] {
    let count = zmq_poll(&items, Int32(items.count), timeout_ms)
    if count < 0 {
      guard zmq_errno() == EINTR else { throw TransportError.last("can't wait for messages") }
      return items.map { _ in false }
    }
    return items.map { $0.revents & Int16(ZMQ_POLLIN) != 0 }
  }
}
