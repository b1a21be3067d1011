import NumericsKit

/// Rows of numbers of a file with columns that have names: what a format's reader has to give.
protocol NumericRows: ~Copyable {
  /// The file's path, for messages.
  var name: String { get }
  var columnNames: [String] { get }
  /// Reads the next row, `[columnNames.count]`; false at the end.
  mutating func readRow(into row: UnsafeMutablePointer<Double>) throws -> Bool
  /// Where the last row is, for messages: `row 3`, or `line 3`.
  var place: String { get }
  /// The file's size and digest. Ends the rows.
  mutating func finish() throws -> SourceFile
}

/// The rows of one or more files with the same columns, all of them numbers; NaN is a missing value.
struct NumericTable<Rows: NumericRows & ~Copyable>: ~Copyable, TableSource {
  let columnNames: [String]
  let categories: [CategoryTable?]
  private(set) var droppedRows = 0
  private(set) var missingValues: [Int]
  private let options: ImportOptions
  /// The columns of the files.
  private let available: [String]
  /// The column of the files that each column of a row is.
  private let indices: [Int]
  /// The column of a row that is the response; nil for none.
  private let response: Int?
  private let count: Int
  private let open: (Int) throws -> Rows
  private var fileIndex = 0
  private var rows: Rows
  private let row: UnsafeMutablePointer<Double>
  private var finished: [SourceFile] = []

  init(count: Int, options: ImportOptions, open: @escaping (Int) throws -> Rows) throws {
    let rows = try open(0)
    let available = rows.columnNames
    let name = rows.name
    try NumericColumns.check(available, options, in: name)
    let indices = try ColumnChoice.indices(of: options.columns, among: available, in: name)
    let columnNames = indices.map { available[$0] }
    try NumericColumns.requireResponse(columnNames, available, options, in: name)
    self.rows = rows
    self.available = available
    self.indices = indices
    self.columnNames = columnNames
    self.options = options
    self.count = count
    self.open = open
    response = options.response.flatMap { columnNames.firstIndex(of: $0.name) }
    categories = [CategoryTable?](repeating: nil, count: indices.count)
    missingValues = [Int](repeating: 0, count: indices.count)
    row = .allocate(capacity: available.count)
  }

  deinit { row.deallocate() }

  mutating func readRow(into values: UnsafeMutablePointer<Double>) throws -> Bool {
    while true {
      if try !rows.readRow(into: row) {
        guard try nextFile() else { return false }
        continue
      }
      var isComplete = true
      for (target, index) in indices.enumerated() {
        let value = row[index]
        values[target] = value
        if !value.isFinite { isComplete = try accept(value, target) && isComplete }
        if target == response, value.isFinite, let rule = options.response {
          try ResponseRules.check(value, rule) { place(target) }
        }
      }
      if isComplete { return true }
      droppedRows += 1
    }
  }

  private mutating func nextFile() throws -> Bool {
    guard finished.count == fileIndex else { return false }
    finished.append(try rows.finish())
    guard fileIndex + 1 < count else { return false }
    fileIndex += 1
    let first = rows.name
    rows = try open(fileIndex)
    guard rows.columnNames == available else {
      throw DatasetError(
        .badData,
        "\(rows.name): its columns are \(ColumnChoice.quoted(rows.columnNames)), not those of \(first)")
    }
    return true
  }

  /// What becomes of a value that is not finite: false if its row is dropped.
  private mutating func accept(_ value: Double, _ target: Int) throws -> Bool {
    try options.requireDroppable(value) { place(target) }
    missingValues[target] += 1
    return false
  }

  /// `file: row 3: column 2 'b'`.
  private func place(_ target: Int) -> String {
    "\(rows.name): \(rows.place): column \(indices[target] + 1) '\(columnNames[target])'"
  }

  mutating func finish() throws -> [SourceFile] { finished }
}

/// What the columns of files with numbers alone have to be.
enum NumericColumns {
  static func check(_ available: [String], _ options: ImportOptions, in name: String) throws {
    guard options.categoricalColumns.isEmpty else {
      throw DatasetError(.badData, "\(name): all columns are numbers; none can be listed as categorical")
    }
    guard !available.isEmpty, available.count <= DatasetLimits.columns else {
      throw DatasetError(
        .badData, "\(name): has \(available.count) columns; tables have 1 to \(DatasetLimits.columns)")
    }
  }

  static func requireResponse(
    _ chosen: [String], _ available: [String], _ options: ImportOptions, in name: String
  ) throws {
    if let response = options.response, !chosen.contains(response.name) {
      throw ColumnChoice.missingColumns([response.name], available: available, in: name)
    }
  }
}
