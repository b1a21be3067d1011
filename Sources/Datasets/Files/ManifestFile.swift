import Foundation
import NumericsKit

/// A manifest that can tell what is wrong with itself.
protocol CheckedManifest: Codable, Sendable {
  /// What the folder is called in messages.
  static var kind: String { get }
  /// What can't be true of it; nil if all is well.
  func problem() -> String?
}

/// The file `manifest.json` of a folder: a manifest with the SHA-256 of its own text, so that a torn or altered
/// one is found out.
enum ManifestFile {
  static let name = "manifest.json"
  private static let start = "{\n\"sha256\": \""
  private static let middle = "\",\n\"manifest\": "
  private static let end = "\n}\n"

  /// The manifest's text: the same for equal manifests.
  static func text(_ manifest: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(manifest))
    } catch {
      throw DatasetError(.badData, "the manifest can't be written as JSON: \(error)")
    }
  }

  /// The bytes of the file.
  static func bytes(_ manifest: some CheckedManifest) throws -> [UInt8] {
    if let problem = manifest.problem() {
      throw DatasetError(.badData, "the manifest would not be valid: \(problem)")
    }
    let text = try text(manifest)
    let bytes = framed(text, Digest.of(text))
    guard bytes.count <= DatasetLimits.manifestBytes else {
      throw DatasetError(
        .badData, "the manifest has more than \(DatasetLimits.manifestBytes) bytes; use fewer shards")
    }
    return bytes
  }

  /// The bytes of the file with a text.
  static func framed(_ text: [UInt8], _ digest: Digest) -> [UInt8] {
    Array((start + digest.description + middle).utf8) + text + Array(end.utf8)
  }

  /// Where the text stands in a file of so many bytes; nil where there is no room for one.
  static func textRange(of byteCount: Int) -> Range<UInt64>? {
    let first = start.utf8.count + 2 * Digest.byteCount + middle.utf8.count
    let last = byteCount - end.utf8.count
    return first < last ? UInt64(first)..<UInt64(last) : nil
  }

  /// Reads the manifest of `folder` and its digest.
  static func read<Manifest: CheckedManifest>(
    _ type: Manifest.Type, folder: String
  ) throws -> (Manifest, Digest) {
    let path = folder + "/" + name
    guard FileSystem.status(folder)?.isFolder == true else {
      throw DatasetError(.noInput, "\(folder): there is no such folder; check the path")
    }
    guard FileSystem.status(path) != nil else {
      throw DatasetError(.noInput, "\(folder): is not an \(Manifest.kind): it has no \(name)")
    }
    return try parse(type, FileSystem.readWhole(path, limit: DatasetLimits.manifestBytes), path: path)
  }

  /// Reads the bytes of a manifest file. Throws for any that were not written by `bytes`.
  static func parse<Manifest: CheckedManifest>(
    _ type: Manifest.Type, _ bytes: [UInt8], path: String
  ) throws -> (Manifest, Digest) {
    let digestStart = start.utf8.count
    let digestEnd = digestStart + 2 * Digest.byteCount
    let textStart = digestEnd + middle.utf8.count
    let textEnd = bytes.count - end.utf8.count
    guard textStart <= textEnd, bytes.starts(with: start.utf8),
      bytes[digestEnd..<textStart].elementsEqual(middle.utf8), bytes[textEnd...].elementsEqual(end.utf8),
      let digest = Digest(hexadecimal: String(decoding: bytes[digestStart..<digestEnd], as: UTF8.self))
    else {
      throw DatasetError(.badData, "\(path): is not a manifest, or is cut off; import the data again")
    }
    let text = Array(bytes[textStart..<textEnd])
    guard Digest.of(text) == digest else {
      throw DatasetError(.changed, "\(path): was altered since it was written; import the data again")
    }
    return (try decode(type, text, path: path), digest)
  }

  /// Decodes a manifest's text and checks what it says.
  static func decode<Manifest: CheckedManifest>(
    _ type: Manifest.Type, _ text: [UInt8], path: String
  ) throws -> Manifest {
    let manifest: Manifest
    do {
      manifest = try JSONDecoder().decode(type, from: Data(text))
    } catch {
      throw DatasetError(
        .badData, "\(path): is not the manifest of an \(Manifest.kind); import the data again")
    }
    if let problem = manifest.problem() {
      throw DatasetError(.badData, "\(path): says what can't be (\(problem)); import the data again")
    }
    return manifest
  }
}

extension DatasetManifest {
  /// Reads the text of a manifest, without the frame that holds its digest.
  package static func decode(_ text: [UInt8]) throws -> DatasetManifest {
    try ManifestFile.decode(DatasetManifest.self, text, path: ManifestFile.name)
  }

  /// Reads the bytes of a manifest file.
  package static func parse(_ bytes: [UInt8]) throws -> DatasetManifest {
    try ManifestFile.parse(DatasetManifest.self, bytes, path: ManifestFile.name).0
  }
}

extension DesignManifest {
  /// Reads the text of a manifest, without the frame that holds its digest.
  package static func decode(_ text: [UInt8]) throws -> DesignManifest {
    try ManifestFile.decode(DesignManifest.self, text, path: ManifestFile.name)
  }
}

/// Checks that the manifests have in common.
enum ManifestRules {
  static func isDigest(_ text: String) -> Bool { Digest(hexadecimal: text) != nil }

  /// A name that stays within its folder.
  static func isPlainName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 255 && name != "." && name != ".."
      && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
  }

  static func columns(_ names: [String]) -> String? {
    if names.isEmpty || names.count > DatasetLimits.columns { return "\(names.count) columns" }
    if names.contains(where: { $0.isEmpty || $0.utf8.count > DatasetLimits.nameBytes }) {
      return "a column without a name"
    }
    return Set(names).count == names.count ? nil : "two columns with one name"
  }

  static func shards(_ counts: [Int], rows: Int, rowsPerShard: Int) -> String? {
    guard rows > 0, rows <= DatasetLimits.rows, rowsPerShard > 0, rowsPerShard & (rowsPerShard - 1) == 0,
      rowsPerShard <= DatasetLimits.rows
    else { return "\(rows) rows in shards of \(rowsPerShard)" }
    guard counts.count <= DatasetLimits.shards, counts.count == (rows - 1) / rowsPerShard + 1 else {
      return "\(counts.count) shards"
    }
    let isFull = counts.dropLast().allSatisfy { $0 == rowsPerShard }
    return isFull && counts.last == (rows - 1) % rowsPerShard + 1 ? nil : "shards of the wrong lengths"
  }
}
