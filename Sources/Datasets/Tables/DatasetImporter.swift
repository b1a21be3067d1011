import NumericsKit

/// Writes a table into a folder: shards as NPY files, and a manifest.
///
/// The files are read once, from beginning to end, in memory that does not grow with them: read buffer, one
/// shard, categories. The folder appears whole or not at all.
public enum DatasetImporter {
  /// Imports CSV files with the same header as one table.
  /// - Parameter folder: must not exist, or be empty.
  /// - Throws: `DatasetError` naming file, line and column.
  @discardableResult
  public static func importCSV(
    files: [String], into folder: String, options: ImportOptions = ImportOptions()
  ) throws -> DatasetManifest {
    try importCSV(files: files, into: folder, options: options, collision: .refuse)
  }

  /// Imports NPY files with the same number of columns as one table.
  /// - Parameters:
  ///   - responseFile: an NPY file `[rows]` that becomes the last column, `response`; nil for none.
  ///   - folder: must not exist, or be empty.
  /// - Throws: `DatasetError` naming file, row and column.
  @discardableResult
  public static func importNPY(
    files: [String], responseFile: String? = nil, into folder: String,
    options: ImportOptions = ImportOptions()
  ) throws -> DatasetManifest {
    try importNPY(
      files: files, responseFile: responseFile, into: folder, options: options, collision: .refuse)
  }

  static func importCSV(
    files: [String], into folder: String, options: ImportOptions, collision: StagedFolder.Collision
  ) throws -> DatasetManifest {
    var table = try CSVTable(names: files, options: options) { try FileByteSource(path: files[$0]) }
    return try write(&table, name: files[0], into: folder, options: options, collision: collision)
  }

  static func importNPY(
    files: [String], responseFile: String?, into folder: String, options: ImportOptions,
    collision: StagedFolder.Collision
  ) throws -> DatasetManifest {
    var table = try NPYTable(
      names: files, responseName: responseFile, options: options,
      open: { try FileByteSource(path: files[$0]) },
      openResponse: { try responseFile.map { try FileByteSource(path: $0) } })
    return try write(&table, name: files[0], into: folder, options: options, collision: collision)
  }

  /// Writes all rows of `table`.
  static func write<Table: TableSource & ~Copyable>(
    _ table: inout Table, name: String, into folder: String, options: ImportOptions,
    collision: StagedFolder.Collision
  ) throws -> DatasetManifest {
    let columns = table.columnNames.count
    let rowsPerShard = try options.resolvedRowsPerShard(columns: columns)
    let staged = try StagedFolder(path: folder)
    var writer = ShardWriter(prefix: "rows", element: .float64, columns: columns, rowsPerShard: rowsPerShard)
    var statistics = ColumnStatistics(columns: columns)
    let row = UnsafeMutablePointer<Double>.allocate(capacity: columns)
    defer { row.deallocate() }
    guard try table.readRow(into: row) else {
      throw noRecords(name: name, dropped: table.droppedRows)
    }
    // Category codes get their final order only after the last row.
    let isDirect = options.shuffleSeed == nil && table.categories.allSatisfy { $0 == nil }
    if isDirect {
      repeat {
        statistics.add(row)
        writer.row?.copyMemory(from: row, byteCount: 8 * columns)
        try writer.endRow(staged)
      } while try table.readRow(into: row)
    } else {
      var scratch = try ScratchRows(folder: staged.temporaryPath, columns: columns)
      repeat {
        statistics.add(row)
        try scratch.append(row)
      } while try table.readRow(into: row)
      try scratch.flush()
      try gather(scratch, options.shuffleSeed, CategoryCoding(table.categories), &writer, staged)
    }
    try writer.finish(staged)
    let coding = CategoryCoding(table.categories)
    let manifest = DatasetManifest(
      formatVersion: DatasetManifest.currentFormatVersion, source: try table.finish(),
      columns: try describe(table.columnNames, coding, statistics, name: name),
      rows: statistics.rows, rowsPerShard: rowsPerShard,
      shards: writer.files.map { .init(file: $0.name, rows: $0.rows, sha256: $0.sha256) },
      shuffleSeed: options.shuffleSeed, droppedRows: table.droppedRows)
    try staged.write(ManifestFile.name, ManifestFile.bytes(manifest))
    try staged.commit(collision)
    return manifest
  }

  /// Writes the rows in their final order with their final category codes.
  private static func gather(
    _ scratch: borrowing ScratchRows, _ seed: UInt64?, _ coding: CategoryCoding, _ writer: inout ShardWriter,
    _ folder: borrowing StagedFolder
  ) throws {
    let permutation = seed.map { RowPermutation(count: scratch.count, seed: $0) }
    for index in 0..<scratch.count {
      guard let row = writer.row else { return }
      try scratch.read(permutation?.source(of: index) ?? index, into: row)
      coding.apply(to: row.assumingMemoryBound(to: Double.self))
      try writer.endRow(folder)
    }
  }

  static func noRecords(name: String, dropped: Int) -> DatasetError {
    let what =
      dropped == 0
      ? "has no records, only a header" : "has no record left: all \(dropped) have missing values"
    return DatasetError(.badData, "\(name): \(what)")
  }

  static func describe(
    _ names: [String], _ coding: CategoryCoding, _ statistics: borrowing ColumnStatistics, name: String
  ) throws -> [DatasetManifest.Column] {
    var columns: [DatasetManifest.Column] = []
    for index in names.indices {
      if let (texts, counts) = coding.categories(index) {
        columns.append(
          .init(
            name: names[index], kind: .categorical, categories: texts, categoryCounts: counts, minimum: nil,
            maximum: nil, mean: nil, standardDeviation: nil))
        continue
      }
      let (mean, deviation) = (statistics.mean(index), statistics.standardDeviation(index))
      guard mean.isFinite, deviation.isFinite else {
        throw DatasetError(
          .badData,
          "\(name): column '\(names[index])' has values so large that its variance is not finite; rescale it")
      }
      columns.append(
        .init(
          name: names[index], kind: .numeric, categories: [], categoryCounts: [],
          minimum: statistics.minimum(index), maximum: statistics.maximum(index), mean: mean,
          standardDeviation: deviation))
    }
    return columns
  }
}
