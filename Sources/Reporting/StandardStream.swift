import Foundation

/// Standard output and standard error, whose reader may be slow or gone.
public enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Opens those that the caller closed, so that no file or pipe of this program takes their numbers.
  public static func fill() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// Writes all of a text. A reader that has gone away has read enough.
  /// - Throws: ``ReportingError`` when it can't be written, for example because a disk is full.
  public func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.write(rawValue, $0.baseAddress! + offset, bytes.count - offset)
      }
      if count > 0 {
        offset += count
      } else if count < 0, errno == EPIPE {
        return
      } else if count < 0, errno == EAGAIN {
        _ = isReady(timeout_ms: 1000)
      } else if count == 0 || errno != EINTR {
        throw ReportingError(
          .cannotWrite,
          "can't write to standard \(self == .output ? "output" : "error"): \(String(cString: strerror(errno)))"
        )
      }
    }
  }

  /// Writes a text if that is possible at once, and drops it otherwise: a paused terminal or a reader that does
  /// not read must not hold up a fit.
  public func offer(_ text: String) {
    if isReady(timeout_ms: 0) { try? write(text) }
  }

  private func isReady(timeout_ms: Int32) -> Bool {
    var item = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
    return poll(&item, 1, timeout_ms) > 0 && Int32(item.revents) & Int32(POLLOUT) != 0
  }
}
