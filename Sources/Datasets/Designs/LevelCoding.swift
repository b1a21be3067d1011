/// How the values of a table's column become indices of levels.
struct LevelCoding {
  /// The levels in order.
  let levels: [String]
  /// By category code, nil for a category that is no level; for a categorical column.
  private let codes: [Int?]
  /// By integer, for a numeric column.
  private let integers: [Int: Int]
  private let column: DatasetManifest.Column

  init(_ column: DatasetManifest.Column, levels: [String]) {
    self.column = column
    self.levels = levels
    let places = Dictionary(
      levels.enumerated().map { (Array($1.utf8), $0) }, uniquingKeysWith: { first, _ in first })
    codes = column.categories.map { places[Array($0.utf8)] }
    integers = Dictionary(
      levels.enumerated().compactMap { index, name in Int(name).map { ($0, index) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// The level of a value of the table; nil for one that is none.
  func level(_ value: Double) -> Int? {
    guard let code = Int(exactly: value) else { return nil }
    guard column.kind == .categorical else { return integers[code] }
    return codes.indices.contains(code) ? codes[code] : nil
  }

  /// What is said of a value that is no level.
  func unknown(_ value: Double, number: Int, folder: String) -> DatasetError {
    let code = Int(exactly: value)
    let name = code.flatMap { column.categories.indices.contains($0) ? column.categories[$0] : nil }
    return DatasetError(
      .badData,
      "\(folder): row \(number + 1): column '\(column.name)' holds the level '\(name ?? "\(value)")', which the "
        + "training data don't have; they have \(ColumnChoice.quoted(levels))")
  }
}

/// The columns of a table that group its rows.
struct GroupCoding {
  /// Index of each in the table.
  let indices: [Int]
  let codings: [LevelCoding]
  let groups: [DesignGroup]

  /// - Throws: `DatasetError` naming the column that is missing or holds numbers that are not whole.
  init(_ request: DesignRequest, _ dataset: Dataset) throws {
    let columns = dataset.manifest.columns
    if let response = request.response, request.groups.contains(response) {
      throw DatasetError(
        .badData, "column '\(response)' is the response and can't group the rows as well")
    }
    indices = try ColumnChoice.indices(of: request.groups, among: columns.map(\.name), in: dataset.folder)
    if let reference = request.reference, reference.groups.map(\.name) != request.groups {
      throw DatasetError(
        .badData,
        "the group columns \(ColumnChoice.quoted(request.groups)) are not those of the training data, "
          + ColumnChoice.quoted(reference.groups.map(\.name)))
    }
    let levels =
      try request.reference?.groups.map(\.levels)
      ?? indices.map { index in
        columns[index].kind == .categorical
          ? columns[index].categories : try GroupCoding.integers(dataset, index)
      }
    codings = zip(indices, levels).map { LevelCoding(columns[$0], levels: $1) }
    groups = zip(indices, levels).map { DesignGroup(name: columns[$0].name, levels: $1) }
  }

  /// The different integers of a numeric column, in order.
  private static func integers(_ dataset: Dataset, _ index: Int) throws -> [String] {
    let name = dataset.manifest.columns[index].name
    var found: Set<Int> = []
    try dataset.forEachRow { row, number in
      guard let integer = Int(exactly: row[index]), abs(row[index]) < 0x1p53 else {
        throw DatasetError(
          .badData,
          "\(dataset.folder): row \(number + 1): column '\(name)' holds \(row[index]), but a column that groups "
            + "rows holds texts or whole numbers")
      }
      found.insert(integer)
      guard found.count <= DatasetLimits.categories else {
        throw DatasetError(
          .badData, "column '\(name)' has more than \(DatasetLimits.categories) different values to group by")
      }
    }
    return found.sorted().map(String.init)
  }

  /// Writes the levels of a row `[groups]`: their number for one that the training data don't have, whose effect is 0.
  @inline(__always)
  func write(_ row: UnsafePointer<Double>, into output: UnsafeMutablePointer<Int32>) {
    for (place, index) in indices.enumerated() {
      let coding = codings[place]
      output[place] = Int32(coding.level(row[index]) ?? coding.levels.count)
    }
  }
}
