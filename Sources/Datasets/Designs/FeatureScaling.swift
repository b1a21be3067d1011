import NumericsKit

/// Which columns of a table are the features of a design, and how they are scaled.
struct FeatureScaling {
  let features: [String]
  /// Index of each feature in the table.
  let indices: [Int]
  let means: [Double]
  let standardDeviations: [Double]

  /// - Throws: `DatasetError` naming all columns that are missing, hold text, or are constant.
  init(_ request: DesignRequest, _ dataset: Dataset) throws {
    let (columns, folder) = (dataset.manifest.columns, dataset.folder)
    let available = columns.map(\.name)
    let names = request.features ?? request.reference?.features ?? available.filter { $0 != request.response }
    if let reference = request.reference, reference.features != names {
      throw DatasetError(
        .badData,
        "the features \(ColumnChoice.quoted(names)) are not those of the training data, "
          + ColumnChoice.quoted(reference.features))
    }
    if names.contains(request.response) {
      throw DatasetError(
        .badData, "column '\(request.response)' is the response and can't be a feature as well")
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
    let texts = used.filter { $0.kind == .categorical }.map(\.name)
    guard texts.isEmpty else {
      throw DatasetError(
        .badData,
        "text in \(ColumnChoice.columns(texts)), but a model multiplies numbers; convert such columns to numbers (one "
          + "0/1 column a category) or list the features to use")
    }
    features = names
    (means, standardDeviations) = try FeatureScaling.scales(request, used)
    try checkRange(used, request.precision)
  }

  private static func scales(
    _ request: DesignRequest, _ columns: [DatasetManifest.Column]
  ) throws -> ([Double], [Double]) {
    if let reference = request.reference {
      guard reference.means.count == columns.count, reference.standardDeviations.count == columns.count,
        reference.means.allSatisfy(\.isFinite),
        reference.standardDeviations.allSatisfy({ $0.isFinite && $0 > 0 })
      else { throw DatasetError(.badData, "the training statistics to apply are damaged; fit again") }
      return (reference.means, reference.standardDeviations)
    }
    guard request.standardize else {
      return ([Double](repeating: 0, count: columns.count), [Double](repeating: 1, count: columns.count))
    }
    let constant = columns.filter { $0.minimum == $0.maximum || $0.standardDeviation == 0 }.map(\.name)
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
}
