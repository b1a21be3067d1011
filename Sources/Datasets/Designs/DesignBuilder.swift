import NumericsKit

/// Writes the design matrix of a table into a folder.
enum DesignBuilder {
  /// What a design is made from: the table's content and the request.
  static func key(_ dataset: Dataset, _ request: DesignRequest) throws -> String {
    var hasher = DigestBuilder()
    hasher.update("isomix design \(DesignManifest.currentFormatVersion)\n\(dataset.manifest.contentKey)\n")
    try ManifestFile.text(request).withUnsafeBytes { hasher.update($0) }
    return hasher.finalize().description
  }

  static func build(
    _ dataset: Dataset, _ request: DesignRequest, key: String, into folder: String,
    collision: StagedFolder.Collision
  ) throws -> DesignManifest {
    let scaling = try FeatureScaling(request, dataset)
    let coding = try ResponseCoding(request, dataset)
    let columns = (request.intercept ? [DesignManifest.interceptName] : []) + scaling.features
    let rowsPerShard = DatasetLimits.rowsPerShard(bytesPerRow: columns.count * request.precision.byteCount)
    let staged = try StagedFolder(path: folder)
    let element: NPYHeader.Element = request.precision == .float64 ? .float64 : .float32
    var features = ShardWriter(
      prefix: "features", element: element, columns: columns.count, rowsPerShard: rowsPerShard)
    var responses = ShardWriter(
      prefix: "responses", element: .float64, columns: nil, rowsPerShard: rowsPerShard)
    try dataset.forEachRow { row, number in
      guard let featureRow = features.row, let responseRow = responses.row else { return }
      switch request.precision {
      case .float64: scale(row, scaling, request.intercept, featureRow.assumingMemoryBound(to: Double.self))
      case .float32: scale(row, scaling, request.intercept, featureRow.assumingMemoryBound(to: Float.self))
      }
      let response = try coding.response(row, number: number, folder: dataset.folder)
      responseRow.storeBytes(of: response, as: Double.self)
      try features.endRow(staged)
      try responses.endRow(staged)
    }
    try features.finish(staged)
    try responses.finish(staged)
    let manifest = DesignManifest(
      formatVersion: DesignManifest.currentFormatVersion, columns: columns, classes: coding.classes,
      rows: dataset.manifest.rows, rowsPerShard: rowsPerShard, precision: request.precision,
      response: request.response, responseKind: request.responseKind, intercept: request.intercept,
      statistics: DesignStatistics(
        features: scaling.features, means: scaling.means, standardDeviations: scaling.standardDeviations,
        classes: coding.classes),
      shards: zip(features.files, responses.files).map { feature, response in
        .init(
          featureFile: feature.name, featureSHA256: feature.sha256, responseFile: response.name,
          responseSHA256: response.sha256, rows: feature.rows)
      },
      key: key)
    try staged.write(ManifestFile.name, ManifestFile.bytes(manifest))
    try staged.commit(collision)
    return manifest
  }

  @inline(__always)
  private static func scale<Number: BinaryFloatingPoint>(
    _ row: UnsafePointer<Double>, _ scaling: FeatureScaling, _ intercept: Bool,
    _ output: UnsafeMutablePointer<Number>
  ) {
    var output = output
    if intercept {
      output.pointee = 1
      output += 1
    }
    for feature in scaling.indices.indices {
      let value = row[scaling.indices[feature]]
      output[feature] = Number((value - scaling.means[feature]) / scaling.standardDeviations[feature])
    }
  }
}
