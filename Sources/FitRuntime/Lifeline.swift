import CPlatform
import Coordination
import Foundation
import Glibc

/// Ends this process when its standard input closes.
///
/// Whoever starts a process over ssh, and whoever starts one on this machine and may be killed, holds the other end: when
/// the connection breaks or the starter is gone, in whatever way, the kernel closes it. The process is then asked to
/// stop (SIGTERM), which makes a fit write a checkpoint and a worker hand back its work.
public enum Lifeline {
  /// How long a worker gets to leave before it is ended.
  static let patience_s: UInt32 = 10

  /// Starts to watch. What is read is thrown away.
  /// - Parameter patience_s: seconds from being asked to stop to being ended; nil: never ended by force.
  public static func watch(patience_s: UInt32?) {
    let thread = Thread {
      isomix_name_thread("lifeline")
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        poll(&input, 1, -1)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count > 0 || count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
        break
      }
      kill(getpid(), SIGTERM)
      guard let patience_s else { return }
      sleep(patience_s)
      _exit(ExitCode.unavailable)
    }
    thread.start()
  }

  /// Reads a line of at most so many bytes from standard input, and nothing after it.
  /// - Throws: ``RuntimeError``, 65, when there is none.
  package static func readLine(limit_bytes: Int = 4096) throws -> String {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while bytes.count < limit_bytes {
      let count = read(STDIN_FILENO, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { break }
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    throw RuntimeError(
      "two lines were expected on standard input: the coordinator's public key and the worker's secret key",
      exitCode: ExitCode.badData)
  }
}
