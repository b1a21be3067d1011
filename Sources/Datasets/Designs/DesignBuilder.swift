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
    if request.storage == .sparse {
      return try buildSparse(dataset, request, key: key, into: folder, collision: collision)
    }
    let scaling = try FeatureScaling(request, dataset)
    let coding = try ResponseCoding(request, dataset)
    let grouping = try GroupCoding(request, dataset)
    var statistics = DesignStatistics(
      features: scaling.features, levels: scaling.levels, means: scaling.means,
      standardDeviations: scaling.standardDeviations, classes: coding.classes, groups: grouping.groups)
    statistics.hasIndexZero = dataset.manifest.hasIndexZero
    let columns = try columns(statistics, intercept: request.intercept)
    let rowsPerShard = DatasetLimits.rowsPerShard(bytesPerRow: columns.count * request.precision.byteCount)
    let staged = try StagedFolder(path: folder)
    let element: NPYHeader.Element = request.precision == .float64 ? .float64 : .float32
    var features = ShardWriter(
      prefix: "features", element: element, columns: columns.count, rowsPerShard: rowsPerShard)
    var responses = ShardWriter(
      prefix: "responses", element: .float64, columns: nil, rowsPerShard: rowsPerShard)
    var levels = ShardWriter(
      prefix: "levels", element: .int32, columns: grouping.groups.count, rowsPerShard: rowsPerShard)
    try dataset.forEachRow(shuffledBy: request.shuffleSeed, scratchFolder: staged.temporaryPath) {
      row, number in
      guard let featureRow = features.row, let responseRow = responses.row, let levelRow = levels.row else {
        return
      }
      let problem =
        switch request.precision {
        case .float64:
          scale(row, scaling, request.intercept, featureRow.assumingMemoryBound(to: Double.self))
        case .float32:
          scale(row, scaling, request.intercept, featureRow.assumingMemoryBound(to: Float.self))
        }
      // Extremes were looked at before, so that every number is finite.
      if case .unknownLevel(let unknown)? = problem, let coding = scaling.codings[unknown] {
        throw coding.unknown(row[scaling.indices[unknown]], number: number, folder: dataset.folder)
      }
      if !grouping.groups.isEmpty {
        grouping.write(row, into: levelRow.assumingMemoryBound(to: Int32.self))
        try levels.endRow(staged)
      }
      let response = try coding.response(row, number: number, folder: dataset.folder)
      responseRow.storeBytes(of: response, as: Double.self)
      try features.endRow(staged)
      try responses.endRow(staged)
    }
    try features.finish(staged)
    try responses.finish(staged)
    try levels.finish(staged)
    let manifest = DesignManifest(
      formatVersion: DesignManifest.currentFormatVersion, columns: columns, classes: coding.classes,
      rows: dataset.manifest.rows, rowsPerShard: rowsPerShard, precision: request.precision,
      response: request.response, responseKind: request.responseKind, intercept: request.intercept,
      statistics: statistics,
      shards: DesignManifest.Shard.list(
        features: features.files, responses: responses.files, levels: levels.files),
      key: key, shuffleSeed: request.shuffleSeed)
    try staged.write(ManifestFile.name, ManifestFile.bytes(manifest))
    try staged.commit(collision)
    return manifest
  }

  /// The names of the matrix's columns.
  static func columns(_ statistics: DesignStatistics, intercept: Bool) throws -> [String] {
    let columns = (intercept ? [DesignManifest.interceptName] : []) + statistics.columns
    guard columns.count <= DatasetLimits.columns else {
      throw DatasetError(
        .badData,
        "the features make \(columns.count) columns, one for each level of a text column; the limit is "
          + "\(DatasetLimits.columns): list the features to use, or put columns of many levels into groups")
    }
    var seen: Set<String> = []
    if let twice = columns.first(where: { !seen.insert($0).inserted }) {
      throw DatasetError(
        .badData,
        "two columns of the design would be named '\(twice)', a feature and another one's level; rename one")
    }
    return columns
  }

  /// What is wrong with a row.
  enum BadRow {
    /// The feature, by its place, whose value is no level.
    case unknownLevel(Int)
    case notFinite
  }

  /// Writes a row of the matrix; says what is wrong with it, if anything is.
  @inline(__always)
  static func scale<Number: BinaryFloatingPoint>(
    _ row: UnsafePointer<Double>, _ scaling: FeatureScaling, _ intercept: Bool,
    _ output: UnsafeMutablePointer<Number>
  ) -> BadRow? {
    var isFinite = true
    var output = output
    if intercept {
      output.pointee = 1
      output += 1
    }
    for feature in scaling.indices.indices {
      let value = row[scaling.indices[feature]]
      // Most tables have no categories, and a coding is not free to look at.
      guard !scaling.isNumeric, let coding = scaling.codings[feature] else {
        let scaled = Number((value - scaling.means[feature]) / scaling.standardDeviations[feature])
        isFinite = isFinite && scaled.isFinite
        output.pointee = scaled
        output += 1
        continue
      }
      guard let level = coding.level(value) else { return .unknownLevel(feature) }
      for other in 1..<coding.levels.count { output[other - 1] = other == level ? 1 : 0 }
      output += coding.levels.count - 1
    }
    return isFinite ? nil : .notFinite
  }
}
