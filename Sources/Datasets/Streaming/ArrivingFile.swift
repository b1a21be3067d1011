import Foundation
import NumericsKit

/// A file that comes in parts, beside its place under a temporary name until it is whole.
final class ArrivingFile {
  let path: String
  private let byteCount: UInt64
  private var descriptor: Int32

  /// Makes the file anew.
  init(path: String, byteCount: UInt64) throws {
    self.path = path
    self.byteCount = byteCount
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileSystem.cannotWrite(path) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func write(_ bytes: [UInt8], at offset: UInt64) throws {
    try bytes.withUnsafeBytes { try FileSystem.writeAll(descriptor, $0, at: offset, path: path) }
  }

  /// Whether all of it is there and has a digest.
  func isWhole(_ digest: Digest) throws -> Bool {
    // A network file system may report a full disk only here.
    let end = close(descriptor)
    descriptor = -1
    guard end == 0 else { throw FileSystem.cannotWrite(path) }
    let file = try MappedFile(path: path)
    return UInt64(file.bytes.count) == byteCount && file.digest() == digest
  }
}
