/// How the values of a table's column become responses: class indices, or the numbers themselves.
struct ResponseCoding {
  /// Index of the response in the table; nil for data without one.
  let index: Int?
  /// The classes in order; empty for a real response.
  let classes: [String]
  /// By category code; nil for a numeric column.
  private let codes: [Double]?
  /// By integer, for a numeric column of classes.
  private let integers: [Int: Double]
  private let rule: ResponseColumn?
  /// Whether -1 stands for 0, as in LIBSVM files with a binary response.
  private let hasSigns: Bool

  /// - Throws: `DatasetError` naming the column and the class that does not fit.
  init(_ request: DesignRequest, _ dataset: Dataset) throws {
    let folder = dataset.folder
    hasSigns = dataset.isSparse && request.responseKind == .binary
    guard let name = request.response else {
      // Data without a response have the classes that the training data had.
      (index, classes, codes, integers, rule) = (nil, request.reference?.classes ?? [], nil, [:], nil)
      return
    }
    guard let index = dataset.manifest.columns.firstIndex(where: { $0.name == name }) else {
      throw ColumnChoice.missingColumns(
        [name], available: dataset.manifest.columns.map(\.name), in: folder)
    }
    self.index = index
    let column = dataset.manifest.columns[index]
    let place = "response '\(column.name)'"
    let known = request.reference?.classes
    guard request.responseKind.hasClasses else {
      guard column.kind == .numeric else {
        throw DatasetError(
          .badData, "\(place) holds text, but a \(request.responseKind.rawValue) response holds numbers")
      }
      (classes, codes, integers) = ([], nil, [:])
      rule = ResponseColumn(name: column.name, kind: request.responseKind)
      return
    }
    let found: [String]
    if column.kind == .categorical {
      found = column.categories
    } else if request.responseKind == .binary {
      found = known ?? ["0", "1"]
    } else {
      found = try ResponseCoding.integerClasses(dataset, index, place: place)
    }
    let classes = known ?? found
    let unknown = found.filter { CategoryOrder.index(of: $0, in: classes) == nil }
    guard unknown.isEmpty else {
      throw DatasetError(
        .badData,
        "\(place) holds the class \(ColumnChoice.quoted(unknown)), which the training data don't have; they have "
          + ColumnChoice.quoted(classes))
    }
    try ResponseCoding.checkCount(classes, request.responseKind, place: place)
    self.classes = classes
    codes =
      column.kind == .numeric
      ? nil : found.map { name in Double(CategoryOrder.index(of: name, in: classes) ?? 0) }
    integers = Dictionary(
      classes.enumerated().compactMap { code, name in Int(name).map { ($0, Double(code)) } },
      uniquingKeysWith: { first, _ in first })
    // A numeric binary response is 0 or 1 whatever its classes are called.
    rule = ResponseColumn(
      name: column.name, kind: request.responseKind == .binary && known == nil ? .binary : .classes,
      classes: classes)
  }

  private static func checkCount(_ classes: [String], _ kind: ResponseKind, place: String) throws {
    if kind == .binary, classes.count != 2 {
      throw DatasetError(
        .badData,
        "\(place) has the categories \(ColumnChoice.quoted(classes)), but a binary one has exactly two"
      )
    }
    guard classes.count >= 2, classes.count <= DatasetLimits.classes else {
      throw DatasetError(
        .badData,
        "\(place) has \(classes.count) different classes; a classification has 2 to \(DatasetLimits.classes)")
    }
  }

  /// The different integers of a numeric column, in order.
  private static func integerClasses(_ dataset: Dataset, _ index: Int, place: String) throws -> [String] {
    var found: Set<Int> = []
    let rule = ResponseColumn(name: dataset.manifest.columns[index].name, kind: .classes)
    try dataset.forEachRow { row, number in
      try ResponseRules.check(row[index], rule) { "\(dataset.folder): row \(number + 1): \(place)" }
      found.insert(Int(row[index]))
      guard found.count <= DatasetLimits.classes else {
        throw DatasetError(.badData, "\(place) has more than \(DatasetLimits.classes) classes")
      }
    }
    return found.sorted().map(String.init)
  }

  /// The response of a row of the table; `number` is the row's, from 0, for messages.
  func response(_ row: UnsafePointer<Double>, number: Int, folder: String) throws -> Double {
    try response(of: index.map { row[$0] } ?? 0, number: number, folder: folder)
  }

  /// The response that a value of the response's column is.
  func response(of value: Double, number: Int, folder: String) throws -> Double {
    guard let rule else { return 0 }
    if hasSigns, value == -1 { return 0 }
    if rule.kind == .real { return value }
    if let codes {
      guard let code = Int(exactly: value), codes.indices.contains(code) else {
        throw DatasetError(
          .badData, "\(folder): row \(number + 1): the response is no category; import the data again")
      }
      return codes[code]
    }
    try ResponseRules.check(value, rule) { "\(folder): row \(number + 1): response '\(rule.name)'" }
    return rule.kind == .classes ? integers[Int(value)] ?? 0 : value
  }
}
