import Foundation

/// Rows of binary64 numbers in an unnamed file, written in order and read in any order.
///
/// Holds what an import can't write in its final form at once: rows to shuffle, and category codes whose order is
/// known only at the end.
struct ScratchRows: ~Copyable {
  private let path: String
  private let descriptor: Int32
  private let bytesPerRow: Int
  private let buffer: UnsafeMutableRawBufferPointer
  private var buffered = 0
  private(set) var count = 0

  init(folder: String, columns: Int) throws {
    path = folder + "/scratch"
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileSystem.cannotWrite(path) }
    // The file disappears with its descriptor, however the process ends.
    unlink(path)
    bytesPerRow = 8 * columns
    let rows = max(1, DatasetLimits.readBufferBytes / bytesPerRow)
    buffer = .allocate(byteCount: rows * bytesPerRow, alignment: 64)
  }

  deinit {
    close(descriptor)
    buffer.deallocate()
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
    try FileSystem.writeAll(descriptor, UnsafeRawBufferPointer(rebasing: buffer[0..<buffered]), path: path)
    buffered = 0
  }

  /// Reads row `index`, `[columns]`.
  borrowing func read(_ index: Int, into row: UnsafeMutableRawPointer) throws {
    var offset = 0
    while offset < bytesPerRow {
      let count = pread(descriptor, row + offset, bytesPerRow - offset, off_t(index * bytesPerRow + offset))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw DatasetError(.cannotWrite, "\(path): can't be read back") }
      offset += count
    }
  }
}
