import Foundation
import NumericsKit

/// What the columns of a table are like: enough to guess a model for it.
public struct DatasetProfile: Sendable {
  /// One column.
  public struct Column: Sendable, Hashable {
    public let name: String
    /// The different texts of a column of texts, in order; empty for numbers.
    public let categories: [String]
    /// Values that are missing, in all records.
    public let missing: Int
    /// Numbers only: extremes, mean and standard deviation (divisor n) over the records that are complete.
    public let minimum: Double
    public let maximum: Double
    public let mean: Double
    public let standardDeviation: Double
    /// Whether every number is a whole one.
    public let isWhole: Bool
    /// How many different numbers there are, counted up to ``DatasetProfile/mostDistinct``.
    public let distinct: Int

    public var isText: Bool { !categories.isEmpty }
    /// Whether all complete records have the same value.
    public var isConstant: Bool { isText ? categories.count == 1 : minimum == maximum }
  }

  /// Complete records, of which the statistics are.
  public let rows: Int
  /// Records in all.
  public let records: Int
  public let columns: [Column]
  /// Whether fits store the table sparse unless they are told otherwise.
  public internal(set) var isSparse = false

  /// Different numbers of a column that are told apart; more count as this many.
  public static let mostDistinct = 64

  /// Reads a file, a glob, or an imported folder, once.
  /// - Parameter columns: the columns that matter, so that values missing elsewhere don't; nil for all.
  /// - Throws: ``DatasetError``.
  public static func read(path: String, columns: [String]? = nil) throws -> DatasetProfile {
    var options = ImportOptions()
    options.missingValues = .drop
    options.columns = columns
    let files = try SourceFiles.resolve(DataSource(path))
    if case .folder(let folder) = files {
      let dataset = try Dataset.open(folder: folder)
      var profile = try read(dataset, columns: columns)
      profile.isSparse = dataset.isSparse
      return profile
    }
    if case .sparse(let paths) = files {
      let extent = try SparseText.extent(of: paths, options)
      var table = try SourceFiles.open(paths, extent, options)
      var profile = try read(&table, path: path)
      profile.isSparse = SparseImporter.storage(extent) == .sparse
      return profile
    }
    var table = try files.open(options, isDigested: false)
    return try read(&table, path: path)
  }

  private static func read<Table: TableSource & ~Copyable>(_ table: inout Table, path: String) throws
    -> DatasetProfile
  {
    let width = table.columnNames.count
    var statistics = ColumnStatistics(columns: width)
    var values = [DistinctValues](repeating: DistinctValues(), count: width)
    let row = UnsafeMutablePointer<Double>.allocate(capacity: width)
    defer { row.deallocate() }
    while try table.readRow(into: row) {
      statistics.add(row)
      for column in 0..<width { values[column].add(row[column]) }
    }
    let records = statistics.rows + table.droppedRows
    guard records > 0 else { throw DatasetImporter.noRecords(name: path, dropped: 0) }
    // A table without one complete record has no statistics; its missing values say which columns are to blame.
    guard statistics.rows > 0 else {
      return DatasetProfile(
        rows: 0, records: records,
        columns: table.columnNames.indices.map { index in
          emptyColumn(table.columnNames[index], missing: table.missingValues[index])
        })
    }
    let described = try DatasetImporter.describe(
      table.columnNames, CategoryCoding(table.categories), statistics, name: path)
    return DatasetProfile(
      rows: statistics.rows, records: records,
      columns: described.indices.map { index in
        column(described[index], missing: table.missingValues[index], values: values[index])
      })
  }

  private static func read(_ dataset: Dataset, columns chosen: [String]?) throws -> DatasetProfile {
    let all = dataset.manifest.columns
    let indices = try ColumnChoice.indices(of: chosen, among: all.map(\.name), in: dataset.folder)
    var values = [DistinctValues](repeating: DistinctValues(), count: indices.count)
    try dataset.forEachRow { row, _ in
      for (place, index) in indices.enumerated() { values[place].add(row[index]) }
    }
    return DatasetProfile(
      rows: dataset.manifest.rows, records: dataset.manifest.rows,
      columns: indices.enumerated().map { place, index in
        column(all[index], missing: 0, values: values[place])
      })
  }

  private static func column(_ column: DatasetManifest.Column, missing: Int, values: DistinctValues) -> Column
  {
    Column(
      name: column.name, categories: column.categories, missing: missing, minimum: column.minimum ?? 0,
      maximum: column.maximum ?? 0, mean: column.mean ?? 0,
      standardDeviation: column.standardDeviation ?? 0, isWhole: values.areWhole,
      distinct: values.found.count)
  }

  /// A column of a table without a complete record.
  private static func emptyColumn(_ name: String, missing: Int) -> Column {
    Column(
      name: name, categories: [], missing: missing, minimum: 0, maximum: 0, mean: 0, standardDeviation: 0,
      isWhole: false, distinct: 0)
  }
}

/// The different numbers of a column, up to a limit.
private struct DistinctValues {
  private(set) var found: Set<Double> = []
  private(set) var areWhole = true
  private var last = Double.nan

  mutating func add(_ value: Double) {
    // Zeros of a sparse table, above all.
    if value == last { return }
    last = value
    if areWhole, value != value.rounded() { areWhole = false }
    if found.count < DatasetProfile.mostDistinct { found.insert(value) }
  }
}
