import NumericsKit

/// What an imported folder holds: a table of numbers and category codes, in shards.
public struct DatasetManifest: Codable, Sendable, Hashable {
  /// A column of the table.
  public struct Column: Codable, Sendable, Hashable {
    public enum Kind: String, Codable, Sendable { case numeric, categorical }

    public let name: String
    public let kind: Kind
    /// The categories of a categorical column, in order (numerical for integers, by UTF-8 bytes otherwise); the
    /// table holds indices into them.
    public let categories: [String]
    /// Rows of each category.
    public let categoryCounts: [Int]
    /// Statistics of a numeric column; nil for a categorical one.
    public let minimum: Double?
    public let maximum: Double?
    public let mean: Double?
    /// With the divisor n.
    public let standardDeviation: Double?
  }

  /// Consecutive rows of the table, `[rows, columns]`, in a file of their own.
  public struct Shard: Codable, Sendable, Hashable {
    /// The file's name in the folder.
    public let file: String
    public let rows: Int
    /// SHA-256 of the file, hexadecimal.
    public let sha256: String
  }

  /// The layout of the folder; there is one.
  public static let currentFormatVersion = 1

  public let formatVersion: Int
  /// What was imported.
  public let source: [SourceFile]
  public let columns: [Column]
  public let rows: Int
  /// Rows of every shard but the last; a power of two.
  public let rowsPerShard: Int
  public let shards: [Shard]
  public let shuffleSeed: UInt64?
  /// Records left out for missing values.
  public let droppedRows: Int
  /// Stored numbers of a sparse table, each of whose shards is one file of compressed rows; nil for a dense one.
  public internal(set) var nonzeros: Int? = nil
  /// Whether the indices of the LIBSVM files that it was imported from start at 0; nil where they start at 1, and for
  /// other files.
  public internal(set) var hasIndexZero: Bool? = nil

  /// What the table holds, wherever it came from: the digest of columns and shards without the names of files.
  package var contentKey: String {
    var hasher = DigestBuilder()
    for column in columns {
      hasher.update(
        "\(column.name.utf8.count):\(column.name)\(column.kind.rawValue)\(column.categories.count)")
      for category in column.categories { hasher.update("\(category.utf8.count):\(category)") }
    }
    for shard in shards { hasher.update(shard.sha256) }
    return hasher.finalize().description
  }
}

extension DatasetManifest: CheckedManifest {
  static var kind: String { "imported folder" }

  func problem() -> String? {
    if formatVersion != DatasetManifest.currentFormatVersion {
      return "format version \(formatVersion) is not \(DatasetManifest.currentFormatVersion)"
    }
    if let problem = ManifestRules.shards(shards.map(\.rows), rows: rows, rowsPerShard: rowsPerShard) {
      return problem
    }
    if let problem = ManifestRules.columns(columns.map(\.name)) { return problem }
    for column in columns {
      if let problem = DatasetManifest.problem(of: column, rows: rows) { return problem }
    }
    if let nonzeros, nonzeros < 0 || columns.contains(where: { $0.kind != .numeric }) {
      return "a sparse table of \(nonzeros) numbers, or of texts"
    }
    if droppedRows < 0 { return "a negative number of dropped rows" }
    if shards.contains(where: { !ManifestRules.isDigest($0.sha256) || !ManifestRules.isPlainName($0.file) }) {
      return "a shard without a plain file name or a digest"
    }
    if Set(shards.map(\.file)).count != shards.count { return "two shards in one file" }
    return nil
  }

  private static func problem(of column: Column, rows: Int) -> String? {
    switch column.kind {
    case .numeric:
      guard column.categories.isEmpty, column.categoryCounts.isEmpty, let minimum = column.minimum,
        let maximum = column.maximum, let mean = column.mean, let deviation = column.standardDeviation,
        [minimum, maximum, mean, deviation].allSatisfy(\.isFinite), minimum <= maximum, deviation >= 0
      else { return "column '\(column.name)' has impossible statistics" }
    case .categorical:
      guard !column.categories.isEmpty, column.categories.count <= DatasetLimits.categories,
        column.categoryCounts.count == column.categories.count,
        column.categoryCounts.allSatisfy({ $0 > 0 && $0 <= rows }),
        CategoryOrder.sorted(column.categories) == Array(column.categories.indices),
        zip(column.categories, column.categories.dropFirst()).allSatisfy({ !$0.utf8.elementsEqual($1.utf8) })
      else { return "column '\(column.name)' has impossible categories" }
    }
    return nil
  }
}
