import NumericsKit

/// Which columns of a table are the features of a design, and how they are scaled or coded.
struct FeatureScaling {
  let features: [String]
  /// Index of each feature in the table.
  let indices: [Int]
  /// How each categorical feature's values become levels; nil for numeric ones.
  let codings: [LevelCoding?]
  let means: [Double]
  let standardDeviations: [Double]
  /// Whether no feature is categorical.
  let isNumeric: Bool

  /// The levels of each feature; none of numeric ones.
  var levels: [[String]] { codings.map { $0?.levels ?? [] } }

  /// - Throws: `DatasetError` naming all columns that are missing, constant, or not what they were in the training data.
  init(_ request: DesignRequest, _ dataset: Dataset) throws {
    let (columns, folder) = (dataset.manifest.columns, dataset.folder)
    let available = columns.map(\.name)
    let names =
      request.features ?? request.reference?.features
      ?? available.filter { $0 != request.response && !request.groups.contains($0) }
    if let reference = request.reference, reference.features != names {
      throw DatasetError(
        .badData,
        "the features \(ColumnChoice.quoted(names)) are not those of the training data, "
          + ColumnChoice.quoted(reference.features))
    }
    if let both = names.first(where: request.groups.contains) {
      throw DatasetError(.badData, "column '\(both)' groups the rows and can't be a feature as well")
    }
    if let response = request.response, names.contains(response) {
      throw DatasetError(
        .badData, "column '\(response)' is the response and can't be a feature as well")
    }
    if names.isEmpty, !request.intercept {
      throw DatasetError(
        .badData, "\(folder): there are no features and no intercept; name at least one feature")
    }
    if request.intercept, names.contains(DesignManifest.interceptName) {
      throw DatasetError(
        .badData,
        "a feature named '\(DesignManifest.interceptName)' can't go with an added intercept; rename it or set "
          + "intercept: false")
    }
    indices = try ColumnChoice.indices(of: names, among: available, in: folder)
    let used = indices.map { columns[$0] }
    features = names
    codings = try FeatureScaling.codings(request, used)
    isNumeric = codings.allSatisfy { $0 == nil }
    (means, standardDeviations) = try FeatureScaling.scales(request, used)
    try checkRange(used, request.precision)
  }

  /// Text becomes one 0/1 column a level but the first; the levels are those of the training data.
  private static func codings(
    _ request: DesignRequest, _ columns: [DatasetManifest.Column]
  ) throws -> [LevelCoding?] {
    guard let reference = request.reference else {
      let constant = columns.filter { $0.kind == .categorical && $0.categories.count < 2 }.map(\.name)
      guard constant.isEmpty else {
        throw DatasetError(
          .badData,
          "the same text in every row of \(ColumnChoice.columns(constant)), which tells no rows apart; leave such "
            + "columns out of the features")
      }
      return columns.map { $0.kind == .categorical ? LevelCoding($0, levels: $0.categories) : nil }
    }
    guard reference.levels.count == columns.count else {
      throw DatasetError(.badData, "the training statistics to apply are damaged; fit again")
    }
    let texts = columns.indices.filter { columns[$0].kind == .categorical && reference.levels[$0].isEmpty }
    guard texts.isEmpty else {
      throw DatasetError(
        .badData,
        "text in \(ColumnChoice.columns(texts.map { columns[$0].name })), where the training data have numbers"
      )
    }
    return zip(columns, reference.levels).map { column, levels in
      levels.isEmpty ? nil : LevelCoding(column, levels: levels)
    }
  }

  private static func scales(
    _ request: DesignRequest, _ columns: [DatasetManifest.Column]
  ) throws -> ([Double], [Double]) {
    if let reference = request.reference {
      guard reference.isConsistent, reference.means.count == columns.count else {
        throw DatasetError(.badData, "the training statistics to apply are damaged; fit again")
      }
      return (reference.means, reference.standardDeviations)
    }
    guard request.standardize else {
      return ([Double](repeating: 0, count: columns.count), [Double](repeating: 1, count: columns.count))
    }
    if request.centring == false || request.storage == .sparse {
      // A column without spread, an index that no row has perhaps, stays as it is.
      return (
        [Double](repeating: 0, count: columns.count),
        columns.map { ($0.standardDeviation ?? 1) > 0 ? $0.standardDeviation ?? 1 : 1 }
      )
    }
    // Levels keep their 0 and 1, whatever their share of the rows.
    let constant = columns.filter {
      $0.kind == .numeric && ($0.minimum == $0.maximum || $0.standardDeviation == 0)
    }.map(\.name)
    guard constant.isEmpty else {
      throw DatasetError(
        .badData,
        "the same value in every row of \(ColumnChoice.columns(constant)), which can't be standardised; leave such "
          + "columns out of the features, or set standardize: false")
    }
    return (columns.map { $0.mean ?? 0 }, columns.map { $0.standardDeviation ?? 1 })
  }

  /// Scaling is monotone: if a column's extremes stay finite in the precision asked, so do all its values.
  private func checkRange(_ columns: [DatasetManifest.Column], _ precision: Precision) throws {
    for (index, column) in columns.enumerated() {
      for extreme in [column.minimum ?? 0, column.maximum ?? 0] {
        let value = (extreme - means[index]) / standardDeviations[index]
        guard precision == .float64 ? value.isFinite : Float(value).isFinite else {
          throw DatasetError(
            .badData,
            "column '\(column.name)' holds \(extreme), which does not fit into \(precision.rawValue) after scaling; "
              + "rescale it")
        }
      }
    }
  }

  /// By statistics that are known.
  init(_ reference: DesignStatistics, columns: [String], name: String) throws {
    features = reference.features
    indices = try ColumnChoice.indices(of: reference.features, among: columns, in: name)
    codings = reference.features.map { _ in nil }
    isNumeric = true
    (means, standardDeviations) = (reference.means, reference.standardDeviations)
  }

  /// The error for a row with a number that does not stay finite.
  func overflow(_ row: UnsafePointer<Double>, _ precision: Precision, place: String) -> DatasetError {
    let index = features.indices.first { index in
      let value = (row[indices[index]] - means[index]) / standardDeviations[index]
      return precision == .float64 ? !value.isFinite : !Float(value).isFinite
    }
    return DatasetError(
      .badData,
      "\(place): column '\(index.map { features[$0] } ?? "")' holds \(index.map { row[indices[$0]] } ?? 0), which does "
        + "not fit into \(precision.rawValue) after scaling; rescale it")
  }
}
