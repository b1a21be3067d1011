import Foundation

/// A TCP connection that says whatever a test wants, to a port of this machine.
public final class HostileTCP: @unchecked Sendable {
  // Sendable: the descriptor never changes after the connection is made, and the system's calls on it may come from
  // any thread.
  public let descriptor: Int32

  /// Connects to the port of an endpoint like `tcp://127.0.0.1:5555` or `tcp://[::ffff:127.0.0.1]:5555`.
  public init(_ endpoint: String) throws {
    guard let port = HostileTCP.port(of: endpoint) else { throw TestKitError("\(endpoint) has no port") }
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else {
      throw TestKitError("can't open a socket: \(String(cString: strerror(errno)))")
    }
    signal(SIGPIPE, SIG_IGN)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    // `deinit` closes the descriptor, also of a connection that fails here: closed twice, it could be another thread's.
    guard status == 0 else {
      throw TestKitError("can't connect to \(endpoint): \(String(cString: strerror(errno)))")
    }
    for (option, seconds) in [(SO_RCVTIMEO, 5), (SO_SNDTIMEO, 2)] {
      var patience = timeval(tv_sec: seconds, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  deinit { Glibc.close(descriptor) }

  /// Sends bytes; false when the other side has ended the connection or takes nothing for 2 s.
  @discardableResult public func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// Receives exactly so many bytes; nil when the connection ends or nothing comes for 5 s.
  public func receive(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var received = 0
    while received < count {
      let more = bytes.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress?.advanced(by: received), count - received, 0)
      }
      guard more > 0 else { return nil }
      received += more
    }
    return bytes
  }

  /// Whether the other side has ended the connection, without waiting. Takes what has come.
  public var isEnded: Bool {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
      if count > 0 { continue }
      return count == 0 || (errno != EAGAIN && errno != EINTR)
    }
  }

  static func port(of endpoint: String) -> UInt16? {
    endpoint.lastIndex(of: ":").flatMap { UInt16(endpoint[endpoint.index(after: $0)...]) }
  }
}
