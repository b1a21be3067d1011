import NumericsKit

/// What a folder with a design matrix holds.
///
/// It names no paths and no times: the same data give the same manifest, and so the same digest, on every host.
public struct DesignManifest: Codable, Sendable, Hashable {
  /// Consecutive rows: features `[rows, columns]` and responses `[rows]`, each in a file of its own.
  public struct Shard: Codable, Sendable, Hashable {
    public let featureFile: String
    /// SHA-256 of the file, hexadecimal.
    public let featureSHA256: String
    public let responseFile: String
    public let responseSHA256: String
    public let rows: Int
  }

  /// The layout of the folder; there is one.
  public static let currentFormatVersion = 1
  /// The name of the column of ones.
  public static let interceptName = "intercept"

  public let formatVersion: Int
  /// The columns of the matrix; the intercept's comes first.
  public let columns: [String]
  /// The classes of a binary (two) or classes response, in order; a response is an index into them. Empty for a
  /// real one.
  public let classes: [String]
  public let rows: Int
  /// Rows of every shard but the last; a power of two.
  public let rowsPerShard: Int
  public let precision: Precision
  /// The name of the response.
  public let response: String
  public let responseKind: ResponseKind
  public let intercept: Bool
  /// What was applied to the features.
  public let statistics: DesignStatistics
  public let shards: [Shard]
  /// What the matrix is made from: a digest of the table's content and the request.
  public let key: String

  /// SHA-256 of the manifest, and so of everything in the folder.
  public var digest: Digest {
    // Encoding fails only for numbers that are not finite, which `problem` refuses; "" then matches no manifest.
    Digest.of((try? ManifestFile.text(self)) ?? [])
  }
}

extension DesignManifest: CheckedManifest {
  static var kind: String { "design folder" }

  func problem() -> String? {
    if formatVersion != DesignManifest.currentFormatVersion {
      return "format version \(formatVersion) is not \(DesignManifest.currentFormatVersion)"
    }
    if let problem = ManifestRules.columns(columns) { return problem }
    guard columns == (intercept ? [DesignManifest.interceptName] : []) + statistics.features else {
      return "columns that are not the features"
    }
    let count = statistics.features.count
    guard statistics.means.count == count, statistics.standardDeviations.count == count,
      statistics.means.allSatisfy(\.isFinite),
      statistics.standardDeviations.allSatisfy({ $0.isFinite && $0 > 0 })
    else { return "impossible means or standard deviations" }
    guard classes == statistics.classes, classes.count <= DatasetLimits.classes,
      responseKind == .real ? classes.isEmpty : classes.count >= 2,
      responseKind != .binary || classes.count == 2
    else { return "\(classes.count) classes" }
    if !ManifestRules.isDigest(key) { return "no key" }
    for shard in shards {
      guard ManifestRules.isPlainName(shard.featureFile), ManifestRules.isPlainName(shard.responseFile),
        ManifestRules.isDigest(shard.featureSHA256), ManifestRules.isDigest(shard.responseSHA256)
      else { return "a shard without plain file names or digests" }
    }
    if Set(shards.flatMap { [$0.featureFile, $0.responseFile] }).count != 2 * shards.count {
      return "two shards in one file"
    }
    return ManifestRules.shards(shards.map(\.rows), rows: rows, rowsPerShard: rowsPerShard)
  }
}
