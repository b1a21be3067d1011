import Foundation
import NumericsKit

/// Rows of binary64 numbers in a file, written in order and read in any order.
///
/// Holds what an import can't write in its final form at once: rows to shuffle, and category codes whose order is
/// known only at the end. The file has no name, so that it disappears with its descriptor however the process ends,
/// unless a later process is to go on with it.
struct ScratchRows: ~Copyable {
  /// The file's name where it has one.
  static let name = "scratch"

  private let path: String
  private let descriptor: Int32
  private let bytesPerRow: Int
  private let buffer: UnsafeMutableRawBufferPointer
  private var buffered = 0
  private var hasher = DigestBuilder()
  private(set) var count = 0
  /// Rows that `read` has at hand: those from `heldFirst` on.
  private let held: UnsafeMutableRawBufferPointer
  private var heldFirst = 0
  private var heldCount = 0

  /// - Parameter kept: how much of a file that was kept to go on with; nil for a new one.
  init(folder: String, columns: Int, isKept: Bool = false) throws {
    path = folder + "/" + ScratchRows.name
    descriptor = open(path, O_RDWR | O_CREAT | (isKept ? 0 : O_EXCL) | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileSystem.cannotWrite(path) }
    if !isKept { unlink(path) }
    bytesPerRow = 8 * columns
    let rows = max(1, DatasetLimits.readBufferBytes / bytesPerRow)
    buffer = .allocate(byteCount: rows * bytesPerRow, alignment: 64)
    held = .allocate(byteCount: rows * bytesPerRow, alignment: 64)
  }

  deinit {
    close(descriptor)
    buffer.deallocate()
    held.deallocate()
  }

  mutating func append(_ row: UnsafePointer<Double>) throws {
    if buffered == buffer.count { try flush() }
    UnsafeMutableRawBufferPointer(rebasing: buffer[buffered..<buffered + bytesPerRow])
      .copyMemory(from: UnsafeRawBufferPointer(start: row, count: bytesPerRow))
    buffered += bytesPerRow
    count += 1
  }

  /// Writes what is left; after it rows can be read.
  mutating func flush() throws {
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[0..<buffered])
    try FileSystem.writeAll(descriptor, bytes, path: path)
    hasher.update(bytes)
    buffered = 0
  }

  /// Makes all rows durable.
  /// - Returns: the digest of all of them.
  mutating func synchronize() throws -> Digest {
    try flush()
    guard fdatasync(descriptor) == 0 else { throw FileSystem.cannotWrite(path) }
    return hasher.current()
  }

  /// Takes over the first rows of a file that an earlier process left.
  /// - Returns: whether they are what it wrote; if not, this can't be used.
  mutating func takeOver(rows: Int, sha256: String) throws -> Bool {
    var left = rows * bytesPerRow
    while left > 0 {
      let most = min(left, buffer.count)
      let read = try FileSystem.read(
        descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<most]), path: path)
      if read == 0 { return false }
      hasher.update(UnsafeRawBufferPointer(rebasing: buffer[0..<read]))
      left -= read
    }
    count = rows
    guard hasher.current().description == sha256 else { return false }
    guard ftruncate(descriptor, off_t(rows * bytesPerRow)) == 0 else { throw FileSystem.cannotWrite(path) }
    return true
  }

  /// Reads row `index`, `[columns]`.
  borrowing func read(_ index: Int, into row: UnsafeMutableRawPointer) throws {
    try read(UnsafeMutableRawBufferPointer(start: row, count: bytesPerRow), from: index * bytesPerRow)
  }

  /// Reads row `index`, where rows are read one after the other.
  mutating func readInOrder(_ index: Int, into row: UnsafeMutableRawPointer) throws {
    if index < heldFirst || index >= heldFirst + heldCount {
      heldCount = min(held.count / bytesPerRow, count - index)
      heldFirst = index
      try read(
        UnsafeMutableRawBufferPointer(rebasing: held[0..<heldCount * bytesPerRow]), from: index * bytesPerRow)
    }
    guard let start = held.baseAddress else { return }
    row.copyMemory(from: start + (index - heldFirst) * bytesPerRow, byteCount: bytesPerRow)
  }

  private borrowing func read(_ bytes: UnsafeMutableRawBufferPointer, from start: Int) throws {
    var offset = 0
    while offset < bytes.count, let base = bytes.baseAddress {
      let count = pread(descriptor, base + offset, bytes.count - offset, off_t(start + offset))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw DatasetError(.cannotWrite, "\(path): can't be read back") }
      offset += count
    }
  }
}
