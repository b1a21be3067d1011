import CPlatform
import Glibc

/// What a child process writes to its standard output, line by line. Nobody waits: the child's writes are dropped while
/// the pipe is full, and here only what is there is read.
final class ChildOutput {
  /// The child's end, until the child has it.
  private var child: Int32
  private let ours: Int32
  private var rest: [UInt8] = []

  /// Bytes of a line that are kept.
  private static let longestLine = 4096

  /// - Throws: ``RuntimeError`` when no descriptor is left.
  init() throws {
    var ends: [Int32] = [0, 0]
    guard isomix_open_wake_pipe(&ends) == 0 else {
      throw RuntimeError.system("a pipe for a worker's output")
    }
    (ours, child) = (ends[0], ends[1])
  }

  deinit {
    close(ours)
    if child >= 0 { close(child) }
  }

  /// Makes the child's end its standard output.
  func attach(to actions: inout posix_spawn_file_actions_t) {
    posix_spawn_file_actions_adddup2(&actions, child, STDOUT_FILENO)
  }

  /// Forgets the child's end once the child has it.
  func started() {
    close(child)
    child = -1
  }

  /// The lines that have come since the last call.
  func lines() -> [String] {
    var lines: [String] = []
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    // A pipe holds 64 KiB; who writes faster than it is read here does not keep anybody from other work.
    for _ in 0..<ChildOutput.mostReads {
      let count = read(ours, &bytes, bytes.count)
      guard count > 0 else { break }
      for byte in bytes[..<count] {
        if byte == UInt8(ascii: "\n") {
          lines.append(String(decoding: rest, as: UTF8.self))
          rest = []
        } else if rest.count < ChildOutput.longestLine {
          rest.append(byte)
        }
      }
    }
    return lines
  }

  private static let mostReads = 8

  /// What came without an end of line, when nothing comes any more.
  func last() -> [String] {
    defer { rest = [] }
    return lines() + (rest.isEmpty ? [] : [String(decoding: rest, as: UTF8.self)])
  }
}
