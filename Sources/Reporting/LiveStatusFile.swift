import Foundation

/// Reads and writes `status.json`.
public enum LiveStatusFile {
  /// A status on one line.
  public static func encode(_ status: LiveStatus) throws -> [UInt8] {
    Array(try JSONStyle.encoder(pretty: false).encode(status)) + [UInt8(ascii: "\n")]
  }

  public static func decode(_ bytes: some Sequence<UInt8>) throws -> LiveStatus {
    try JSONStyle.decoder().decode(LiveStatus.self, from: Data(bytes))
  }

  /// Replaces the file: a reader sees the old one or the new one. Without fsync, because after a power failure nobody
  /// asks what was going on, and a disk that takes its time must not be asked for more of it.
  ///
  /// - Returns: whether it could be written.
  @discardableResult
  public static func write(_ bytes: [UInt8], in folder: String) -> Bool {
    let path = "\(folder)/\(LiveStatus.fileName)"
    let temporary = "\(path).tmp-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return false }
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      offset += count
    }
    close(descriptor)
    guard offset == bytes.count, rename(temporary, path) == 0 else {
      unlink(temporary)
      return false
    }
    return true
  }

  /// The status of a fit's folder; nil when it has none.
  /// - Throws: ``ReportingError`` when the file is something else.
  public static func read(_ folder: String) throws -> LiveStatus? {
    let path = "\(folder)/\(LiveStatus.fileName)"
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    guard data.count <= LiveStatusLimits.bytes, let status = try? decode(data) else {
      throw ReportingError(.badData, "\(path) is not a fit's status.json")
    }
    return status
  }
}
