import Foundation

/// Writes `log.jsonl`: a JSON object a line with time, level and message.
public final class RunLog {
  private let descriptor: Int32

  /// Starts the file, or goes on with it. Throws ``ReportingError`` when it can't be written.
  public init(path: String, resuming: Bool = false) throws {
    let start = resuming ? 0 : O_TRUNC
    descriptor = open(path, O_WRONLY | O_CREAT | start | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw ReportingError(.cannotWrite, "can't write \(path): \(String(cString: strerror(errno)))")
    }
  }

  deinit { close(descriptor) }

  private struct Line: Encodable {
    let time: String
    let level: String
    let message: String
  }

  /// Adds a line. A full disk must not end a fit because of its log: what can't be written is dropped.
  public func append(level: String, _ message: String) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = Line(
      time: Date().ISO8601Format(.init(includingFractionalSeconds: true)), level: level, message: message)
    guard let data = try? encoder.encode(line) else { return }
    let bytes = Array(data) + [UInt8(ascii: "\n")]
    _ = write(descriptor, bytes, bytes.count)
  }
}
