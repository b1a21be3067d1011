import TestKit

/// First words of programs that are no workers: other protocols, old versions of this one, and noise.
enum ForeignWords {
  static let all: [[UInt8]] = [
    // ZMTP 1.0 with a message, 2.0, 3.0, and 3.1 in ways that make no sense.
    [1, 0, 3, 0, 0x41, 0x42],
    [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1, 5, 0, 0, 0, 3, 1, 2, 3],
    HostileZMTP.greeting(minor: 0) + HostileZMTP.ready(socketType: "DEALER"),
    HostileZMTP.greeting(minor: 9),
    HostileZMTP.greeting(mechanism: "PLAIN"),
    HostileZMTP.greeting(mechanism: "CURVE") + [4, 200, 5] + Array("HELLO".utf8)
      + [UInt8](repeating: 1, count: 194),
    HostileZMTP.greeting(mechanism: "CURVE", asServer: true),
    HostileZMTP.greeting() + HostileZMTP.ready(socketType: "PUB"),
    HostileZMTP.greeting() + HostileZMTP.ready(socketType: "DEALER") + [2]
      + [UInt8](repeating: 0xFF, count: 8),
    Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8),
    Array("POST /fit HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n".utf8)
      + [UInt8](repeating: 0x61, count: 60_000),
    // The beginning of TLS.
    [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3],
  ]

  /// Noise from the first byte, or from somewhere in a good beginning.
  static func noise(using generator: inout SeededGenerator) -> [UInt8] {
    let good = HostileZMTP.greeting() + HostileZMTP.ready(socketType: "DEALER")
    let kept = Bool.random(using: &generator) ? Int.random(in: 0...good.count, using: &generator) : 0
    return good.prefix(kept)
      + (0..<Int.random(in: 0...2000, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
  }
}
