import Foundation
import Synchronization
import TestKit

/// A server on this machine that sends back what it gets.
final class Echo: Sendable {
  private let held: HeldPort

  var port: UInt16 { held.port }

  init() throws {
    held = try HeldPort()
    let listener = held.descriptor
    guard listen(listener, 16) == 0 else {
      throw TestKitError("no echo server: \(String(cString: strerror(errno)))")
    }
    Thread {
      while true {
        let connection = accept(listener, nil, nil)
        if connection < 0 { break }
        Thread { Echo.serve(connection) }.start()
      }
    }.start()
  }

  deinit { shutdown(held.descriptor, Int32(SHUT_RDWR)) }

  private static func serve(_ connection: Int32) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { break }
      var sent = 0
      while sent < count {
        let more = buffer[sent..<count].withUnsafeBytes {
          send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if more <= 0 { break }
        sent += more
      }
    }
    close(connection)
  }
}

/// A port of this machine that is taken and where nobody listens.
final class HeldPort: Sendable {
  let port: UInt16
  let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = self.descriptor
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
      }
    }
    guard code == 0 else { throw TestKitError("bind: \(String(cString: strerror(errno)))") }
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit { close(descriptor) }
}

/// A connection to a port of this machine.
final class Client: Sendable {
  private let descriptor: Int32

  /// - Throws: when it is refused.
  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
    let descriptor = self.descriptor
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw TestKitError("connect: \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }

  /// Sends bytes on a thread of its own, so that a slow network does not hold the test up.
  func send(_ bytes: [UInt8], thenEnd: Bool = false) {
    Thread { [self] in
      var sent = 0
      while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes {
          Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count <= 0 { return }
        sent += count
      }
      if thenEnd { shutdown(descriptor, Int32(SHUT_WR)) }
    }.start()
  }

  /// Receives until there are so many bytes, the connection ends, or the time is up.
  /// - Returns: the bytes; nil at the end when the connection was reset.
  func receive(_ count: Int, within seconds: Double) -> (bytes: [UInt8], isReset: Bool) {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while bytes.count < count {
      let left_ms = Int32(max(0, (deadline - .now) / .milliseconds(1)))
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&wait, 1, left_ms) > 0 else { break }
      let got = recv(descriptor, &buffer, min(buffer.count, count - bytes.count), 0)
      if got < 0 { return (bytes, true) }
      if got == 0 { break }
      bytes += buffer[..<got]
    }
    return (bytes, false)
  }
}

/// Random bytes from a seed.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}
