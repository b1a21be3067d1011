import NumericsKit

extension DesignBuilder {
  /// Writes the sparse design of a sparse table: features divided by their scales, nothing subtracted.
  static func buildSparse(
    _ dataset: Dataset, _ request: DesignRequest, key: String, into folder: String,
    collision: StagedFolder.Collision
  ) throws -> DesignManifest {
    let scaling = try FeatureScaling(request, dataset)
    let coding = try ResponseCoding(request, dataset)
    var statistics = DesignStatistics(
      features: scaling.features, means: scaling.means, standardDeviations: scaling.standardDeviations,
      classes: coding.classes)
    statistics.hasIndexZero = dataset.manifest.hasIndexZero
    let columns = try columns(statistics, intercept: request.intercept)
    let first = request.intercept ? 1 : 0
    var targets = [Int32](repeating: -1, count: dataset.manifest.columns.count)
    var scales = [Double](repeating: 1, count: targets.count)
    for (feature, index) in scaling.indices.enumerated() {
      targets[index] = Int32(first + feature)
      scales[index] = scaling.standardDeviations[feature]
    }
    let rowsPerShard = dataset.manifest.rowsPerShard
    let staged = try StagedFolder(path: folder)
    var features = SparseShardWriter(
      prefix: "features", precision: request.precision, rowsPerShard: rowsPerShard)
    var responses = ShardWriter(
      prefix: "responses", element: .float64, columns: nil, rowsPerShard: rowsPerShard)
    var row = SparseRow()
    try dataset.forEachSparseRow(shuffledBy: request.shuffleSeed) { source, number in
      guard let responseRow = responses.row else { return }
      row.removeAll()
      if request.intercept { row.append(1, at: 0) }
      var observed = 0.0
      for index in 0..<source.count {
        let place = Int(source.places[index])
        if place == coding.index { observed = source.numbers[index] }
        // Extremes were looked at before, so that every number is finite.
        if targets[place] >= 0 { row.append(source.numbers[index] / scales[place], at: targets[place]) }
      }
      row.sort()
      try features.append(row, staged)
      let response = try coding.response(of: observed, number: number, folder: dataset.folder)
      responseRow.storeBytes(of: response, as: Double.self)
      try responses.endRow(staged)
    }
    try features.finish(staged)
    try responses.finish(staged)
    let manifest = DesignManifest(
      formatVersion: DesignManifest.currentFormatVersion, columns: columns, classes: coding.classes,
      rows: dataset.manifest.rows, rowsPerShard: rowsPerShard, precision: request.precision,
      response: request.response, responseKind: request.responseKind, intercept: request.intercept,
      statistics: statistics,
      shards: DesignManifest.Shard.list(features: features.files, responses: responses.files),
      key: key, shuffleSeed: request.shuffleSeed, nonzeros: features.nonzeros)
    try staged.write(ManifestFile.name, ManifestFile.bytes(manifest))
    try staged.commit(collision)
    return manifest
  }
}
