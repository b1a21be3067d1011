import Foundation

/// The system calls of the proxy.
enum ProxySocket {
  /// Small, so that a slow link is slow for who sends: little hides in buffers.
  private static let bufferBytes: Int32 = 65_536

  /// What became of a call that does not wait.
  enum Outcome {
    case bytes(Int)
    case wouldBlock
    case end
    case broken
  }

  /// A listening socket on 127.0.0.1; port 0: any free one.
  static func listening(on port: UInt16) throws -> Int32 {
    let socket = try bound(to: port)
    guard listen(socket, 64) == 0 else {
      close(socket)
      throw TestKitError("listen: \(Spawn.reason())")
    }
    return socket
  }

  /// A socket that holds a port and takes no connections: who connects is refused, and nobody else gets the port.
  static func bound(to port: UInt16) throws -> Int32 {
    let socket = try stream()
    var address = loopback(port)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else {
      close(socket)
      throw TestKitError("bind to port \(port): \(Spawn.reason())")
    }
    return socket
  }

  static func port(of socket: Int32) throws -> UInt16 {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &size) }
    }
    guard code == 0 else { throw TestKitError("getsockname: \(Spawn.reason())") }
    return UInt16(bigEndian: address.sin_port)
  }

  /// Starts to connect to a port of this machine.
  static func connecting(to port: UInt16) throws -> Int32 {
    let socket = try stream()
    var address = loopback(port)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 || errno == EINPROGRESS else {
      close(socket)
      throw TestKitError("connect to port \(port): \(Spawn.reason())")
    }
    return socket
  }

  /// The next connection, if there is one.
  static func accepted(from listener: Int32) -> Int32? {
    let socket = accept(listener, nil, nil)
    guard socket >= 0 else { return nil }
    makeNonBlocking(socket)
    sendAtOnce(socket)
    return socket
  }

  static func read(_ socket: Int32, into buffer: inout [UInt8]) -> Outcome {
    let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
    if count > 0 { return .bytes(count) }
    return count == 0 ? .end : isTemporary ? .wouldBlock : .broken
  }

  static func write(_ bytes: ArraySlice<UInt8>, to socket: Int32) -> Outcome {
    let count = bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    return count >= 0 ? .bytes(count) : isTemporary ? .wouldBlock : .broken
  }

  /// Ends one way of a connection: the other side reads the end after the last byte.
  static func end(_ socket: Int32) { shutdown(socket, Int32(SHUT_WR)) }

  /// Closes a connection with a reset.
  static func reset(_ socket: Int32) {
    var now = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    close(socket)
  }

  /// Makes calls on a descriptor return at once, and closes it in programs that are started.
  static func makeNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  private static var isTemporary: Bool { errno == EAGAIN || errno == EINTR }

  private static func stream() throws -> Int32 {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { throw TestKitError("socket: \(Spawn.reason())") }
    makeNonBlocking(socket)
    set(socket, SOL_SOCKET, SO_REUSEADDR, 1)
    set(socket, SOL_SOCKET, SO_RCVBUF, bufferBytes)
    set(socket, SOL_SOCKET, SO_SNDBUF, bufferBytes)
    sendAtOnce(socket)
    return socket
  }

  private static func sendAtOnce(_ socket: Int32) { set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

  private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
    return address
  }
}
