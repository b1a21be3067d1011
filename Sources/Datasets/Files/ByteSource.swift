import Foundation
import NumericsKit

/// Where bytes come from, in order: a file, or memory.
package protocol ByteSource {
  /// Reads the next bytes into `buffer`; 0 only at the end.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
  /// The number of bytes and the digest of all of the source, whose rest this reads. Ends the source.
  mutating func finish() throws -> (byteCount: Int, digest: Digest)
}

/// Bytes that are already in memory.
package struct MemoryByteSource: ByteSource {
  private let bytes: [UInt8]
  private var offset = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package init(_ text: String) { self.bytes = Array(text.utf8) }

  package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = min(buffer.count, bytes.count - offset)
    bytes.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
    }
    offset += count
    return count
  }

  package mutating func finish() throws -> (byteCount: Int, digest: Digest) {
    (bytes.count, Digest.of(bytes))
  }
}

/// A file read from its beginning to its end, digested on the way unless nobody asks what was read.
package final class FileByteSource: ByteSource {
  private let path: String
  private let descriptor: Int32
  private var hasher: DigestBuilder?
  private let isDigested: Bool
  /// Bytes read so far.
  private var byteCount = 0

  /// - Parameter isDigested: false: `finish` gives the digest of nothing.
  package init(path: String, isDigested: Bool = true) throws {
    self.path = path
    self.descriptor = try FileSystem.openForReading(path)
    self.isDigested = isDigested
    self.hasher = isDigested ? DigestBuilder() : nil
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
  }

  deinit { close(descriptor) }

  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = try FileSystem.read(descriptor, into: buffer, path: path)
    byteCount += count
    hasher?.update(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
    return count
  }

  package func finish() throws -> (byteCount: Int, digest: Digest) {
    let rest = UnsafeMutableRawBufferPointer.allocate(byteCount: DatasetLimits.readBufferBytes, alignment: 16)
    defer { rest.deallocate() }
    while try read(into: rest) > 0 {}
    guard isDigested else { return (byteCount, Digest.of([])) }
    guard let hasher = hasher.take() else {
      throw DatasetError(.badData, "\(path): read twice to its end")
    }
    return (byteCount, hasher.finalize())
  }
}
