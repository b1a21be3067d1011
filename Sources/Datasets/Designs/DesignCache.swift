import Foundation
import NumericsKit

/// Design matrices that were made before, and the imported tables that they were made from.
///
/// Entries are found by digests of content and options, appear whole or not at all, and are checked before they
/// are used: a torn or altered one is made again. Several processes may use one folder at once.
public struct DesignCache: Sendable {
  public let folder: String

  /// With what imports work.
  private let effort: ImportEffort
  /// What it is kept to after an import, unless `ISOMIX_CACHE_LIMIT` says otherwise.
  private let limit: ByteSize?

  /// - Parameters:
  ///   - folder: made when it is first needed.
  ///   - limit: the size to keep it to; nil: any. `ISOMIX_CACHE_LIMIT` goes before it.
  public init(folder: String, limit: ByteSize? = nil, effort: ImportEffort = ImportEffort()) {
    self.folder = folder
    self.limit = limit
    self.effort = effort
  }

  /// The design matrix for a data source: from the cache, or made now.
  /// - Parameters:
  ///   - progress: told, in words, what takes time.
  /// - Returns: the folder of the design, for `Design.open`, and its manifest.
  /// - Throws: `DatasetError`.
  public func design(
    source: DataSource, request: DesignRequest, missingValues: MissingValues = .error,
    progress: ((String) -> Void)? = nil
  ) throws -> (folder: String, manifest: DesignManifest) {
    try FileSystem.makeFolder(folder)
    removeLeftovers()
    var index = DigestIndex(file: folder + "/digests.json")
    defer { index.save() }
    let limit = try DesignCache.limit() ?? limit
    defer { if let limit { prune(to: limit) } }
    var table = try table(source, request, missingValues, &index, isTrusted: true, progress)
    let settled = try request.settled(for: table)
    let key = try DesignBuilder.key(table, settled)
    let place = "\(folder)/designs/\(key)"
    let collision = StagedFolder.Collision.replace(unless: {
      (try? Design.open(folder: place).verify()) != nil
    })
    defer { FolderUse.touch(place) }
    if let manifest = try? whole(place, key, &index) { return (place, manifest) }
    progress?(
      "preparing the design matrix (\(table.manifest.rows) rows, \(settled.precision.rawValue)"
        + (settled.storage == .sparse ? ", sparse" : "") + ")")
    do {
      return (place, try DesignBuilder.build(table, settled, key: key, into: place, collision: collision))
    } catch let error as DatasetError
      where error.code == .changed && table.folder.hasPrefix(folder + "/tables/")
    {
      // The cached import was altered; it can be made again from its source.
      table = try self.table(source, request, missingValues, &index, isTrusted: false, progress)
      return (place, try DesignBuilder.build(table, settled, key: key, into: place, collision: collision))
    }
  }

  /// The manifest of a cached design if all of it is what it should be.
  private func whole(_ place: String, _ key: String, _ index: inout DigestIndex) throws -> DesignManifest? {
    let (manifest, _) = try ManifestFile.read(DesignManifest.self, folder: place)
    guard manifest.key == key else { return nil }
    for shard in manifest.shards {
      for file in shard.files {
        guard try index.digest(of: place + "/" + file.name) == file.sha256 else { return nil }
      }
    }
    return manifest
  }

  /// The imported table of a source.
  /// - Parameter isTrusted: whether a cached import may be used.
  private func table(
    _ source: DataSource, _ request: DesignRequest, _ missingValues: MissingValues,
    _ index: inout DigestIndex,
    isTrusted: Bool, _ progress: ((String) -> Void)?
  ) throws -> Dataset {
    let resolved = try SourceFiles.resolve(source)
    let response = request.response.map {
      ResponseColumn(
        name: $0, kind: request.responseKind,
        classes: request.responseKind.hasClasses ? request.reference?.classes : nil)
    }
    let levels = zip(request.reference?.features ?? [], request.reference?.levels ?? []).filter {
      !$1.isEmpty
    }
    var options = ImportOptions(
      missingValues: missingValues, labelColumns: request.groups,
      knownLevels: Dictionary(levels.map { ($0, $1) }, uniquingKeysWith: { first, _ in first }),
      columns: request.neededColumns, response: response)
    if case .folder(let folder) = resolved { return try Dataset.open(folder: folder) }
    options.follow(request.reference, resolved)
    if case .sparse = resolved { options.storage = request.importStorage }
    let files = resolved.paths
    let digests = try files.map { try index.digest(of: $0) }
    let place = try "\(folder)/tables/\(tableKey(digests, resolved, options))"
    if isTrusted, let dataset = try? Dataset.open(folder: place) {
      FolderUse.touch(place)
      return dataset
    }
    let byteCount = files.reduce(0) { $0 + (FileSystem.status($1)?.byteCount ?? 0) }
    progress?("importing \(DesignCache.describe(files)) (\(DesignCache.megabytes(byteCount)))")
    let collision = StagedFolder.Collision.replace(unless: {
      (try? Dataset.open(folder: place).verify()) != nil
    })
    let manifest = try DatasetImporter.importFiles(
      resolved, into: place, options: options, collision: collision, effort: effort)
    // What was imported has to be what the entry is named after.
    if let changed = digests.indices.first(where: { manifest.source[$0].sha256 != digests[$0] }) {
      try? FileManager.default.removeItem(atPath: place)
      throw DatasetError(
        .changed, "\(files[changed]): changed while it was read; run again when it is complete")
    }
    return try Dataset.open(folder: place)
  }

  private func tableKey(_ digests: [String], _ files: SourceFiles, _ options: ImportOptions) throws -> String
  {
    var hasher = DigestBuilder()
    var hasResponseFile = false
    if case .npy(_, let responseFile) = files { hasResponseFile = responseFile != nil }
    if case .hdf5(let parts) = files {
      hasher.update(parts.map { HDF5Rows.split($0).inside ?? "" }.joined(separator: "\n"))
    }
    if case .sparse = files { hasher.update("LIBSVM, sparse up to \(SparseImporter.largestDensity)\n") }
    hasher.update("isomix table \(DatasetManifest.currentFormatVersion) \(hasResponseFile)\n")
    for digest in digests { hasher.update(digest + "\n") }
    try ManifestFile.text(options).withUnsafeBytes { hasher.update($0) }
    return hasher.finalize().description
  }

  private static func describe(_ files: [String]) -> String {
    let first = files.first.map(FileSystem.lastComponent) ?? ""
    return files.count > 1 ? "\(first) and \(files.count - 1) more" : first
  }

  private static func megabytes(_ byteCount: Int) -> String {
    let tenths = (byteCount + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10) MB"
  }

  /// Removes what processes that were killed left unfinished a day ago or more.
  private func removeLeftovers() {
    let oldest = Date(timeIntervalSinceNow: -86_400).timeIntervalSince1970
    for part in ["tables", "designs"] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)")) ?? []
      for name in names where name.hasPrefix(".") {
        let path = "\(folder)/\(part)/\(name)"
        let isKept = name.hasSuffix(StagedFolder.partialSuffix)
        guard name.hasSuffix(".tmp") || isKept && !FolderLock.isHeld(path + ".lock") else { continue }
        guard let status = FileSystem.status(path), Double(status.modifiedNanoseconds) / 1e9 < oldest else {
          continue
        }
        try? FileManager.default.removeItem(atPath: path)
        if isKept { unlink(path + ".lock") }
      }
    }
  }
}
