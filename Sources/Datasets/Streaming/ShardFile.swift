import Foundation
import NumericsKit

/// A file of a design, or a part of it, that is named by the digest of what it holds.
struct ShardFile {
  let path: String
  /// The bytes that the digest is of.
  let range: Range<UInt64>

  /// A whole file of a design; nil where there is none.
  init?(path: String) {
    guard let status = FileSystem.status(path), status.isRegular else { return nil }
    self.path = path
    range = 0..<UInt64(status.byteCount)
  }

  /// The text of a design's manifest, whose digest is the design's.
  init?(manifestOf folder: String) {
    path = folder + "/" + ManifestFile.name
    guard let status = FileSystem.status(path), let text = ManifestFile.textRange(of: status.byteCount) else {
      return nil
    }
    range = text
  }
}

/// Reads parts of files, a few of which stay open.
struct ShardReader: ~Copyable {
  private var descriptors: [String: Int32] = [:]

  deinit { for descriptor in descriptors.values { close(descriptor) } }

  /// Reads the part that begins at an offset: `count` bytes, or what is left.
  /// - Throws: `DatasetError` where no part begins there, or the file can't be read or was cut.
  mutating func read(_ file: ShardFile, offset: UInt64, count: Int) throws -> [UInt8] {
    guard count > 0, offset % UInt64(count) == 0, offset < UInt64(file.range.count) else {
      throw DatasetError(.badData, "\(file.path): no part of it begins at byte \(offset)")
    }
    let size = Int(min(UInt64(count), UInt64(file.range.count) - offset))
    let descriptor = try open(file.path)
    var done = 0
    var isCut = false
    let bytes = try [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      while done < size, let base = buffer.baseAddress {
        let place = off_t(file.range.lowerBound + offset) + off_t(done)
        let read = pread(descriptor, base + done, size - done, place)
        if read < 0, errno == EINTR { continue }
        isCut = read == 0
        guard read > 0 else { break }
        done += read
      }
      initialized = done
      guard done == size else {
        throw DatasetError(
          .noInput, "\(file.path): can't be read (\(isCut ? "it is cut off" : FileSystem.lastError()))")
      }
    }
    return bytes
  }

  private mutating func open(_ path: String) throws -> Int32 {
    if let known = descriptors[path] { return known }
    if descriptors.count >= DatasetLimits.servedFiles {
      for descriptor in descriptors.values { close(descriptor) }
      descriptors = [:]
    }
    let descriptor = try FileSystem.openForReading(path)
    descriptors[path] = descriptor
    return descriptor
  }
}
