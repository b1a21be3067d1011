import NumericsKit

/// Makes a design straight from files, without an imported table in between: where the statistics to apply are known,
/// one pass is enough. It is meant to be read once and removed.
public enum DesignStream {
  /// Writes the design of files into a folder, by the statistics of the training data (`request.reference`).
  /// - Returns: nil where it takes an import: for an imported folder, features of text, columns that are missing, rows
  ///   that may be sparse.
  /// - Throws: `DatasetError` naming file, line and column.
  public static func build(source: DataSource, request: DesignRequest, into folder: String) throws
    -> DesignManifest?
  {
    guard let reference = request.reference, let needed = request.neededColumns,
      request.features ?? reference.features == reference.features,
      reference.levels.allSatisfy(\.isEmpty), request.groups.isEmpty,
      Set(try source.columnNames()).isSuperset(of: needed)
    else { return nil }
    let response = request.response.map {
      ResponseColumn(
        name: $0, kind: request.responseKind,
        classes: request.responseKind.hasClasses ? reference.classes : nil)
    }
    var options = ImportOptions(columns: needed, response: response)
    let files = try SourceFiles.resolve(source)
    if case .folder = files { return nil }
    if case .sparse = files, request.importStorage != .dense { return nil }
    options.follow(reference, files)
    var table = try files.open(options, isDigested: false)
    return try write(&table, name: table.name, request, reference, into: folder)
  }

  private static func write<Table: TableSource & ~Copyable>(
    _ table: inout Table, name: String, _ request: DesignRequest, _ reference: DesignStatistics,
    into folder: String
  ) throws -> DesignManifest? {
    let count = table.columnNames.count
    let row = UnsafeMutablePointer<Double>.allocate(capacity: count)
    defer { row.deallocate() }
    guard try table.readRow(into: row) else { throw DatasetImporter.noRecords(name: name, dropped: 0) }
    let scaling = try FeatureScaling(reference, columns: table.columnNames, name: name)
    guard scaling.indices.allSatisfy({ table.categories[$0] == nil }) else { return nil }
    var coding = try StreamedResponse(request, reference, columns: table.columnNames)
    let columns = (request.intercept ? [DesignManifest.interceptName] : []) + scaling.features
    let rowsPerShard = DesignStream.rowsPerShard(bytesPerRow: columns.count * request.precision.byteCount)
    let staged = try StagedFolder(path: folder, isDurable: false)
    let element: NPYHeader.Element = request.precision == .float64 ? .float64 : .float32
    var features = ShardWriter(
      prefix: "features", element: element, columns: columns.count, rowsPerShard: rowsPerShard)
    var responses = ShardWriter(
      prefix: "responses", element: .float64, columns: nil, rowsPerShard: rowsPerShard)
    var rows = 0
    repeat {
      guard let featureRow = features.row, let responseRow = responses.row else { return nil }
      let problem =
        switch request.precision {
        case .float64:
          DesignBuilder.scale(
            row, scaling, request.intercept, featureRow.assumingMemoryBound(to: Double.self))
        case .float32:
          DesignBuilder.scale(row, scaling, request.intercept, featureRow.assumingMemoryBound(to: Float.self))
        }
      guard problem == nil else {
        throw scaling.overflow(row, request.precision, place: "\(name): row \(rows + 1)")
      }
      responseRow.storeBytes(
        of: try coding.response(row, coding.hasCategories ? table.categories : [], row: rows, name: name),
        as: Double.self)
      try features.endRow(staged)
      try responses.endRow(staged)
      rows += 1
    } while try table.readRow(into: row)
    try features.finish(staged)
    try responses.finish(staged)
    var hasher = DigestBuilder()
    hasher.update("isomix streamed design \(DesignManifest.currentFormatVersion)\n")
    for file in features.files + responses.files { hasher.update(file.sha256) }
    try ManifestFile.text(request).withUnsafeBytes { hasher.update($0) }
    let manifest = DesignManifest(
      formatVersion: DesignManifest.currentFormatVersion, columns: columns, classes: reference.classes,
      rows: rows, rowsPerShard: rowsPerShard, precision: request.precision, response: request.response,
      responseKind: request.responseKind, intercept: request.intercept, statistics: reference,
      shards: DesignManifest.Shard.list(features: features.files, responses: responses.files),
      key: hasher.finalize().description)
    try staged.write(ManifestFile.name, ManifestFile.bytes(manifest))
    try staged.commit(.refuse)
    return manifest
  }
}

extension DesignStream {
  /// Small shards, so that workers that share the rows of a job map and check different ones.
  private static let shardBytes = 1 << 21

  /// A power of two.
  private static func rowsPerShard(bytesPerRow: Int) -> Int {
    let rows = max(1, shardBytes / max(1, bytesPerRow))
    return 1 << (Int.bitWidth - 1 - rows.leadingZeroBitCount)
  }
}

/// Responses of rows as they are read: codes of categories are not final before the last row, but their texts are.
private struct StreamedResponse {
  private let index: Int?
  private let kind: ResponseKind
  private let classes: [String]
  /// Whether the categories of the table so far are looked at.
  var hasCategories: Bool { index != nil && kind.hasClasses }
  /// The class of each category seen so far, by its code.
  private var codes: [Double] = []

  init(_ request: DesignRequest, _ reference: DesignStatistics, columns: [String]) throws {
    index = request.response.flatMap { columns.firstIndex(of: $0) }
    kind = request.responseKind
    classes = reference.classes
  }

  mutating func response(
    _ row: UnsafePointer<Double>, _ categories: [CategoryTable?], row number: Int, name: String
  ) throws -> Double {
    guard let index else { return 0 }
    let value = row[index]
    guard kind.hasClasses else { return value }
    if let table = categories[index] {
      while codes.count < table.texts.count {
        codes.append(try code(of: table.texts[codes.count], name: name, row: number))
      }
      return codes[Int(value)]
    }
    return try code(of: String(Int(value)), name: name, row: number)
  }

  private func code(of text: String, name: String, row: Int) throws -> Double {
    guard let code = CategoryOrder.index(of: text, in: classes) else {
      throw DatasetError(
        .badData,
        "\(name): row \(row + 1): the response holds the class '\(text)', which the training data don't have; they "
          + "have \(ColumnChoice.quoted(classes))")
    }
    return Double(code)
  }
}
