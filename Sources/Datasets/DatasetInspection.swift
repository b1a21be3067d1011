import Foundation
import NumericsKit

/// A summary of a table for people and scripts: what `isomix data inspect` shows.
public struct DatasetInspection: Codable, Sendable, CustomStringConvertible {
  /// The path as given.
  public let path: String
  /// Records without missing values; the statistics are of these.
  public let rows: Int
  /// Records with missing values.
  public let incompleteRows: Int
  public let columns: [DatasetManifest.Column]
  /// Missing values of each column, `[columns]`.
  public let missingValues: [Int]
  /// SHA-256 of the manifest of an imported folder; nil for files.
  public let digest: String?
  /// Stored numbers of a folder with a sparse table; nil for a dense one, and for files.
  public var nonzeros: Int? = nil

  /// Inspects an imported folder, or files; reads files once and writes nothing.
  /// - Throws: `DatasetError`.
  public static func inspect(path: String, options: ImportOptions = ImportOptions()) throws
    -> DatasetInspection
  {
    var options = options
    options.missingValues = .drop
    let files = try SourceFiles.resolve(DataSource(path))
    guard case .folder(let folder) = files else {
      var table = try files.open(options, isDigested: false)
      return try inspect(&table, path: path)
    }
    let dataset = try Dataset.open(folder: folder)
    let columns = dataset.manifest.columns
    return DatasetInspection(
      path: path, rows: dataset.manifest.rows, incompleteRows: dataset.manifest.droppedRows, columns: columns,
      missingValues: columns.map { _ in 0 }, digest: dataset.digest.description,
      nonzeros: dataset.manifest.nonzeros)
  }

  private static func inspect<Table: TableSource & ~Copyable>(
    _ table: inout Table, path: String
  ) throws -> DatasetInspection {
    let columns = table.columnNames.count
    var statistics = ColumnStatistics(columns: columns)
    let row = UnsafeMutablePointer<Double>.allocate(capacity: columns)
    defer { row.deallocate() }
    while try table.readRow(into: row) { statistics.add(row) }
    guard statistics.rows > 0 else { throw DatasetImporter.noRecords(name: path, dropped: table.droppedRows) }
    return DatasetInspection(
      path: path, rows: statistics.rows, incompleteRows: table.droppedRows,
      columns: try DatasetImporter.describe(
        table.columnNames, CategoryCoding(table.categories), statistics, name: path),
      missingValues: table.missingValues, digest: nil)
  }

  /// A table, a line a column.
  public var description: String {
    let header = ["column", "kind", "minimum", "maximum", "mean", "sd", "missing", "categories"]
    let lines = [header] + columns.indices.map { cells(columns[$0], missing: missingValues[$0]) }
    let widths = header.indices.map { index in lines.map { $0[index].count }.max() ?? 0 }
    let body = lines.map { line in
      let padded = zip(line, widths).enumerated().map { index, cell in
        let padding = String(repeating: " ", count: cell.1 - cell.0.count)
        // Names to the left, numbers to the right.
        return (2...6).contains(index) ? padding + cell.0 : cell.0 + padding
      }
      return trimmedRight(padded.joined(separator: "  "))
    }
    let incomplete =
      incompleteRows == 0 ? "" : ", and \(incompleteRows) with missing values, which are left out here"
    let storage =
      nonzeros.map { ", sparse: " + densityPercent($0, rows: rows, columns: columns.count) } ?? ""
    return (["\(path): \(rows) rows, \(columns.count) columns\(storage)\(incomplete)", ""] + body).joined(
      separator: "\n")
  }

  private func cells(_ column: DatasetManifest.Column, missing: Int) -> [String] {
    let numbers = [column.minimum, column.maximum, column.mean, column.standardDeviation].map {
      $0.map { short($0) } ?? ""
    }
    let categories = zip(column.categories, column.categoryCounts).prefix(8).map { "\($0) (\($1))" }
    let more = column.categories.count > 8 ? ", … \(column.categories.count) in all" : ""
    return [column.name, column.kind.rawValue] + numbers + [
      "\(missing)", categories.joined(separator: ", ") + more,
    ]
  }
}

/// Six significant digits.
private func short(_ value: Double) -> String {
  if value == value.rounded(), abs(value) < 1e9 { return String(Int(value)) }
  return String(format: "%.6g", value)
}

/// `0.25 % of the numbers are not 0`.
func densityPercent(_ nonzeros: Int, rows: Int, columns: Int) -> String {
  let share = 100 * Double(nonzeros) / max(1, Double(rows) * Double(columns))
  return String(format: "%.3g %% of the numbers are not 0", share)
}

private func trimmedRight(_ text: String) -> String {
  var end = text.endIndex
  while end > text.startIndex, text[text.index(before: end)] == " " { end = text.index(before: end) }
  return String(text[..<end])
}
