import NumericsKit

/// Writes the rows of LIBSVM files as a sparse table.
enum SparseImporter {
  /// Matrices of which a larger share is other than 0 are stored dense. Measured with 123 and 1000 columns, a gradient at
  /// this share takes 0.27 to 0.4 of the time that it takes of dense rows, at twice the share 0.4 to 0.6; and only dense
  /// columns can be centred, which is not to be given up for little.
  static let largestDensity = 0.1

  /// How files with such rows are stored unless it is said.
  static func storage(_ extent: SparseText.Extent) -> MatrixStorage {
    extent.density <= largestDensity ? .sparse : .dense
  }

  /// - Parameter extent: of the files.
  static func write(
    _ paths: [String], _ extent: SparseText.Extent, into folder: String, options: ImportOptions,
    collision: StagedFolder.Collision
  ) throws -> DatasetManifest {
    let first = paths[0]
    guard options.shuffleSeed == nil else {
      throw DatasetError(
        .badData,
        "\(first): a sparse table keeps the order of its rows; leave out the shuffle (minibatches shuffle by "
          + "themselves), or store it dense")
    }
    let available = SparseText.columnNames(extent)
    try NumericColumns.check(available, options, in: first)
    let indices = try ColumnChoice.indices(of: options.columns, among: available, in: first)
    let names = indices.map { available[$0] }
    try NumericColumns.requireResponse(names, available, options, in: first)
    var targets = [Int32](repeating: -1, count: available.count)
    for (target, index) in indices.enumerated() { targets[index] = Int32(target) }
    let rowsPerShard = try extent.rowsPerShard(asked: options.rowsPerShard)
    let staged = try StagedFolder(path: folder)
    var writer = SparseShardWriter(prefix: "rows", precision: .float64, rowsPerShard: rowsPerShard)
    var statistics = SparseStatistics(columns: names.count)
    var source: [SourceFile] = []
    var (row, chosen) = (SparseRow(), SparseRow())
    for path in paths {
      var text = try SparseText(path: path, extent: extent, isBinary: options.response?.kind == .binary)
      while let label = try text.readRow(into: &row) {
        if let rule = options.response, rule.name == SparseText.responseName {
          try ResponseRules.check(label, rule) {
            "\(path): \(text.place): column \(available.count) '\(rule.name)'"
          }
        }
        chosen.removeAll()
        for index in 0..<row.count where targets[Int(row.places[index])] >= 0 {
          chosen.append(row.numbers[index], at: targets[Int(row.places[index])])
        }
        chosen.sort()
        if let rule = options.response, rule.name != SparseText.responseName {
          let value = chosen.value(in: names.firstIndex(of: rule.name) ?? 0)
          try ResponseRules.check(value, rule) { "\(path): \(text.place): column '\(rule.name)'" }
        }
        statistics.add(chosen)
        try writer.append(chosen, staged)
      }
      source.append(try text.finish())
    }
    guard statistics.rows > 0 else { throw DatasetImporter.noRecords(name: first, dropped: 0) }
    try writer.finish(staged)
    var manifest = DatasetManifest(
      formatVersion: DatasetManifest.currentFormatVersion, source: source,
      columns: try statistics.describe(names, name: first), rows: statistics.rows, rowsPerShard: rowsPerShard,
      shards: writer.files.map { .init(file: $0.name, rows: $0.rows, sha256: $0.sha256) }, shuffleSeed: nil,
      droppedRows: 0)
    manifest.nonzeros = writer.nonzeros
    manifest.hasIndexZero = extent.hasZero ? true : nil
    try staged.write(ManifestFile.name, ManifestFile.bytes(manifest))
    try staged.commit(collision)
    return manifest
  }
}

extension SparseRow {
  /// The number in a column.
  func value(in place: Int) -> Double {
    places.firstIndex(of: Int32(place)).map { numbers[$0] } ?? 0
  }
}
