import Foundation
import NumericsKit

/// The designs of one fit in a cache on this host, file by file as they come from a coordinator.
///
/// A file stands at its place once its digest is right, and not before; what a killed process leaves is written over by
/// the next one. Of processes that share the cache one brings a file, and the others wait for it. Nothing of these designs
/// is removed from the cache while they are open. Belongs to one thread.
public final class StreamedDesigns {
  private struct Place {
    let folder: String
    let name: String
    var path: String { folder + "/" + name }
  }

  /// A design whose manifest is here. While it is there, the cache does not remove it.
  private final class Known {
    let manifest: DesignManifest
    private let use: FolderUse?

    init(_ manifest: DesignManifest, folder: String) {
      self.manifest = manifest
      use = FolderUse(folder: folder)
      FolderUse.touch(folder)
    }
  }

  private let cache: DesignCache
  private let limit: ByteSize?
  private let isAlone: Bool
  /// Of the manifests, and so of the designs.
  private let digests: [Digest]
  private var known: [Digest: Known] = [:]
  /// Where files stand; some with the same content in several places.
  private var places: [Digest: [Place]] = [:]
  private var whole: Set<Digest> = []
  private var arriving: (digest: Digest, file: ArrivingFile)?
  /// Files that this process brings, and its right to do so where that could be had.
  private var claimed: Set<Digest> = []
  private var locks: [Digest: FolderLock] = [:]
  /// Files that other processes bring: how much of them there was, and since when.
  private var waits: [Digest: (byteCount: Int, since: ContinuousClock.Instant)] = [:]
  private var reader = ShardReader()

  /// Files and bytes that came from the coordinator, and files that were here before.
  public private(set) var fetchedFiles = 0
  public private(set) var fetchedBytes: UInt64 = 0
  public private(set) var foundFiles = 0

  /// How long a file that another process brings may stand still before this one brings it, too.
  private static let standstill = Duration.seconds(30)

  /// - Parameters:
  ///   - folder: of the cache; made when it is first needed.
  ///   - limit: what the cache is kept to, as far as these designs allow; nil: any size.
  ///   - designs: digests of their manifests.
  ///   - isAlone: whether to bring files without asking whether another process does.
  public init(folder: String, limit: ByteSize?, designs: [Digest], isAlone: Bool = false) {
    cache = DesignCache(folder: folder)
    self.limit = limit
    self.isAlone = isAlone
    digests = designs
  }

  deinit { for lock in locks.values { lock.release(isDone: false) } }

  /// The folder of a design, for `Design.open` once its manifest is here.
  public func folder(of design: Digest) -> String { "\(cache.folder)/shards/\(design)" }

  /// Manifests that have to come first.
  public func missingManifests() -> [Digest] {
    for digest in digests where known[digest] == nil {
      let folder = folder(of: digest)
      guard let (manifest, actual) = try? ManifestFile.read(DesignManifest.self, folder: folder),
        actual == digest
      else { continue }
      learn(digest, manifest)
    }
    return digests.filter { known[$0] == nil }
  }

  private func learn(_ digest: Digest, _ manifest: DesignManifest) {
    let folder = folder(of: digest)
    known[digest] = Known(manifest, folder: folder)
    for file in manifest.shards.flatMap(\.files) {
      guard let content = Digest(hexadecimal: file.sha256) else { continue }
      places[content, default: []].append(Place(folder: folder, name: file.name))
    }
  }

  /// Files of some shards of a design that are not here, each once.
  public func missing(_ shards: [Int], of design: Digest) -> [Digest] {
    guard let manifest = known[design]?.manifest else { return [design] }
    var missing: [Digest] = []
    for shard in shards where manifest.shards.indices.contains(shard) {
      for file in manifest.shards[shard].files {
        guard let digest = Digest(hexadecimal: file.sha256), !isHere(digest), !missing.contains(digest) else {
          continue
        }
        missing.append(digest)
      }
    }
    return missing
  }

  /// Whether a file of these designs is here; its digest is compared the first time.
  public func isHere(_ digest: Digest) -> Bool {
    if known[digest] != nil || whole.contains(digest) { return true }
    guard let places = places[digest] else { return false }
    let there = places.filter { place in
      guard let file = try? MappedFile(path: place.path) else { return false }
      if file.digest() == digest { return true }
      unlink(place.path)
      return false
    }
    guard let first = there.first, (try? spread(first, to: places)) != nil else { return false }
    whole.insert(digest)
    foundFiles += 1
    return true
  }

  /// Whether a file is one of these designs'.
  public func isKnown(_ digest: Digest) -> Bool { digests.contains(digest) || places[digest] != nil }

  /// Whether this process is to bring a file; false while another one does.
  public func claim(_ digest: Digest) throws -> Bool {
    if claimed.contains(digest) { return true }
    guard !isAlone, let place = places[digest]?.first else {
      claimed.insert(digest)
      return true
    }
    let partial = StreamedDesigns.partial(place)
    if let lock = try FolderLock(path: partial + ".lock") {
      // Somebody else may have brought it in between.
      if isHere(digest) {
        lock.release(isDone: true)
        return false
      }
      locks[digest] = lock
      claimed.insert(digest)
      return true
    }
    let byteCount = FileSystem.status(partial)?.byteCount ?? -1
    guard let wait = waits[digest], wait.byteCount == byteCount else {
      waits[digest] = (byteCount, .now)
      return false
    }
    guard ContinuousClock.now - wait.since > StreamedDesigns.standstill else { return false }
    claimed.insert(digest)
    return true
  }

  private static func partial(_ place: Place) -> String { "\(place.folder)/.\(place.name).partial" }

  /// A file begins to come; makes room for it in the cache.
  public func begin(_ digest: Digest, byteCount: UInt64) throws {
    guard isKnown(digest) else { throw DatasetError(.badData, "a file came that nobody asked for") }
    if let limit { cache.prune(to: ByteSize(bytes: max(0, limit.bytes - Int(clamping: byteCount)))) }
    let place = places[digest]?.first ?? Place(folder: folder(of: digest), name: ManifestFile.name)
    try FileSystem.makeFolder(place.folder)
    let path =
      locks[digest] != nil
      ? StreamedDesigns.partial(place) : "\(place.folder)/.\(place.name).\(getpid()).tmp"
    arriving = (digest, try ArrivingFile(path: path, byteCount: byteCount))
  }

  /// A part of the file that has begun to come.
  public func write(_ digest: Digest, offset: UInt64, _ bytes: [UInt8]) throws {
    guard let arriving, arriving.digest == digest else { return }
    try arriving.file.write(bytes, at: offset)
    fetchedBytes += UInt64(bytes.count)
  }

  /// Compares the digest of the file that came, and puts it into its place.
  /// - Returns: false if it is another one; nothing is left of the file then.
  public func check(_ digest: Digest) throws -> Bool {
    guard let arriving, arriving.digest == digest else { return false }
    self.arriving = nil
    let path = arriving.file.path
    guard try arriving.file.isWhole(digest) else {
      unlink(path)
      return false
    }
    if let places = places[digest] {
      guard rename(path, places[0].path) == 0 else { throw FileSystem.cannotWrite(places[0].path) }
      try spread(places[0], to: places)
      whole.insert(digest)
    } else {
      try keepManifest(digest, path)
    }
    fetchedFiles += 1
    waits[digest] = nil
    claimed.remove(digest)
    locks.removeValue(forKey: digest)?.release(isDone: true)
    return true
  }

  /// A manifest came as the text that its digest is of.
  private func keepManifest(_ digest: Digest, _ path: String) throws {
    defer { unlink(path) }
    let text = try FileSystem.readWhole(path, limit: DatasetLimits.manifestBytes)
    let manifest = try ManifestFile.decode(DesignManifest.self, text, path: path)
    let framed = path + ".json"
    try ManifestFile.framed(text, digest).withUnsafeBytes {
      try StagedFolder.write(framed, $0, isDurable: false, isReplacing: true)
    }
    let place = folder(of: digest) + "/" + ManifestFile.name
    guard rename(framed, place) == 0 else { throw FileSystem.cannotWrite(place) }
    learn(digest, manifest)
  }

  /// Puts a file into all places that have its content.
  private func spread(_ source: Place, to places: [Place]) throws {
    for place in places where place.path != source.path && FileSystem.status(place.path) == nil {
      if link(source.path, place.path) == 0 || errno == EEXIST { continue }
      // Not every file system has links.
      let copy = "\(place.folder)/.\(place.name).\(getpid()).tmp"
      unlink(copy)
      try? FileManager.default.copyItem(atPath: source.path, toPath: copy)
      guard rename(copy, place.path) == 0 else { throw FileSystem.cannotWrite(place.path) }
    }
  }

  /// Reads the part of a file that begins at an offset, for somebody else who wants it; nil while it is not here.
  ///
  /// - Parameter count: bytes of every part but the last.
  /// - Throws: `DatasetError` for a file that is none of these designs', and an offset where no part begins.
  public func read(_ digest: Digest, offset: UInt64, count: Int) throws
    -> (bytes: [UInt8], fileBytes: UInt64)?
  {
    guard isKnown(digest) else {
      throw DatasetError(.noInput, "the fit's data have no file with this digest")
    }
    guard isHere(digest) else { return nil }
    let file =
      places[digest].flatMap { ShardFile(path: $0[0].path) } ?? ShardFile(manifestOf: folder(of: digest))
    guard let file else { throw DatasetError(.changed, "\(digest): was removed from the cache") }
    return (try reader.read(file, offset: offset, count: count), UInt64(file.range.count))
  }
}
