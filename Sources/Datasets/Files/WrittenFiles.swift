import Foundation

/// Digests of files that this process wrote and digested itself, as they were then: where such a file is unchanged when it
/// is first mapped, it needs no second digest.
final class WrittenFiles: @unchecked Sendable {
  // Sendable: `digests` is read and written only while `lock` is held.
  static let shared = WrittenFiles()

  private let lock = NSLock()
  private var digests: [FileSystem.Status: String] = [:]

  func put(_ status: FileSystem.Status, sha256: String) { lock.withLock { digests[status] = sha256 } }

  /// Whether a file is one of these with the digest; it is forgotten then.
  func take(_ status: FileSystem.Status, sha256: String) -> Bool {
    lock.withLock { digests.removeValue(forKey: status) == sha256 }
  }
}
