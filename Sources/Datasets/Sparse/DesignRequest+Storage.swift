import NumericsKit

extension DesignRequest {
  /// Whether what is done to the columns leaves zeros as they are: of known statistics that nothing is subtracted.
  var keepsZeros: Bool {
    guard groups.isEmpty else { return false }
    guard let reference else { return true }
    return reference.means.allSatisfy { $0 == 0 } && reference.levels.allSatisfy(\.isEmpty)
  }

  /// How LIBSVM files are to be imported for this request; nil: as their density says.
  var importStorage: MatrixStorage? {
    reference != nil && !keepsZeros ? .dense : storage
  }

  /// The request with storage and centring as they will be for a table, so that requests for the same matrix are equal.
  /// - Throws: `DatasetError` where a sparse matrix can't be what is asked for.
  func settled(for dataset: Dataset) throws -> DesignRequest {
    var settled = self
    settled.storage = nil
    settled.centring = standardize && centring == false && reference == nil ? false : nil
    guard dataset.isSparse else {
      guard storage != .sparse || reference != nil else {
        throw DatasetError(
          .badData,
          "\(dataset.folder): data.storage: sparse is for LIBSVM files (.svm, .libsvm, .svmlight) and for folders that "
            + "they were imported into with it; this table is dense: use storage: dense")
      }
      return settled
    }
    guard importStorage != .dense else { return settled }
    let (rows, columns) = (dataset.manifest.rows, dataset.manifest.columns.count)
    guard groups.isEmpty else {
      throw DatasetError(
        .badData,
        "the data are sparse (\(dataset.manifest.densityText)), and groups need dense rows: set data.storage: dense "
          + "(\(rows) × \(columns) numbers), or leave model.groups out")
    }
    guard !standardize || centring != true || reference != nil else {
      throw DatasetError(
        .badData,
        "data.standardize: true centres columns, which would leave no zeros in a sparse matrix "
          + "(\(dataset.manifest.densityText)): set standardize: scale, which divides by the standard deviation and "
          + "subtracts nothing, or storage: dense (\(rows) × \(columns) numbers)")
    }
    settled.storage = .sparse
    settled.centring = standardize && reference == nil ? false : nil
    return settled
  }
}

extension DatasetManifest {
  /// The share of the numbers that is stored, in per cent.
  var densityText: String { densityPercent(nonzeros ?? 0, rows: rows, columns: columns.count) }
}
