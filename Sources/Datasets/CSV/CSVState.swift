/// What a column of a CSV file becomes.
enum CSVHandling: Sendable, Codable, Hashable {
  /// Not imported.
  case skip
  /// Decided by the first value.
  case undecided
  case number
  /// A number that has to be 0 or 1.
  case binary
  /// A whole number from 0.
  case count
  /// A category; with the largest number of different ones.
  case category(limit: Int)
  /// A category, one of those that the training data have.
  case level(allowed: [String])
  /// A class: integers are the same class however they are written; with the only classes allowed, if known.
  case classLabel(limit: Int, allowed: [String]?)
}

/// The columns of CSV files with the same header, and which of them are imported.
struct CSVLayout: Sendable {
  let options: ImportOptions
  /// The columns of the files.
  let header: [String]
  /// The columns of a row.
  let columnNames: [String]
  /// Where each column of the files goes in a row.
  let targets: [Int]

  /// - Returns: the layout, and the state before the first record.
  static func make(_ header: [String], options: ImportOptions, name: String) throws -> (CSVLayout, CSVState) {
    let indices = try ColumnChoice.indices(of: options.columns, among: header, in: name)
    let columnNames = indices.map { header[$0] }
    var handlings = [CSVHandling](repeating: .skip, count: header.count)
    var targets = [Int](repeating: 0, count: header.count)
    for (target, index) in indices.enumerated() {
      handlings[index] = handling(of: header[index], options: options)
      targets[index] = target
    }
    let unknown = options.categoricalColumns.subtracting(header).sorted()
    guard unknown.isEmpty else { throw ColumnChoice.missingColumns(unknown, available: header, in: name) }
    if let response = options.response, !columnNames.contains(response.name) {
      throw ColumnChoice.missingColumns([response.name], available: header, in: name)
    }
    return (
      CSVLayout(options: options, header: header, columnNames: columnNames, targets: targets),
      CSVState(handlings: handlings, columns: indices.count)
    )
  }

  static func handling(of name: String, options: ImportOptions) -> CSVHandling {
    if let response = options.response, response.name == name {
      switch response.kind {
      case .real: return .number
      case .count: return .count
      case .classes: return .classLabel(limit: DatasetLimits.classes, allowed: response.classes)
      case .binary:
        guard let classes = response.classes, classes != ["0", "1"] else { return .undecided }
        return .classLabel(limit: 2, allowed: classes)
      }
    }
    if let levels = options.knownLevels[name] { return .level(allowed: levels) }
    if options.labelColumns.contains(name) {
      return .classLabel(limit: DatasetLimits.categories, allowed: nil)
    }
    return options.categoricalColumns.contains(name) ? .category(limit: DatasetLimits.categories) : .undecided
  }
}

/// What the records of CSV files have shown so far.
struct CSVState: Sendable, Codable {
  /// What each column of the files becomes.
  var handlings: [CSVHandling]
  /// The categories of each column of a row, in order of appearance.
  var categories: [CategoryTable?]
  /// Bytes of the texts of all categories.
  var categoryBytes = 0
  /// Missing values of each column of a row.
  var missingValues: [Int]
  /// Records left out for missing values.
  var droppedRows = 0

  init(handlings: [CSVHandling], columns: Int) {
    self.handlings = handlings
    categories = [CategoryTable?](repeating: nil, count: columns)
    missingValues = [Int](repeating: 0, count: columns)
  }
}

extension CSVState {
  /// Adds what a part of the records showed that was read on its own, from the handlings that this state has.
  ///
  /// - Parameter targets: where each column of the files goes in a row.
  /// - Returns: for each column of a row, the code here of each code there; nil, having changed nothing, where a limit
  ///   may be passed: whoever reads those records from this state on will know.
  mutating func add(_ part: CSVState, targets: [Int]) -> [[Double]]? {
    guard hasRoom(for: part, targets: targets) else { return nil }
    var codes = [[Double]](repeating: [], count: categories.count)
    for target in categories.indices {
      guard let other = part.categories[target] else { continue }
      var table = categories[target] ?? CategoryTable()
      categories[target] = nil
      categoryBytes -= table.byteCount
      codes[target] = table.add(other).map(Double.init)
      categoryBytes += table.byteCount
      categories[target] = table
    }
    for target in missingValues.indices { missingValues[target] += part.missingValues[target] }
    droppedRows += part.droppedRows
    handlings = part.handlings
    return codes
  }

  private func hasRoom(for part: CSVState, targets: [Int]) -> Bool {
    var bytes = categoryBytes
    for (index, handling) in part.handlings.enumerated() {
      let limit: Int
      switch handling {
      case .category(let most), .classLabel(let most, _): limit = most
      case .level: limit = DatasetLimits.categories
      default: continue
      }
      guard let other = part.categories[targets[index]] else { continue }
      let growth = categories[targets[index]]?.growth(by: other) ?? (other.texts.count, other.byteCount)
      guard (categories[targets[index]]?.texts.count ?? 0) + growth.0 <= limit else { return false }
      bytes += growth.1
    }
    return bytes <= DatasetLimits.categoryBytes
  }
}
