import NumericsKit

/// Rows of numbers and category codes, read once from beginning to end.
protocol TableSource: ~Copyable {
  /// The names of the columns of a row.
  var columnNames: [String] { get }
  /// The categories of each column by code, in order of appearance; nil for numeric columns. Complete only after
  /// the last row; which columns are numeric is known after the first.
  var categories: [CategoryTable?] { get }
  /// Records left out for missing values so far.
  var droppedRows: Int { get }
  /// Missing values seen so far, a column.
  var missingValues: [Int] { get }
  /// Reads the next row, `[columnNames.count]`; false at the end.
  mutating func readRow(into row: UnsafeMutablePointer<Double>) throws -> Bool
  /// Whether the last row read is the first one after `mark`.
  var isAtMark: Bool { get }
  /// What was known at the last place from which a later reading can go on; nil where there is none.
  var mark: CSVMark? { get }
  /// What is known after the last row; nil where no later reading can go on.
  func endMark() -> CSVMark?
  /// What was read: file names without folders, sizes and digests.
  mutating func finish() throws -> [SourceFile]
}

extension TableSource where Self: ~Copyable {
  var isAtMark: Bool { false }
  var mark: CSVMark? { nil }
  func endMark() -> CSVMark? { nil }
}

/// A file that a table was imported from.
public struct SourceFile: Sendable, Codable, Hashable {
  /// The file's name, without its folder.
  public let name: String
  public let byteCount: Int
  /// SHA-256, hexadecimal.
  public let sha256: String
}

/// Picks the columns of a table that an import asks for.
enum ColumnChoice {
  /// The index of each chosen column among `available`.
  static func indices(of chosen: [String]?, among available: [String], in name: String) throws -> [Int] {
    guard let chosen else { return Array(available.indices) }
    var seen: Set<String> = []
    if let twice = chosen.first(where: { !seen.insert($0).inserted }) {
      throw DatasetError(.badData, "\(name): column '\(twice)' is asked for twice")
    }
    let positions = Dictionary(
      available.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let missing = chosen.filter { positions[$0] == nil }
    guard missing.isEmpty else { throw missingColumns(missing, available: available, in: name) }
    return chosen.compactMap { positions[$0] }
  }

  static func missingColumns(_ missing: [String], available: [String], in name: String) -> DatasetError {
    DatasetError(
      .badData,
      "\(name): has no \(columns(missing)); its columns are \(quoted(available))")
  }

  /// `column 'a'`, or `columns 'a', 'b'`.
  static func columns(_ names: [String]) -> String {
    (names.count == 1 ? "column " : "columns ") + quoted(names)
  }

  /// `'a', 'b'` and how many more.
  static func quoted(_ names: [String], limit: Int = 20) -> String {
    let listed = names.prefix(limit).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > limit ? "\(listed) and \(names.count - limit) more" : listed
  }
}
