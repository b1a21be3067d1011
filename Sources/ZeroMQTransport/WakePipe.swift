import CPlatform
import Glibc

/// Wakes a thread that polls.
final class WakePipe: Sendable {
  /// To poll; readable after `wake`.
  let readEnd: Int32
  private let writeEnd: Int32

  init() throws {
    var ends: [Int32] = [-1, -1]
    guard isomix_open_wake_pipe(&ends) == 0 else {
      throw TransportError(message: "can't open a pipe: \(String(cString: strerror(errno)))", number: errno)
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// A full pipe wakes, too.
  func wake() {
    var byte: UInt8 = 1
    _ = write(writeEnd, &byte, 1)
  }

  /// Forgets earlier wakes.
  func clear() {
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(readEnd, &bytes, bytes.count) == bytes.count {}
  }
}
