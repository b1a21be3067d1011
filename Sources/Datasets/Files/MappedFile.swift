import Foundation
import NumericsKit

/// A file mapped read-only and shared, for as long as this object lives.
///
/// A file that is truncated while it is mapped makes an access fail with SIGBUS, as for every memory map;
/// imported folders are never changed in place by this program.
final class MappedFile: @unchecked Sendable {
  // Sendable: the mapping is read-only and its address never changes between init and deinit.
  let path: String
  let bytes: UnsafeRawBufferPointer
  /// What the file was when it was mapped.
  let status: FileSystem.Status

  init(path: String) throws {
    let descriptor = try FileSystem.openForReading(path)
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw DatasetError(.noInput, "\(path): is not a regular file")
    }
    self.path = path
    self.status = FileSystem.Status(status)
    let count = Int(status.st_size)
    guard count > 0 else {
      self.bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
      throw DatasetError(.noInput, "\(path): can't be mapped into memory (\(FileSystem.lastError()))")
    }
    self.bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }

  /// The SHA-256 of the file's bytes.
  func digest() -> Digest { Digest.of(bytes) }
}
