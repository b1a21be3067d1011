import Foundation
import NumericsKit

/// How far an import got: what a later process needs to go on with it, to the same bytes.
struct ImportJournal: Codable {
  /// Rows that wait for their final order.
  struct Scratch: Codable {
    let rows: Int
    let sha256: String
  }

  static let name = "journal.json"
  static let currentFormatVersion = 1
  /// Bytes of rows between two entries where no shards are completed.
  static let intervalBytes = 1 << 26

  var formatVersion = ImportJournal.currentFormatVersion
  /// What is imported and how.
  let key: String
  /// Where in the files to go on.
  let mark: CSVMark
  /// Of the rows before the mark.
  let statistics: ColumnStatistics.Snapshot
  /// Shards in their final form.
  let shards: [DatasetManifest.Shard]
  let scratch: Scratch?
  /// Whether all records were read.
  let isRead: Bool

  /// What is imported: options, and the files as they are now.
  static func key(files: [String], options: ImportOptions, rowsPerShard: Int?) throws -> String {
    var hasher = DigestBuilder()
    hasher.update("isomix import \(currentFormatVersion) \(rowsPerShard ?? 0)\n")
    // Sets have no order.
    hasher.update(options.categoricalColumns.sorted().joined(separator: "\u{0}") + "\n")
    var ordered = options
    ordered.categoricalColumns = []
    try ManifestFile.text(ordered).withUnsafeBytes { hasher.update($0) }
    for file in files {
      let status = FileSystem.status(file)
      let absolute = URL(fileURLWithPath: file).path
      hasher.update(
        "\n\(absolute) \(status?.byteCount ?? 0) \(status?.inode ?? 0) \(status?.modifiedNanoseconds ?? 0) "
          + "\(status?.changedNanoseconds ?? 0)")
    }
    return hasher.finalize().description
  }

  /// The journal in a folder, if it is of this import and all that it tells of is there.
  static func read(_ folder: borrowing StagedFolder, key: String) -> ImportJournal? {
    let path = folder.temporaryPath
    guard
      let bytes = try? FileSystem.readWhole(path + "/" + name, limit: DatasetLimits.manifestBytes),
      let journal = try? JSONDecoder().decode(ImportJournal.self, from: Data(bytes)),
      journal.formatVersion == currentFormatVersion, journal.key == key
    else { return nil }
    for shard in journal.shards {
      guard ManifestRules.isPlainName(shard.file), let file = try? MappedFile(path: path + "/" + shard.file),
        file.digest().description == shard.sha256
      else { return nil }
    }
    return journal
  }

  func write(_ folder: borrowing StagedFolder) throws {
    let path = folder.temporaryPath + "/" + ImportJournal.name
    try ManifestFile.text(self).withUnsafeBytes {
      try StagedFolder.write(path + ".new", $0, isDurable: true, isReplacing: true)
    }
    guard rename(path + ".new", path) == 0 else { throw FileSystem.cannotWrite(path) }
    try FileSystem.synchronizeFolder(folder.temporaryPath)
  }
}
