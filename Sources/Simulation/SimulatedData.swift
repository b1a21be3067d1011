import Coordination
import NumericsKit
import Wire

/// The data of a simulated fit whose workers share no folder with the coordinator: a few files with random content. The
/// first one is needed before a worker is ready, each of the others for some tiles.
struct SimulatedData: Sendable {
  /// Contents by their digests, the first file's first.
  let digests: [Digest]
  private let contents: [Digest: [UInt8]]
  /// Probability that a part arrives with another bit.
  let damageRate: Double

  init(using generator: inout SimulationGenerator) {
    var digests: [Digest] = []
    var contents: [Digest: [UInt8]] = [:]
    for _ in 0..<2 + generator.below(4) {
      // Up to three parts; now and then a multiple of a part.
      let count =
        generator.below(3) == 0 ? WireLimits.frameBytes : 1 + generator.below(3 * WireLimits.frameBytes)
      let content = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      let digest = Digest.of(content)
      digests.append(digest)
      contents[digest] = content
    }
    self.digests = digests
    self.contents = contents
    damageRate = [0, 0.001, 0.02][generator.below(3)]
  }

  /// The file that a set-up needs.
  var manifest: Digest { digests[0] }

  /// The files that some subtrees read.
  func files(of subtrees: [Subtree]) -> Set<Digest> {
    Set(subtrees.map { digests[1 + Int(($0.index + UInt64($0.block)) % UInt64(digests.count - 1))] })
  }

  /// A part of a file, as whoever has it answers.
  func content(of read: ShardRead) -> ShardContent {
    guard let content = contents[read.digest],
      let count = ShardPart.byteCount(at: read.offset, of: UInt64(content.count))
    else { return .unavailable("there is no such file") }
    return .part(
      Array(content[Int(read.offset)..<Int(read.offset) + count]), fileBytes: UInt64(content.count))
  }
}

/// Files of a simulated fit on their way.
extension SimulatedRun {
  /// Whether a worker gets the fit's data from the coordinator: its own children have them.
  func isStreamed(_ index: Int) -> Bool { data != nil && !workers[index].isLocal }

  /// A part as it leaves, now and then with another bit.
  mutating func part(_ read: ShardRead) -> ShardContent {
    guard let data else { return .unavailable("there are no files") }
    report.shardParts += 1
    guard case .part(var bytes, let fileBytes) = data.content(of: read), !hasHealed, !plan.kinds.isEmpty,
      generator.happens(data.damageRate)
    else { return data.content(of: read) }
    report.count("damage")
    bytes[generator.below(bytes.count)] ^= 1
    return .part(bytes, fileBytes: fileBytes)
  }

  /// Answers a set-up: at once, or when its file is there.
  mutating func prepare(_ index: Int) throws {
    workers[index].isUnprepared = false
    if isStreamed(index), let data, !workers[index].files.contains(data.manifest) {
      workers[index].isUnprepared = true
      return try want([data.manifest], index)
    }
    if workers[index].isRelay {
      try tellRelay(index, .prepared(setupDigest: "s", dataDigest: "d", shapes: fit.shapesByKind))
    } else {
      try tell(index, .prepared(setupDigest: "s", dataDigest: "d"))
    }
  }

  private mutating func want(_ digests: [Digest], _ index: Int) throws {
    if workers[index].isRelay {
      try tellRelay(index, .wanted(digests))
    } else {
      try tell(index, .wanted(digests))
    }
  }

  /// Files that a computation reads and that are not there.
  func missing(for computation: Computation, of index: Int) -> [Digest] {
    guard isStreamed(index), let data else { return [] }
    let files = data.files(of: computation.subtrees)
    return data.digests.filter { files.contains($0) && !workers[index].files.contains($0) }
  }

  /// Asks for what an assignment reads.
  mutating func provide(_ computation: Computation, _ index: Int) throws {
    let missing = missing(for: computation, of: index)
    if !missing.isEmpty { try want(missing, index) }
  }

  /// A worker's or relay's file comes.
  mutating func take(_ action: ShardAction, _ index: Int) throws {
    switch action {
    case .begin(let digest, let byteCount):
      workers[index].arriving = (digest, [UInt8](repeating: 0, count: Int(byteCount)))
    case .write(let digest, let offset, let bytes):
      guard workers[index].arriving?.digest == digest else {
        throw Violation(message: "worker \(index) was to write a file that it has not begun")
      }
      workers[index].arriving?.bytes.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
    case .check(let digest):
      guard let (name, bytes) = workers[index].arriving, name == digest else {
        throw Violation(message: "worker \(index) was to compare a file that it has not begun")
      }
      workers[index].arriving = nil
      let isWhole = Digest.of(bytes) == digest
      if isWhole { workers[index].files.insert(digest) }
      if workers[index].isRelay {
        try tellRelay(index, .shardChecked(digest, isWhole: isWhole))
      } else {
        try tell(index, .shardChecked(digest, isWhole: isWhole))
      }
      guard isWhole, workers[index].isAlive else { return }
      if workers[index].isUnprepared { try prepare(index) }
      if !workers[index].isComputing { try compute(index) }
    case .failed(_, let failure):
      if !workers[index].isRelay {
        try tell(index, .preparationFailed(failure))
      } else if workers[index].isUnprepared {
        try tellRelay(index, .preparationFailed(failure))
      }
    }
  }

  /// A relay's worker wants a part of a file.
  mutating func serve(_ read: ShardRead, from index: Int) throws {
    if workers[index].files.contains(read.digest) {
      try tellRelay(index, .down(.shardRead(read, part(read))))
    } else {
      try tellRelay(index, .shardMissing(read))
    }
  }
}
