import Foundation
import NumericsKit

extension DesignCache {
  /// An imported table or a design of the cache, or what came of a design from a coordinator.
  public struct Entry: Sendable, Codable, Hashable {
    public enum Kind: String, Sendable, Codable, CaseIterable { case table, design, shard }

    public let kind: Kind
    public let folder: String
    public let byteCount: Int
    /// Seconds since 1970 when it was made or last asked for.
    public let lastUsed: Double
    /// Whether a process has it open.
    public let isUsed: Bool
    /// What a table was imported from, or the columns of a design.
    public fileprivate(set) var content: String
  }

  /// All entries, the one used longest ago first.
  public func entries() -> [Entry] { entries(described: true) }

  /// - Parameter described: whether each entry's content is looked up.
  private func entries(described: Bool) -> [Entry] {
    var entries: [Entry] = []
    for kind in Entry.Kind.allCases {
      let part = "\(folder)/\(kind.rawValue)s"
      for name in (try? FileManager.default.contentsOfDirectory(atPath: part))?.sorted() ?? []
      where !name.hasPrefix(".") {
        let place = "\(part)/\(name)"
        guard let manifest = FileSystem.status(place + "/" + ManifestFile.name) else { continue }
        entries.append(
          Entry(
            kind: kind, folder: place, byteCount: DesignCache.byteCount(place),
            lastUsed: Double(manifest.modifiedNanoseconds) / 1e9, isUsed: FolderUse.isUsed(place),
            content: described ? DesignCache.content(kind, place) : ""))
      }
    }
    return entries.sorted { ($0.lastUsed, $0.folder) < ($1.lastUsed, $1.folder) }
  }

  /// Removes the entries used longest ago until those left have `limit` bytes or fewer.
  ///
  /// What a process has open stays, and so does what was asked for in the last minute: whoever asked is about to open
  /// it.
  /// - Parameter grace: seconds for that.
  /// - Returns: what was removed.
  @discardableResult
  public func prune(to limit: ByteSize, grace: Double = 60) -> [Entry] {
    var entries = entries(described: false)
    var removed: [Entry] = []
    var byteCount = entries.reduce(0) { $0 + $1.byteCount }
    guard byteCount > limit.bytes else { return [] }
    let latest = Date().timeIntervalSince1970 - grace
    while byteCount > limit.bytes, !entries.isEmpty {
      var entry = entries.removeFirst()
      guard !entry.isUsed, entry.lastUsed <= latest else { continue }
      let content = DesignCache.content(entry.kind, entry.folder)
      guard DesignCache.remove(entry.folder) else { continue }
      entry.content = content
      byteCount -= entry.byteCount
      removed.append(entry)
    }
    return removed
  }

  /// `ISOMIX_CACHE_LIMIT`; nil without one.
  /// - Throws: `DatasetError` if it is no size.
  public static func limit() throws -> ByteSize? {
    guard let text = ProcessInfo.processInfo.environment["ISOMIX_CACHE_LIMIT"], !text.isEmpty else {
      return nil
    }
    guard let size = ByteSize(text) else {
      throw DatasetError(.badData, "ISOMIX_CACHE_LIMIT: '\(text)' is no size; write it like 20G or 500M")
    }
    return size
  }

  /// Moves an entry aside, so that it is gone at once and whole, then removes it.
  private static func remove(_ place: String) -> Bool {
    let aside =
      FileSystem.parent(place) + "/." + FileSystem.lastComponent(place) + ".\(getpid()).pruned.tmp"
    guard rename(place, aside) == 0 else { return false }
    try? FileManager.default.removeItem(atPath: aside)
    return true
  }

  private static func byteCount(_ place: String) -> Int {
    ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []).reduce(0) {
      $0 + (FileSystem.status(place + "/" + $1)?.byteCount ?? 0)
    }
  }

  private static func content(_ kind: Entry.Kind, _ place: String) -> String {
    switch kind {
    case .table:
      guard let manifest = try? Dataset.open(folder: place).manifest else { return "damaged" }
      let more = manifest.source.count > 1 ? " and \(manifest.source.count - 1) more" : ""
      return
        "\(manifest.source.first?.name ?? "")\(more): \(manifest.rows) rows × \(manifest.columns.count) columns"
    case .design, .shard:
      guard let manifest = try? ManifestFile.read(DesignManifest.self, folder: place).0 else {
        return "damaged"
      }
      let files = manifest.shards.flatMap { $0.files.map(\.name) }
      let here =
        kind == .design ? files.count : files.filter { FileSystem.status(place + "/" + $0) != nil }.count
      return
        "\(manifest.response ?? "no response"): \(manifest.rows) rows × \(manifest.columns.count) columns"
        + (here < files.count ? " (\(here) of \(files.count) files)" : "")
    }
  }
}
