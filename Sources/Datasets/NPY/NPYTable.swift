import NumericsKit

/// The rows of one or more NPY files with the same number of columns, with the response from another one if asked.
///
/// The columns are named `column_1`, `column_2`, …; that of a separate response file is named `response`.
struct NPYTable<Source: ByteSource>: ~Copyable, TableSource {
  /// The name of the column that a separate response file gives.
  static var responseName: String { "response" }

  let columnNames: [String]
  let categories: [CategoryTable?]
  private(set) var droppedRows = 0
  private(set) var missingValues: [Int]
  private let options: ImportOptions
  private let available: [String]
  /// Where each column of the files goes in a row; nil where it is not imported.
  private let targets: [Int?]
  private let names: [String]
  private let open: (Int) throws -> Source
  private var fileIndex = 0
  private var stream: NPYStream<Source>
  private var row = 0
  private var response: NPYStream<Source>?
  private var finished: [SourceFile] = []

  init(
    names: [String], responseName: String?, options: ImportOptions, open: @escaping (Int) throws -> Source,
    openResponse: () throws -> Source?
  ) throws {
    guard let first = names.first else { throw DatasetError(.noInput, "no NPY file is named") }
    guard options.categoricalColumns.isEmpty else {
      throw DatasetError(.badData, "\(first): NPY columns are numbers; none can be listed as categorical")
    }
    // All that can fail comes before the first stored property is set, as a struct that can't be copied needs.
    let stream = try NPYStream(source: try open(0), name: first)
    var available = (1...stream.header.columns).map { "column_\($0)" }
    let response = try NPYTable.response(name: responseName, open: openResponse)
    if response != nil { available.append(NPYTable.responseName) }
    let indices = try ColumnChoice.indices(of: options.columns, among: available, in: first)
    let columnNames = indices.map { available[$0] }
    var targets = [Int?](repeating: nil, count: available.count)
    for (target, index) in indices.enumerated() { targets[index] = target }
    if let response = options.response, !columnNames.contains(response.name) {
      throw ColumnChoice.missingColumns([response.name], available: available, in: first)
    }
    self.stream = stream
    self.response = response
    self.columnNames = columnNames
    self.available = available
    self.targets = targets
    self.options = options
    self.names = names
    self.open = open
    categories = [CategoryTable?](repeating: nil, count: indices.count)
    missingValues = [Int](repeating: 0, count: indices.count)
  }

  private static func response(name: String?, open: () throws -> Source?) throws -> NPYStream<Source>? {
    guard let name, let source = try open() else { return nil }
    let stream = try NPYStream(source: source, name: name)
    guard stream.header.columns == 1 else {
      throw DatasetError(.badData, "\(name): has \(stream.header.columns) columns; a response has one")
    }
    return stream
  }

  mutating func readRow(into values: UnsafeMutablePointer<Double>) throws -> Bool {
    while true {
      guard var value = try firstValue() else { return false }
      row += 1
      var isComplete = true
      let columns = stream.header.columns
      for index in 0..<columns {
        if index > 0 {
          guard let next = try stream.next() else { return false }
          value = next
        }
        if try !accept(value, index, into: values) { isComplete = false }
      }
      if response != nil {
        guard let next = try response?.next() else { throw rowsDiffer() }
        if try !accept(next, columns, into: values) { isComplete = false }
      }
      if isComplete { return true }
      droppedRows += 1
    }
  }

  /// The first value of the next row, from the next file if need be; nil after the last one.
  private mutating func firstValue() throws -> Double? {
    while true {
      if let value = try stream.next() { return value }
      guard finished.count == fileIndex else { return nil }
      try finishFile()
      guard fileIndex + 1 < names.count else {
        if response != nil, try response?.next() != nil { throw rowsDiffer() }
        return nil
      }
      let columns = stream.header.columns
      fileIndex += 1
      row = 0
      stream = try NPYStream(source: try open(fileIndex), name: names[fileIndex])
      guard stream.header.columns == columns else {
        throw DatasetError(
          .badData,
          "\(names[fileIndex]): has \(stream.header.columns) columns, but \(names[0]) has \(columns)")
      }
    }
  }

  private mutating func finishFile() throws {
    let (byteCount, digest) = try stream.finish()
    let name = FileSystem.lastComponent(names[fileIndex])
    finished.append(SourceFile(name: name, byteCount: byteCount, sha256: digest.description))
  }

  /// Puts a value in its place; false if it is missing and its row is to be dropped.
  private mutating func accept(
    _ value: Double, _ index: Int, into values: UnsafeMutablePointer<Double>
  ) throws -> Bool {
    guard let target = targets[index] else { return true }
    guard value.isFinite else {
      try options.requireDroppable(value) { place(index) }
      missingValues[target] += 1
      return false
    }
    if let response = options.response, response.name == available[index] {
      try ResponseRules.check(value, response) { place(index) }
    }
    values[target] = value
    return true
  }

  /// `file: row 3: column 2 'column_2'`, rows from 1.
  private func place(_ index: Int) -> String {
    "\(names[fileIndex]): row \(row): column \(index + 1) '\(available[index])'"
  }

  private func rowsDiffer() -> DatasetError {
    DatasetError(
      .badData, "\(names[0]): the features and the separate response file don't have the same number of rows")
  }

  mutating func finish() throws -> [SourceFile] {
    guard response != nil, let (byteCount, digest) = try response?.finish() else { return finished }
    return finished + [
      SourceFile(name: NPYTable.responseName, byteCount: byteCount, sha256: digest.description)
    ]
  }
}

/// What a numeric response may be.
enum ResponseRules {
  /// Whether a number is a whole one from 0 that is exact.
  static func isCount(_ value: Double) -> Bool { value >= 0 && value < 0x1p53 && value == value.rounded() }

  /// Throws if `value` can't be a response of this kind.
  static func check(_ value: Double, _ response: ResponseColumn, place: () -> String) throws {
    switch response.kind {
    case .real: return
    case .count:
      if isCount(value) { return }
      throw DatasetError(.badData, "\(place()) holds \(value), but a count is a whole number from 0")
    case .binary:
      if value == 0 || value == 1 { return }
      throw DatasetError(.badData, "\(place()) holds \(value), but a binary response is 0 or 1")
    case .classes:
      guard let integer = Int(exactly: value), abs(value) < 0x1p53 else {
        throw DatasetError(.badData, "\(place()) holds \(value), but a class is an integer or a text")
      }
      if let classes = response.classes, !classes.contains(String(integer)) {
        throw DatasetError(
          .badData,
          "\(place()) holds the class '\(integer)', which the training data don't have; "
            + "they have \(ColumnChoice.quoted(classes))")
      }
    }
  }
}
