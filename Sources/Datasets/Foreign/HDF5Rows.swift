import CHDF5
import Foundation
import NumericsKit

/// The rows of an HDF5 file, read in blocks.
///
/// `file.h5` or `file.h5::/path`. The path names a dataset or a group; without one it is the root, and from a group that
/// holds nothing but one other group, that one. A table is
///
/// - a dataset of two dimensions `[rows, columns]`: columns `column_1`, …;
/// - a dataset of one dimension whose elements are compounds of numbers (a NumPy structured array): a column a member;
/// - a dataset of one dimension of numbers: one column, named as the dataset;
/// - a group: if all its datasets have one dimension and the same length, a column each, in the order of their names; if it
///   holds a single dataset, that one.
struct HDF5Rows: ~Copyable, NumericRows {
  let name: String
  let columnNames: [String]
  private let file: String
  private let isDigested: Bool
  private let objects: HDF5Objects
  private let rows: Int
  private let block: UnsafeMutablePointer<Double>
  private let blockRows: Int
  private var next = 0
  private var blockStart = 0
  private var blockCount = 0

  init(path: String, isDigested: Bool) throws {
    isomix_h5_be_silent()
    let (file, inside) = HDF5Rows.split(path)
    let objects = HDF5Objects(name: path)
    let (columnNames, rows) = try objects.open(file: file, at: inside)
    guard !columnNames.isEmpty, columnNames.count <= DatasetLimits.columns, rows <= DatasetLimits.rows else {
      throw DatasetError(
        .badData, "\(path): has \(columnNames.count) columns; tables have 1 to \(DatasetLimits.columns)")
    }
    name = path
    self.file = file
    self.isDigested = isDigested
    self.columnNames = columnNames
    self.objects = objects
    self.rows = rows
    blockRows = max(1, HDF5Rows.blockBytes / (8 * columnNames.count))
    block = .allocate(capacity: blockRows * columnNames.count)
  }

  deinit { block.deallocate() }

  private static let blockBytes = 1 << 22

  /// The file of a path, and where in it the table is.
  static func split(_ path: String) -> (file: String, inside: String?) {
    guard let mark = path.range(of: "::") else { return (path, nil) }
    return (String(path[..<mark.lowerBound]), String(path[mark.upperBound...]))
  }

  var place: String { "row \(next)" }

  mutating func readRow(into row: UnsafeMutablePointer<Double>) throws -> Bool {
    guard next < rows else { return false }
    if next == blockStart + blockCount {
      blockStart = next
      blockCount = min(blockRows, rows - next)
      try objects.read(blockStart, blockCount, columns: columnNames.count, into: block)
    }
    row.update(from: block + (next - blockStart) * columnNames.count, count: columnNames.count)
    next += 1
    return true
  }

  mutating func finish() throws -> SourceFile {
    let (byteCount, digest) =
      isDigested
      ? try FileByteSource(path: file).finish() : (FileSystem.status(file)?.byteCount ?? 0, Digest.of([]))
    return SourceFile(name: FileSystem.lastComponent(name), byteCount: byteCount, sha256: digest.description)
  }
}

/// What is open of an HDF5 file.
final class HDF5Objects {
  private enum Shape {
    /// One dataset `[rows, columns]`, or `[rows]` of numbers.
    case matrix(hid_t, dimensions: Int32, isEnumeration: Bool)
    /// One dataset `[rows]` of compounds, read as a row of doubles.
    case compounds(hid_t, rowType: hid_t)
    /// A dataset `[rows]` for each column.
    case columns([(dataset: hid_t, isEnumeration: Bool)])
  }

  private let name: String
  private var file: hid_t = -1
  private var datasets: [hid_t] = []
  private var types: [hid_t] = []
  private var shape: Shape?

  init(name: String) { self.name = name }

  deinit {
    for type in types { H5Tclose(type) }
    for dataset in datasets { H5Dclose(dataset) }
    if file >= 0 { H5Fclose(file) }
  }

  /// Opens what a path within a file names.
  /// - Returns: the names of the columns, and the number of rows.
  func open(file path: String, at inside: String?) throws -> ([String], Int) {
    close(try FileSystem.openForReading(path))
    file = isomix_h5_open_file(path)
    guard file >= 0 else {
      throw DatasetError(.badData, "\(name): libhdf5 can't open it; is it an HDF5 file, and whole?")
    }
    let start = inside.flatMap { $0.isEmpty ? nil : $0 } ?? "/"
    switch start == "/" ? 2 : isomix_h5_kind(file, start) {
    case 1: return try single(start)
    case 2: return try group(start)
    default:
      throw DatasetError(
        .badData, "\(name): there is no '\(start)' in it; it holds \(ColumnChoice.quoted(try links("/")))")
    }
  }

  private func links(_ path: String) throws -> [String] {
    let group = isomix_h5_open_group(file, path)
    guard group >= 0 else { throw unreadable(path) }
    defer { H5Gclose(group) }
    let count = isomix_h5_link_count(group)
    guard count >= 0, count <= DatasetLimits.columns else {
      throw DatasetError(
        .badData, "\(name): '\(path)' holds \(count) objects; at most \(DatasetLimits.columns) fit")
    }
    var buffer = [CChar](repeating: 0, count: DatasetLimits.nameBytes + 1)
    return try (0..<UInt64(count)).map { index in
      let length = isomix_h5_link_name(group, index, &buffer, buffer.count)
      guard length > 0, length <= DatasetLimits.nameBytes else { throw unreadable(path) }
      return String(decoding: buffer[0..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  private func group(_ path: String) throws -> ([String], Int) {
    let names = try links(path)
    func full(_ name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }
    let data = names.filter { isomix_h5_kind(file, full($0)) == 1 }
    let groups = names.filter { isomix_h5_kind(file, full($0)) == 2 }
    if data.count == 1 { return try single(full(data[0])) }
    if data.isEmpty, groups.count == 1 { return try group(full(groups[0])) }
    guard !data.isEmpty else {
      throw DatasetError(
        .badData,
        "\(name): '\(path)' holds no dataset but \(ColumnChoice.quoted(groups)); say which one: \(name)::\(full("…"))"
      )
    }
    var columns: [(dataset: hid_t, isEnumeration: Bool)] = []
    var rows = -1
    for column in data {
      let (dataset, sizes, kind) = try dataset(full(column))
      guard sizes.count == 1, kind == 1 || kind == 3, rows < 0 || sizes[0] == rows else {
        throw DatasetError(
          .badData,
          "\(name): the datasets \(ColumnChoice.quoted(data)) of '\(path)' are no columns of one table, which are "
            + "numbers of one dimension and length ('\(column)' is not); say which one to read: "
            + "\(name)::\(full(column))")
      }
      rows = sizes[0]
      columns.append((dataset, kind == 3))
    }
    shape = .columns(columns)
    return (data, rows)
  }

  private func single(_ path: String) throws -> ([String], Int) {
    let (dataset, sizes, kind) = try dataset(path)
    switch (sizes.count, kind) {
    case (2, 1), (2, 3):
      shape = .matrix(dataset, dimensions: 2, isEnumeration: kind == 3)
      return ((0..<sizes[1]).map { "column_\($0 + 1)" }, sizes[0])
    case (1, 1), (1, 3):
      shape = .matrix(dataset, dimensions: 1, isEnumeration: kind == 3)
      return ([FileSystem.lastComponent(path)], sizes[0])
    case (1, 2): return (try compounds(dataset, path), sizes[0])
    default:
      throw DatasetError(
        .badData,
        "\(name): '\(path)' has \(sizes.count) dimensions of \(kind == 0 ? "texts or other things" : "numbers"); a table "
          + "has rows and columns of numbers, or rows of compounds of numbers")
    }
  }

  private func compounds(_ dataset: hid_t, _ path: String) throws -> [String] {
    let type = H5Dget_type(dataset)
    guard type >= 0 else { throw unreadable(path) }
    defer { H5Tclose(type) }
    var names: [String] = []
    for member in 0..<UInt32(max(0, H5Tget_nmembers(type))) {
      guard let text = H5Tget_member_name(type, member) else { throw unreadable(path) }
      names.append(String(cString: text))
      H5free_memory(text)
      let kind = H5Tget_member_class(type, member)
      guard kind == H5T_INTEGER || kind == H5T_FLOAT else {
        throw DatasetError(
          .badData,
          "\(name): the member '\(names[names.count - 1])' of '\(path)' is no number; leave it out, or write the table "
            + "as Parquet or CSV")
      }
    }
    let copies = names.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    let row = copies.map { UnsafePointer($0) }.withUnsafeBufferPointer {
      isomix_h5_row_type($0.baseAddress, $0.count)
    }
    guard row >= 0 else { throw unreadable(path) }
    types.append(row)
    shape = .compounds(dataset, rowType: row)
    return names
  }

  /// Opens a dataset.
  /// - Returns: it, its sizes, and the kind of its elements.
  private func dataset(_ path: String) throws -> (hid_t, [Int], Int32) {
    let dataset = isomix_h5_open_dataset(file, path)
    guard dataset >= 0 else { throw unreadable(path) }
    datasets.append(dataset)
    let (space, type) = (H5Dget_space(dataset), H5Dget_type(dataset))
    guard space >= 0, type >= 0 else { throw unreadable(path) }
    defer {
      H5Sclose(space)
      H5Tclose(type)
    }
    let dimensions = H5Sget_simple_extent_ndims(space)
    guard (0...32).contains(dimensions) else { throw unreadable(path) }
    var sizes = [hsize_t](repeating: 0, count: max(1, Int(dimensions)))
    H5Sget_simple_extent_dims(space, &sizes, nil)
    return (
      dataset, sizes.prefix(Int(dimensions)).map { Int(min($0, hsize_t(DatasetLimits.rows))) },
      isomix_h5_type_kind(type)
    )
  }

  /// Reads rows as `[count, columns]`.
  func read(_ first: Int, _ count: Int, columns: Int, into rows: UnsafeMutablePointer<Double>) throws {
    let (start, number) = (UInt64(first), UInt64(count))
    switch shape {
    case nil: throw unreadable("/")
    case .matrix(let dataset, let dimensions, let isEnumeration):
      let status = isomix_h5_read(
        dataset, dimensions, start, number, UInt64(columns), -1, isEnumeration ? 1 : 0, rows)
      guard status >= 0 else { throw unreadable(rows: first, count) }
    case .compounds(let dataset, let rowType):
      guard isomix_h5_read(dataset, 1, start, number, 1, rowType, 0, rows) >= 0 else {
        throw unreadable(rows: first, count)
      }
    case .columns(let datasets):
      let column = UnsafeMutablePointer<Double>.allocate(capacity: count)
      defer { column.deallocate() }
      for (index, (dataset, isEnumeration)) in datasets.enumerated() {
        guard isomix_h5_read(dataset, 1, start, number, 1, -1, isEnumeration ? 1 : 0, column) >= 0 else {
          throw unreadable(rows: first, count)
        }
        for row in 0..<count { rows[row * columns + index] = column[row] }
      }
    }
  }

  private func unreadable(_ path: String) -> DatasetError {
    DatasetError(
      .badData, "\(name): '\(path)' can't be read; the file is damaged, or of a kind that libhdf5 lacks")
  }

  private func unreadable(rows first: Int, _ count: Int) -> DatasetError {
    DatasetError(
      .badData,
      "\(name): rows \(first + 1) to \(first + count) can't be read; the file is damaged, or compressed by a filter "
        + "that libhdf5 lacks")
  }
}
