import NumericsKit

/// What a folder with a design matrix holds.
///
/// It names no paths and no times: the same data give the same manifest, and so the same digest, on every host.
public struct DesignManifest: Codable, Sendable, Hashable {
  /// Consecutive rows: features `[rows, columns]`, responses `[rows]` and, with groups, the indices of each row's levels
  /// `[rows, groups]`, each in a file of its own.
  public struct Shard: Codable, Sendable, Hashable {
    public let featureFile: String
    /// SHA-256 of the file, hexadecimal.
    public let featureSHA256: String
    public let responseFile: String
    public let responseSHA256: String
    public let levelFile: String?
    public let levelSHA256: String?
    public let rows: Int

    init(
      featureFile: String, featureSHA256: String, responseFile: String, responseSHA256: String,
      levelFile: String? = nil, levelSHA256: String? = nil, rows: Int
    ) {
      self.featureFile = featureFile
      self.featureSHA256 = featureSHA256
      self.responseFile = responseFile
      self.responseSHA256 = responseSHA256
      self.levelFile = levelFile
      self.levelSHA256 = levelSHA256
      self.rows = rows
    }

    /// Shards of the files that were written for them.
    static func list(
      features: [ShardWriter.File], responses: [ShardWriter.File], levels: [ShardWriter.File] = []
    ) -> [Shard] {
      zip(features, responses).enumerated().map { index, files in
        let level = levels.indices.contains(index) ? levels[index] : nil
        return Shard(
          featureFile: files.0.name, featureSHA256: files.0.sha256, responseFile: files.1.name,
          responseSHA256: files.1.sha256, levelFile: level?.name, levelSHA256: level?.sha256,
          rows: files.0.rows)
      }
    }

    /// Its files with their digests.
    var files: [(name: String, sha256: String)] {
      [(featureFile, featureSHA256), (responseFile, responseSHA256)]
        + (levelFile.flatMap { name in levelSHA256.map { [(name, $0)] } } ?? [])
    }
  }

  /// The layout of the folder; there is one.
  public static let currentFormatVersion = 2
  /// The name of the column of ones.
  public static let interceptName = "intercept"

  public let formatVersion: Int
  /// The columns of the matrix; the intercept's comes first.
  public let columns: [String]
  /// The classes of a binary (two) or classes response, in order; a response is an index into them. Empty for
  /// numbers.
  public let classes: [String]
  public let rows: Int
  /// Rows of every shard but the last; a power of two.
  public let rowsPerShard: Int
  public let precision: Precision
  /// The name of the response; nil where the data have none, and responses are 0.
  public let response: String?
  public let responseKind: ResponseKind
  public let intercept: Bool
  /// What was applied to the features.
  public let statistics: DesignStatistics
  /// The columns that group rows.
  public var groups: [DesignGroup] { statistics.groups }
  public internal(set) var shards: [Shard]
  /// What the matrix is made from: a digest of the table's content and the request.
  public let key: String
  /// The seed that the rows were shuffled by; nil when they are in the table's order.
  public var shuffleSeed: UInt64? = nil
  /// Stored numbers of a sparse matrix, the intercept's ones among them; nil for a dense one. The features of a shard are
  /// then one file of compressed rows.
  public internal(set) var nonzeros: Int? = nil

  public var storage: MatrixStorage { nonzeros == nil ? .dense : .sparse }
  /// Stored numbers of a row on average, rounded up; nil for a dense matrix.
  public var nonzerosPerRow: Int? { nonzeros.map { max(1, ($0 + rows - 1) / max(1, rows)) } }

  /// What is special about a sparse matrix, in words; nil for a dense one.
  public var sparseDescription: String? {
    guard let nonzerosPerRow else { return nil }
    let isScaled = statistics.standardDeviations.contains { $0 != 1 }
    return "sparse rows: about \(nonzerosPerRow) of \(columns.count) numbers each are stored"
      + (isScaled ? "; columns are divided by their standard deviation and not centred" : "")
  }

  /// SHA-256 of the manifest, and so of everything in the folder.
  public var digest: Digest {
    // Encoding fails only for numbers that are not finite, which `problem` refuses; "" then matches no manifest.
    Digest.of((try? ManifestFile.text(self)) ?? [])
  }
}

extension DesignManifest {
  /// How the matrix was made, without the rows: what is needed to make rows like these of another table.
  public var withoutRows: DesignManifest {
    var copy = self
    copy.shards = []
    return copy
  }
}

extension DesignManifest: CheckedManifest {
  static var kind: String { "design folder" }

  func problem() -> String? {
    if formatVersion != DesignManifest.currentFormatVersion {
      return "format version \(formatVersion) is not \(DesignManifest.currentFormatVersion)"
    }
    if let problem = ManifestRules.columns(columns) { return problem }
    guard columns == (intercept ? [DesignManifest.interceptName] : []) + statistics.columns else {
      return "columns that are not the features"
    }
    guard statistics.isConsistent else { return "impossible means, standard deviations or levels" }
    guard classes == statistics.classes, classes.count <= DatasetLimits.classes,
      responseKind.hasClasses ? classes.count >= 2 : classes.isEmpty,
      responseKind != .binary || classes.count == 2
    else { return "\(classes.count) classes" }
    if let nonzeros {
      guard nonzeros >= 0, groups.isEmpty, statistics.means.allSatisfy({ $0 == 0 }),
        statistics.levels.allSatisfy(\.isEmpty)
      else { return "a sparse matrix that is centred, or has texts" }
    }
    if !ManifestRules.isDigest(key) { return "no key" }
    for shard in shards {
      guard shard.files.count == (groups.isEmpty ? 2 : 3),
        shard.files.allSatisfy({ ManifestRules.isPlainName($0.name) && ManifestRules.isDigest($0.sha256) })
      else { return "a shard without plain file names or digests" }
    }
    let names = shards.flatMap { $0.files.map(\.name) }
    if Set(names).count != names.count { return "two shards in one file" }
    return ManifestRules.shards(shards.map(\.rows), rows: rows, rowsPerShard: rowsPerShard)
  }
}
