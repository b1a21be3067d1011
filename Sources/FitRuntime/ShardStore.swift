import Coordination
import Datasets
import Foundation
import Inference
import NumericsKit
import Specification
import Wire

/// The data of a fit whose workers share no folder with its coordinator (`data.transport: stream`), as far as they are on
/// this host; and which of their files a worker or relay waits for.
final class ShardStore {
  /// The set-up, with the designs where they are on this host.
  let setup: FitSetup
  private let designs: StreamedDesigns
  /// Files that this process waits for.
  private var awaited: Set<Digest> = []
  /// Those of them that another process brings.
  private var elsewhere: [Digest] = []
  private var nextLook = Clock.now
  private var damaged = 0

  private static let look_ms = 200

  /// - Parameters:
  ///   - cache: the folder of the cache; nil: the spec's, or the usual one.
  ///   - isRelay: whether files are brought for others.
  /// - Returns: nil for a fit whose workers share a folder.
  init?(_ setup: FitSetup, cache: String?, isRelay: Bool) throws {
    let specification = try FitSpecification(
      yaml: setup.specification, source: "the run's spec", folder: "/")
    guard let data = specification.data, data.transport == .stream, !setup.designs.isEmpty else { return nil }
    let designs = StreamedDesigns(
      folder: FitService.cache(cache, of: data), limit: try DesignCache.limit() ?? data.cache?.limit,
      designs: try setup.designs.map { try $0.contentDigest() }, isAlone: isRelay)
    self.designs = designs
    self.setup = try setup.relocated { designs.folder(of: $0) }
  }

  /// Files that have to come before the designs can be opened, and those of them to be asked for now.
  func missingManifests() throws -> (all: [Digest], new: [Digest]) {
    let missing = designs.missingManifests()
    return (missing, try order(missing))
  }

  /// The files that an assignment's tiles read and that are not here, and those of them to be asked for now.
  func missing(for computation: Computation, of problem: Problem) throws -> (all: [Digest], new: [Digest]) {
    let nodes = computation.subtrees.map {
      (block: Int($0.block), node: TreeNode(level: Int($0.level), index: Int(clamping: $0.index)))
    }
    guard computation.subtrees.allSatisfy({ $0.level < 48 && $0.index < 1 << 48 }) else {
      throw FitError(.software, "the coordinator asks for a subtree that this run's plan has not")
    }
    let shards = try problem.shards(
      kind: computation.jobKind, iteration: computation.iteration, nodes: nodes)
    var missing: [Digest] = []
    for (places, design) in [(shards.train, setup.train), (shards.test, setup.test)] where !places.isEmpty {
      guard let design else { continue }
      missing += try designs.missing(places, of: design.contentDigest())
    }
    return (missing, try order(missing))
  }

  /// Remembers what is waited for; returns what this process is to ask for and has not.
  private func order(_ digests: [Digest]) throws -> [Digest] {
    try digests.filter { digest in
      guard awaited.insert(digest).inserted else { return false }
      if try designs.claim(digest) { return true }
      elsewhere.append(digest)
      return false
    }
  }

  /// Whether other processes bring files that this one waits for.
  var waitsForOthers: Bool { !elsewhere.isEmpty }

  /// Whether all of some files are here.
  func has(_ digests: [Digest]) -> Bool { digests.allSatisfy { !awaited.contains($0) } }

  /// Looks for what other processes bring, now and then; returns what this process is to bring itself after all.
  func look(now: Instant) throws -> [Digest] {
    guard !elsewhere.isEmpty, nextLook <= now else { return [] }
    nextLook = now.adding(milliseconds: ShardStore.look_ms)
    var mine: [Digest] = []
    elsewhere = try elsewhere.filter { digest in
      if designs.isHere(digest) {
        awaited.remove(digest)
        return false
      }
      guard try designs.claim(digest) else { return true }
      mine.append(digest)
      return false
    }
    return mine
  }

  /// Does what the machine wants; returns a file whose digest was compared, and whether it is right.
  func perform(_ action: ShardAction) throws -> (digest: Digest, isWhole: Bool)? {
    switch action {
    case .begin(let digest, let byteCount): try designs.begin(digest, byteCount: byteCount)
    case .write(let digest, let offset, let bytes): try designs.write(digest, offset: offset, bytes)
    case .check(let digest):
      let isWhole = try designs.check(digest)
      if isWhole { awaited.remove(digest) } else { damaged += 1 }
      return (digest, isWhole)
    case .failed(let digest, _): awaited.remove(digest)
    }
    return nil
  }

  /// A part of a file, for a worker behind a relay; nil while the file is not here.
  func content(of read: ShardRead) -> ShardContent? {
    do {
      return try designs.read(read.digest, offset: read.offset, count: WireLimits.frameBytes).map {
        .part($0.bytes, fileBytes: $0.fileBytes)
      }
    } catch {
      return .unavailable(RunFailure(error).message)
    }
  }

  /// The connection is another one: what was asked for does not come.
  func startAnew() {
    awaited = []
    elsewhere = []
  }

  /// What came and what was here, in words.
  var report: String {
    let size = ByteSize(bytes: Int(clamping: designs.fetchedBytes))
    return
      "data: \(designs.fetchedFiles) file(s) came from the coordinator (\(size)), \(designs.foundFiles) were in "
      + "the cache" + (damaged > 0 ? ", \(damaged) came damaged" : "")
  }
}

extension ShardCatalogue {
  /// A part of a file for a worker.
  func content(of read: ShardRead) -> ShardContent {
    do {
      let (bytes, fileBytes) = try self.read(read.digest, offset: read.offset, count: WireLimits.frameBytes)
      return .part(bytes, fileBytes: fileBytes)
    } catch {
      return .unavailable(RunFailure(error).message)
    }
  }
}
