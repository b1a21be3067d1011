import Foundation
import NumericsKit

/// Writes a table into a folder: shards as NPY files, and a manifest.
///
/// The files are read once, from beginning to end, in memory that does not grow with them: a few MiB a thread, two
/// shards, categories. The folder appears whole or not at all. An import of CSV files whose process is killed is gone
/// on with by the next one of the same files with the same options.
public enum DatasetImporter {
  /// Imports CSV files with the same header as one table.
  /// - Parameter folder: must not exist, or be empty.
  /// - Throws: `DatasetError` naming file, line and column.
  @discardableResult
  public static func importCSV(
    files: [String], into folder: String, options: ImportOptions = ImportOptions(),
    effort: ImportEffort = ImportEffort()
  ) throws -> DatasetManifest {
    try importCSV(files: files, into: folder, options: options, collision: .refuse, effort: effort)
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
    files: [String], into folder: String, options: ImportOptions, collision: StagedFolder.Collision,
    effort: ImportEffort = ImportEffort()
  ) throws -> DatasetManifest {
    try importText(
      files.map { CSVFile(path: $0) }, into: folder, options: options, collision: collision, effort: effort)
  }

  /// Imports CSV text of any origin.
  /// - Parameter folder: must not exist, or be empty.
  package static func importText(
    _ files: [CSVFile], into folder: String, options: ImportOptions, effort: ImportEffort
  ) throws -> DatasetManifest {
    try importText(files, into: folder, options: options, collision: .refuse, effort: effort)
  }

  /// Imports CSV text from files, or from programs that make it of files.
  static func importText(
    _ files: [CSVFile], into folder: String, options: ImportOptions, collision: StagedFolder.Collision,
    effort: ImportEffort
  ) throws -> DatasetManifest {
    func open() throws -> ParallelCSVTable {
      try ParallelCSVTable(
        files, options: options, threads: effort.threads, chunkBytes: effort.chunkBytes,
        most: effort.chunkLimit)
    }
    let name = files.first?.name ?? ""
    try checkPlace(folder, collision)
    guard effort.isResumable, files.allSatisfy(\.isText) else {
      var table = try open()
      return try write(&table, name: name, into: folder, options: options, collision: collision)
    }
    var staged = try StagedFolder(path: folder, isKept: true)
    let key = try ImportJournal.key(
      files: files.map(\.name), options: options, rowsPerShard: options.rowsPerShard)
    let manifest: DatasetManifest
    do {
      manifest = try resume(open, name: name, options: options, staged, key: key, effort)
    } catch let error as DatasetError {
      // With room on the disk a later import can go on; with these data none can.
      if error.code == .cannotWrite { staged.leave() }
      throw error
    }
    staged.removeFile(ImportJournal.name)
    staged.removeFile(ScratchRows.name)
    try staged.commit(collision)
    return manifest
  }

  /// Writes a table from where an earlier process left it, if one did and all is as it was then.
  private static func resume(
    _ open: () throws -> ParallelCSVTable, name: String, options: ImportOptions,
    _ staged: borrowing StagedFolder, key: String, _ effort: ImportEffort
  ) throws -> DatasetManifest {
    if let journal = ImportJournal.read(staged, key: key) {
      var table = try open()
      if try table.resume(at: journal.mark, isRead: journal.isRead) {
        effort.progress?(resuming(journal))
        do {
          return try write(&table, name: name, options: options, staged, key: key, from: journal, effort)
        } catch is UnusableScratch {
          // From the beginning, then.
        }
      }
    }
    try staged.clear()
    var table = try open()
    return try write(&table, name: name, options: options, staged, key: key, from: nil, effort)
  }

  /// Refuses a folder that the import could not take the place of in the end.
  private static func checkPlace(_ folder: String, _ collision: StagedFolder.Collision) throws {
    guard case .refuse = collision, let status = FileSystem.status(folder) else { return }
    let entries = status.isFolder ? try? FileManager.default.contentsOfDirectory(atPath: folder) : nil
    guard entries?.isEmpty == true else { throw StagedFolder.taken(folder) }
  }

  private static func resuming(_ journal: ImportJournal) -> String {
    let rows = max(journal.mark.rows, journal.scratch?.rows ?? 0)
    return
      "going on with an interrupted import: \(rows) rows were read, \(journal.shards.count) shards written"
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
    let staged = try StagedFolder(path: folder)
    let manifest = try write(
      &table, name: name, options: options, staged, key: "", from: nil, ImportEffort(isResumable: false))
    try staged.commit(collision)
    return manifest
  }

  /// Writes the rows of `table` into a folder, without committing it.
  ///
  /// - Parameters:
  ///   - key: of the import, for its journal.
  ///   - journal: how far an earlier process got; `table` is there.
  private static func write<Table: TableSource & ~Copyable>(
    _ table: inout Table, name: String, options: ImportOptions, _ staged: borrowing StagedFolder, key: String,
    from journal: ImportJournal?, _ effort: ImportEffort
  ) throws -> DatasetManifest {
    let columns = table.columnNames.count
    let rowsPerShard = try options.resolvedRowsPerShard(columns: columns)
    var writer = ShardWriter(
      prefix: "rows", element: .float64, columns: columns, rowsPerShard: rowsPerShard,
      files: journal?.shards.map { .init(name: $0.file, rows: $0.rows, sha256: $0.sha256) } ?? [])
    var statistics =
      if let snapshot = journal?.statistics, let found = ColumnStatistics(snapshot, columns: columns) {
        found
      } else {
        ColumnStatistics(columns: columns)
      }
    var log = ImportLog(
      key: key, rowsPerShard: rowsPerShard, isKept: staged.isKept, shards: writer.files.count)
    let row = UnsafeMutablePointer<Double>.allocate(capacity: columns)
    defer { row.deallocate() }
    var hasRow = journal?.isRead == true ? false : try table.readRow(into: row)
    guard hasRow || journal?.isRead == true else {
      throw noRecords(name: name, dropped: table.droppedRows)
    }
    // Category codes get their final order only after the last row.
    let isDirect = options.shuffleSeed == nil && table.categories.allSatisfy { $0 == nil }
    if isDirect {
      let known = writer.files.count * rowsPerShard
      while hasRow {
        if table.isAtMark { log.pass(table.mark, statistics) }
        statistics.add(row)
        if statistics.rows > known {
          writer.row?.copyMemory(from: row, byteCount: 8 * columns)
          try writer.endRow(staged)
          try log.endRow(statistics.rows, writer, staged)
        }
        hasRow = try table.readRow(into: row)
      }
    } else {
      var scratch = try ScratchRows(folder: staged.temporaryPath, columns: columns, isKept: staged.isKept)
      if let kept = journal?.scratch, try !scratch.takeOver(rows: kept.rows, sha256: kept.sha256) {
        throw UnusableScratch()
      }
      let interval = max(1, effort.journalBytes / (8 * columns))
      var journaled = scratch.count
      while hasRow {
        if table.isAtMark, staged.isKept, scratch.count - journaled >= interval, let mark = table.mark {
          try log.write(mark, statistics.snapshot(), writer, scratch: &scratch, isRead: false, staged)
          journaled = scratch.count
        }
        statistics.add(row)
        try scratch.append(row)
        hasRow = try table.readRow(into: row)
      }
      try scratch.flush()
      var isLogged = staged.isKept && scratch.count >= interval
      if let mark = table.endMark(), isLogged {
        try log.write(mark, statistics.snapshot(), writer, scratch: &scratch, isRead: true, staged)
      } else {
        isLogged = false
      }
      let permutation = options.shuffleSeed.map { RowPermutation(count: scratch.count, seed: $0) }
      let coding = CategoryCoding(table.categories)
      for index in writer.files.count * rowsPerShard..<max(scratch.count, writer.files.count * rowsPerShard) {
        guard let row = writer.row else { break }
        if let permutation {
          try scratch.read(permutation.source(of: index), into: row)
        } else {
          try scratch.readInOrder(index, into: row)
        }
        coding.apply(to: row.assumingMemoryBound(to: Double.self))
        let before = writer.files.count
        try writer.endRow(staged)
        if isLogged, writer.files.count > before, let mark = table.endMark() {
          try log.write(mark, statistics.snapshot(), writer, scratch: &scratch, isRead: true, staged)
        }
      }
    }
    try writer.finish(staged)
    let coding = CategoryCoding(table.categories)
    var manifest = DatasetManifest(
      formatVersion: DatasetManifest.currentFormatVersion, source: try table.finish(),
      columns: try describe(table.columnNames, coding, statistics, name: name),
      rows: statistics.rows, rowsPerShard: rowsPerShard,
      shards: writer.files.map { .init(file: $0.name, rows: $0.rows, sha256: $0.sha256) },
      shuffleSeed: options.shuffleSeed, droppedRows: table.droppedRows)
    manifest.hasIndexZero = options.hasIndexZero == true ? true : nil
    try staged.write(ManifestFile.name, ManifestFile.bytes(manifest))
    return manifest
  }

  static func noRecords(name: String, dropped: Int) -> DatasetError {
    let what =
      dropped == 0
      ? "has no records, only a header" : "has no record left: all \(dropped) have missing values"
    return DatasetError(.badData, "\(name): \(what)")
  }

  static func unboundedVariance(of column: String, in name: String) -> DatasetError {
    DatasetError(
      .badData, "\(name): column '\(column)' has values so large that its variance is not finite; rescale it")
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
      guard mean.isFinite, deviation.isFinite else { throw unboundedVariance(of: names[index], in: name) }
      columns.append(
        .init(
          name: names[index], kind: .numeric, categories: [], categoryCounts: [],
          minimum: statistics.minimum(index), maximum: statistics.maximum(index), mean: mean,
          standardDeviation: deviation))
    }
    return columns
  }
}
