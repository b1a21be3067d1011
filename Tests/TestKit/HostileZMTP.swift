import Foundation

/// A client that speaks ZMTP 3 without keys by itself, and so can do what libzmq never would: begin messages that
/// never end.
public final class HostileZMTP: Sendable {
  private let connection: HostileTCP

  /// Connects and finishes the handshake.
  public init(_ endpoint: String, socketType: String = "DEALER") throws {
    connection = try HostileTCP(endpoint)
    connection.send(HostileZMTP.greeting())
    guard connection.receive(64) != nil else { throw TestKitError("no greeting came from \(endpoint)") }
    connection.send(HostileZMTP.ready(socketType: socketType))
    guard let head = connection.receive(2), connection.receive(Int(head[1])) != nil else {
      throw TestKitError("no READY came from \(endpoint)")
    }
  }

  /// The greeting of ZMTP 3.
  public static func greeting(
    minor: UInt8 = 1, mechanism: String = "NULL", asServer: Bool = false
  ) -> [UInt8] {
    let name = Array(mechanism.utf8.prefix(20))
    return [0xFF] + [UInt8](repeating: 0, count: 7) + [1, 0x7F, 3, minor] + name
      + [UInt8](repeating: 0, count: 20 - name.count) + [asServer ? 1 : 0] + [UInt8](repeating: 0, count: 31)
  }

  /// The command that ends a handshake without keys.
  public static func ready(socketType: String) -> [UInt8] {
    let type = Array(socketType.utf8)
    let body =
      [5] + Array("READY".utf8) + [11] + Array("Socket-Type".utf8) + [0, 0, 0, UInt8(type.count)] + type
    return [4, UInt8(body.count)] + body
  }

  /// A frame on the wire.
  public static func frame(_ bytes: [UInt8], more: Bool) -> [UInt8] {
    let flag: UInt8 = more ? 1 : 0
    if bytes.count <= 255 { return [flag, UInt8(bytes.count)] + bytes }
    return [flag | 2] + (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * (7 - $0))) } + bytes
  }

  /// Sends the frames of a message.
  @discardableResult public func send(_ frames: [[UInt8]]) -> Bool {
    for (index, frame) in frames.enumerated() {
      guard connection.send(HostileZMTP.frame(frame, more: index + 1 < frames.count)) else { return false }
    }
    return true
  }

  /// Sends parts of a message that never ends; returns the bytes that were taken before the connection ended.
  public func sendEndlessParts(partBytes: Int, totalBytes: Int) -> Int {
    let part = HostileZMTP.frame([UInt8](repeating: 0x5A, count: partBytes), more: true)
    // Small parts go out many at a time.
    let copies = max(1, 65_536 / part.count)
    let batch = Array(repeatElement(part, count: copies).joined())
    var sent = 0
    while sent < totalBytes, connection.send(batch) { sent += batch.count }
    return sent
  }

  /// Receives the frames of the next message; nil when the connection ends or nothing comes for 5 s. Commands
  /// (heartbeats) are passed over.
  public func receive() -> [[UInt8]]? {
    var frames: [[UInt8]] = []
    while let head = connection.receive(2) {
      var count = Int(head[1])
      if head[0] & 2 != 0 {
        guard let rest = connection.receive(7) else { return nil }
        count = ([head[1]] + rest).reduce(0) { $0 << 8 | Int($1) }
      }
      guard count <= 1 << 20, let frame = connection.receive(count) else { return nil }
      if head[0] & 4 != 0 { continue }
      frames.append(frame)
      if head[0] & 1 == 0 { return frames }
    }
    return nil
  }

  public var isEnded: Bool { connection.isEnded }
}
