import NumericsKit

/// A shard of a sparse matrix: one NPY file of bytes, in which three arrays follow one another.
///
/// For r rows with m stored numbers: where each row begins, r + 1 int64; the columns of the numbers, ascending within a
/// row, m int32; zeros up to a multiple of 8 bytes; the numbers, m float64 or float32. All little endian, as SciPy's
/// `csr_matrix` has them (`indptr`, `indices`, `data`).
struct SparseShard {
  let file: MappedFile
  let offsets: UnsafePointer<Int64>
  let places: UnsafePointer<Int32>
  let numbers: UnsafeRawPointer

  /// Where the arrays of a shard begin, counted from the first, and how long all are.
  struct Layout {
    let places: Int
    let numbers: Int
    let byteCount: Int

    init(rows: Int, count: Int, precision: Precision) {
      places = 8 * (rows + 1)
      numbers = places + (4 * count + 7) / 8 * 8
      byteCount = numbers + count * precision.byteCount
    }
  }

  /// Bytes that a row takes, at most, with numbers of float64.
  static func byteCount(ofRowWith count: Int) -> Int { 8 + 12 * count }

  /// - Throws: `DatasetError.changed` if the file has not the size of such a shard.
  init(_ file: MappedFile, rows: Int, precision: Precision) throws {
    let start = NPYHeader.writtenByteCount
    guard let base = file.bytes.baseAddress, file.bytes.count >= start + 8 * (rows + 1) else {
      throw NPYShard.changed(file.path)
    }
    let offsets = (base + start).assumingMemoryBound(to: Int64.self)
    let room = file.bytes.count / 4
    guard let count = Int(exactly: offsets[rows]), count >= 0, count <= room else {
      throw NPYShard.changed(file.path)
    }
    let layout = Layout(rows: rows, count: count, precision: precision)
    guard file.bytes.count == start + layout.byteCount else { throw NPYShard.changed(file.path) }
    self.file = file
    self.offsets = offsets
    places = (base + start + layout.places).assumingMemoryBound(to: Int32.self)
    numbers = base + start + layout.numbers
  }

  /// Checks digest, header, and that every number is in a column: what is read later is within the file.
  /// - Throws: `DatasetError.changed`.
  func check(sha256: String, rows: Int, columns: Int) throws {
    guard file.digest().description == sha256 else { throw NPYShard.changed(file.path) }
    let header = try NPYHeader(file.bytes, name: file.path)
    guard header.element == .uint8, header.dataOffset == NPYHeader.writtenByteCount,
      header.shape == [file.bytes.count - header.dataOffset], offsets[0] == 0
    else { throw NPYShard.changed(file.path) }
    for row in 0..<rows {
      guard offsets[row] <= offsets[row + 1], offsets[row + 1] <= offsets[rows] else {
        throw NPYShard.changed(file.path)
      }
      var last: Int32 = -1
      for index in Int(offsets[row])..<Int(offsets[row + 1]) {
        guard places[index] > last, places[index] < columns else { throw NPYShard.changed(file.path) }
        last = places[index]
      }
    }
  }
}

/// Collects sparse rows into shards and writes each one with its digest; holds one shard and the bytes of one.
struct SparseShardWriter {
  private(set) var files: [ShardWriter.File] = []
  /// Numbers of all rows so far.
  private(set) var nonzeros = 0
  private let prefix: String
  private let precision: Precision
  private let rowsPerShard: Int
  private var offsets: [Int64] = [0]
  private var places: [Int32] = []
  private var numbers: [Double] = []

  init(prefix: String, precision: Precision, rowsPerShard: Int) {
    self.prefix = prefix
    self.precision = precision
    self.rowsPerShard = rowsPerShard
  }

  /// Adds a row, whose numbers are in the order of their columns.
  mutating func append(_ row: SparseRow, _ folder: borrowing StagedFolder) throws {
    places += row.places
    numbers += row.numbers
    offsets.append(Int64(places.count))
    nonzeros += row.count
    if offsets.count > rowsPerShard { try flush(folder) }
  }

  /// Writes what is left.
  mutating func finish(_ folder: borrowing StagedFolder) throws {
    if offsets.count > 1 { try flush(folder) }
  }

  private mutating func flush(_ folder: borrowing StagedFolder) throws {
    let name = try ShardWriter.name(prefix, files.count, "csr.npy", folder)
    let rows = offsets.count - 1
    let layout = SparseShard.Layout(rows: rows, count: places.count, precision: precision)
    let header = NPYHeader.bytes(.uint8, shape: [layout.byteCount])
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: header.count + layout.byteCount, alignment: 64)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: header)
    let body = UnsafeMutableRawBufferPointer(rebasing: buffer[header.count...])
    offsets.withUnsafeBytes { body.copyMemory(from: $0) }
    let after = UnsafeMutableRawBufferPointer(rebasing: body[layout.places..<layout.numbers])
    after.initializeMemory(as: UInt8.self, repeating: 0)
    places.withUnsafeBytes { after.copyMemory(from: $0) }
    let end = UnsafeMutableRawBufferPointer(rebasing: body[layout.numbers...])
    switch precision {
    case .float64: numbers.withUnsafeBytes { end.copyMemory(from: $0) }
    case .float32:
      for (index, number) in numbers.enumerated() {
        end.storeBytes(of: Float(number), toByteOffset: 4 * index, as: Float.self)
      }
    }
    try folder.write(name, UnsafeRawBufferPointer(buffer))
    files.append(.init(name: name, rows: rows, sha256: Digest.of(UnsafeRawBufferPointer(buffer)).description))
    offsets.removeAll(keepingCapacity: true)
    offsets.append(0)
    places.removeAll(keepingCapacity: true)
    numbers.removeAll(keepingCapacity: true)
  }
}
