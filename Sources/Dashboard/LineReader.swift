import Foundation
import Reporting

/// Reads lines from a descriptor, with a limit on how long each may be.
final class LineReader {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var chunk = [UInt8](repeating: 0, count: 1 << 16)

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// The next line, an empty one when none comes in time; nil when the input has ended.
  func next(limit_s: Double) -> (line: [UInt8], isComplete: Bool)? {
    let deadline = StatusHub.now + limit_s
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(buffer[..<end])
        buffer.removeSubrange(...end)
        return (line, true)
      }
      guard buffer.count <= LiveStatusLimits.bytes else { return nil }
      let rest = deadline - StatusHub.now
      guard rest > 0 else { return ([], false) }
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&poller, 1, Int32(max(1, rest * 1000))) > 0 else { continue }
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count > 0 else { return nil }
      buffer += chunk[..<count]
    }
  }
}
