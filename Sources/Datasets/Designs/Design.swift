import Foundation
import NumericsKit

/// A design matrix on disk. Its shards are mapped into memory when they are first needed, and unmapped again where
/// they are more than `DatasetLimits.mappedBytes`.
///
/// While it is open the cache does not remove it. Safe to use from many threads at once.
public final class Design: Sendable {
  public let folder: String
  public let manifest: DesignManifest
  fileprivate let slots: [ShardSlot]
  private let budget: MappingBudget
  /// Held while the design is open; nil where files can't be locked.
  private let use: FolderUse?

  /// Opens a folder that `DesignCache` wrote; reads its manifest only.
  /// - Parameter digest: what the manifest's digest has to be; nil for any.
  /// - Throws: `DatasetError`; with code `changed` if the digest is another one.
  public static func open(folder: String, expecting digest: Digest? = nil) throws -> Design {
    let (manifest, actual) = try ManifestFile.read(DesignManifest.self, folder: folder)
    if let digest, digest != actual {
      throw DatasetError(
        .changed,
        "\(folder): holds other data than the run was started with (digest \(actual), expected \(digest)); "
          + "give the original data, or start a new run")
    }
    return Design(folder: folder, manifest: manifest, mappedBytes: DatasetLimits.mappedBytes)
  }

  /// - Parameter mappedBytes: bytes of mapped shards to stay within, about.
  package init(folder: String, manifest: DesignManifest, mappedBytes: Int) {
    use = FolderUse(folder: folder)
    budget = MappingBudget(bytes: mappedBytes)
    self.folder = folder
    self.manifest = manifest
    slots = manifest.shards.map { ShardSlot(folder: folder, shard: $0, manifest: manifest) }
  }

  /// Maps all shards and checks their digests now.
  /// - Throws: `DatasetError` with code `changed`, naming the file that differs.
  public func verify() throws {
    for slot in slots {
      _ = try slot.files()
      slot.release()
    }
  }

  /// Bytes of the shards that are mapped.
  package var mappedBytes: Int { slots.reduce(0) { $0 + $1.mappedBytes } }

  /// Calls `body` with rows that lie within one shard.
  ///
  /// The shard is mapped and its digest checked the first time that one of its rows is asked for.
  /// - Throws: `DatasetError` with code `changed`, naming the file, if the shard is not the one that the manifest
  ///   describes; with code `badData` if `range` is empty, out of bounds, or crosses shards; what `body` throws.
  public func withRows<Result>(_ range: Range<Int>, _ body: (RowBlock) throws -> Result) throws -> Result {
    let size = manifest.rowsPerShard
    guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= manifest.rows,
      range.lowerBound / size == (range.upperBound - 1) / size
    else {
      throw DatasetError(
        .badData,
        "\(folder): rows \(range.lowerBound)..<\(range.upperBound) don't lie within one shard of \(size) rows "
          + "(there are \(manifest.rows) rows)")
    }
    let index = range.lowerBound / size
    let (features, responses, levels, sparse) = try slots[index].files()
    let byteCount = features.bytes.count + responses.bytes.count + (levels?.bytes.count ?? 0)
    for other in budget.admit(index, bytes: byteCount) { slots[other].release() }
    let columns = manifest.columns.count
    let groups = manifest.groups.count
    let first = range.lowerBound % size
    guard let featureStart = features.bytes.baseAddress, let responseStart = responses.bytes.baseAddress
    else {
      throw NPYShard.changed(features.path)
    }
    let observed =
      (responseStart + NPYHeader.writtenByteCount).assumingMemoryBound(to: Double.self) + first
    if let sparse {
      let block = RowBlock(
        sparse: SparseRows(offsets: sparse.offsets + first, places: sparse.places, numbers: sparse.numbers),
        responses: observed, count: range.count, columns: columns, precision: manifest.precision)
      return try withExtendedLifetime((features, responses)) { try body(block) }
    }
    let block = RowBlock(
      features: featureStart + NPYHeader.writtenByteCount + first * columns * manifest.precision.byteCount,
      responses: observed,
      count: range.count, columns: columns, precision: manifest.precision,
      levels: levels?.bytes.baseAddress.map {
        ($0 + NPYHeader.writtenByteCount).assumingMemoryBound(to: Int32.self) + first * groups
      }, groups: groups)
    return try withExtendedLifetime((features, responses, levels)) { try body(block) }
  }
}

extension Design {
  /// Unmaps the shards before the one with a row, for whoever reads rows once and in order; they are mapped and checked
  /// anew if they are needed after all.
  public func release(before row: Int) {
    for index in 0..<min(row / manifest.rowsPerShard, slots.count) {
      slots[index].release()
      budget.forget(index)
    }
  }
}

/// The files of a shard, once they are mapped and found to be what they should be.
private final class ShardSlot: @unchecked Sendable {
  // Sendable: `mapped` and `checked` are read and written only while `lock` is held; all else is constant and Sendable.
  private let lock = NSLock()
  /// The files whose digests were checked, as they were then.
  private var checked: [String: FileSystem.Status] = [:]
  private var mapped: Files?
  typealias Files = (
    features: MappedFile, responses: MappedFile, levels: MappedFile?, sparse: SparseShard?
  )
  private let folder: String
  private let shard: DesignManifest.Shard
  private let columns: Int
  private let groups: Int
  private let precision: Precision
  private let isSparse: Bool

  init(folder: String, shard: DesignManifest.Shard, manifest: DesignManifest) {
    self.folder = folder
    self.shard = shard
    columns = manifest.columns.count
    groups = manifest.groups.count
    precision = manifest.precision
    isSparse = manifest.storage == .sparse
  }

  func release() { lock.withLock { mapped = nil } }

  var mappedBytes: Int {
    lock.withLock {
      mapped.map { $0.features.bytes.count + $0.responses.bytes.count + ($0.levels?.bytes.count ?? 0) } ?? 0
    }
  }

  /// Maps a file, and checks its digest unless it is the file that was checked or written before, unchanged.
  private func map(
    _ name: String, _ sha256: String, _ element: NPYHeader.Element, _ shape: [Int]
  ) throws -> MappedFile {
    let file = try MappedFile(path: folder + "/" + name)
    if checked[name] == file.status { return file }
    if !WrittenFiles.shared.take(file.status, sha256: sha256) {
      try NPYShard.check(file, sha256: sha256, element: element, shape: shape)
    }
    checked[name] = file.status
    return file
  }

  /// Maps the features where they are sparse.
  private func mapSparse() throws -> SparseShard {
    let file = try MappedFile(path: folder + "/" + shard.featureFile)
    let mapped = try SparseShard(file, rows: shard.rows, precision: precision)
    if checked[shard.featureFile] == file.status { return mapped }
    try mapped.check(sha256: shard.featureSHA256, rows: shard.rows, columns: columns)
    checked[shard.featureFile] = file.status
    return mapped
  }

  func files() throws -> Files {
    lock.lock()
    defer { lock.unlock() }
    if let mapped { return mapped }
    let sparse = isSparse ? try mapSparse() : nil
    let features =
      try sparse?.file
      ?? map(
        shard.featureFile, shard.featureSHA256, precision == .float64 ? .float64 : .float32,
        [shard.rows, columns])
    let responses = try map(shard.responseFile, shard.responseSHA256, .float64, [shard.rows])
    var levels: MappedFile?
    if let name = shard.levelFile, let sha256 = shard.levelSHA256 {
      levels = try map(name, sha256, .int32, [shard.rows, groups])
    }
    let files: Files = (features, responses, levels, sparse)
    mapped = files
    return files
  }
}
