import NumericsKit

/// Collects rows into shards and writes each one as an NPY file with its digest.
///
/// One shard is in memory at a time; its size does not depend on the number of rows of the table.
struct ShardWriter: ~Copyable {
  /// A written shard.
  struct File {
    let name: String
    let rows: Int
    let sha256: String
  }

  private(set) var files: [File] = []
  /// The first part of the files' names.
  private let prefix: String
  private let element: NPYHeader.Element
  /// nil for one-dimensional shards.
  private let columns: Int?
  private let rowsPerShard: Int
  private let bytesPerRow: Int
  private let buffer: UnsafeMutableRawBufferPointer
  private var rows = 0

  init(prefix: String, element: NPYHeader.Element, columns: Int?, rowsPerShard: Int) {
    self.prefix = prefix
    self.element = element
    self.columns = columns
    self.rowsPerShard = rowsPerShard
    bytesPerRow = (columns ?? 1) * element.byteCount
    // Pages that are never touched cost nothing: a small table does not use the whole buffer.
    buffer = .allocate(byteCount: NPYHeader.writtenByteCount + rowsPerShard * bytesPerRow, alignment: 64)
  }

  deinit { buffer.deallocate() }

  /// Where the next row goes.
  @inline(__always)
  var row: UnsafeMutableRawPointer? {
    buffer.baseAddress.map { $0 + NPYHeader.writtenByteCount + rows * bytesPerRow }
  }

  /// Takes the row that was put at `row`.
  @inline(__always)
  mutating func endRow(_ folder: borrowing StagedFolder) throws {
    rows += 1
    if rows == rowsPerShard { try flush(folder) }
  }

  /// Writes what is left.
  mutating func finish(_ folder: borrowing StagedFolder) throws {
    if rows > 0 { try flush(folder) }
  }

  private mutating func flush(_ folder: borrowing StagedFolder) throws {
    guard files.count < DatasetLimits.shards else {
      throw DatasetError(
        .badData, "\(folder.path): has more than \(DatasetLimits.shards) shards; choose more rows a shard")
    }
    let header = NPYHeader.bytes(element, shape: columns.map { [rows, $0] } ?? [rows])
    buffer.copyBytes(from: header)
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[0..<header.count + rows * bytesPerRow])
    let number = String(files.count)
    let name = prefix + "-" + String(repeating: "0", count: max(0, 6 - number.count)) + number + ".npy"
    try folder.write(name, bytes)
    files.append(File(name: name, rows: rows, sha256: Digest.of(bytes).description))
    rows = 0
  }
}
