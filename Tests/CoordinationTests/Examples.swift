import Coordination
import NumericsKit
import TestKit
import Testing
import Wire

/// A run and its peers as the tests use them.
enum Examples {
  static let run = RunID(bytes: Array(1...16))
  static let epoch: UInt64 = 3

  static func configuration(
    workersToStart: Int = 1, mixedNumerics: Bool = false, workerTimeout: Int = 30_000,
    silenceLimit: Int = CoordinationLimits.silenceLimit_ms
  ) -> Coordinator.Configuration {
    Coordinator.Configuration(
      run: run, epoch: epoch, version: "1.0", build: "b1", fingerprint: "f1", numerics: "Haswell",
      setup: [1, 2, 3], setupDigest: "s1", dataDigest: "d1", mixedNumerics: mixedNumerics,
      workersToStart: workersToStart, workerTimeout_ms: workerTimeout, silenceLimit_ms: silenceLimit)
  }

  static func hello(
    host: String = "node1", processID: Int = 100, threads: Int = 1, build: String = "b1",
    version: String = "1.0", fingerprint: String = "f1", isLocalChild: Bool = false, incarnation: Int = 1,
    processors: Processors? = nil
  ) -> Hello {
    Hello(
      worker: "w\(processID)", incarnation: incarnation, host: host, processID: processID, threads: threads,
      version: version, build: build, fingerprint: fingerprint, numerics: "Zen", isLocalChild: isLocalChild,
      processors: processors)
  }

  static func message(
    _ content: Message.Content, run: RunID = run, epoch: UInt64 = epoch, session: UInt32 = 1
  ) -> Message {
    Message(run: run, epoch: epoch, session: session, content: content)
  }

  static let ready = Message.Content.ready(Ready(setupDigest: "s1", dataDigest: "d1"))

  static func job(_ shape: JobShape, kind: UInt8 = 1, iteration: Int = 5) -> Job {
    Job(kind: kind, iteration: iteration, state: [9, 8, 7], shape: shape)
  }

  /// Blocks of the given tile counts and widths with equal costs.
  static func shape(_ tiles: [Int], width: Int = 3, cost: Double = 1e7) -> JobShape {
    JobShape(
      blocks: tiles.map { JobShape.Block(tileCount: $0, width: width) },
      costs: [Double](repeating: cost, count: tiles.reduce(0, +)))
  }

  static func randomShape(using generator: inout SeededGenerator) -> JobShape {
    let blocks = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
      JobShape.Block(
        tileCount: Int.random(in: 1...40, using: &generator), width: Int.random(in: 1...5, using: &generator))
    }
    let scale = ([0.0, 1.0, 1e6, 1e9] as [Double]).randomElement(using: &generator) ?? 1
    let costs = (0..<blocks.reduce(0) { $0 + $1.tileCount }).map { _ in
      scale * Double.random(in: 0...1, using: &generator)
    }
    return JobShape(blocks: blocks, costs: costs)
  }
}

extension Instant {
  static func ms(_ milliseconds: Int) -> Instant {
    Instant(nanoseconds: 1_000_000_000).adding(milliseconds: milliseconds)
  }
}

let peer1 = PeerID(number: 1)
let peer2 = PeerID(number: 2)
let peer3 = PeerID(number: 3)

extension Array where Element == CoordinatorAction {
  var sent: [(peer: PeerID, content: Message.Content)] {
    compactMap { if case .send(let peer, let message) = $0 { (peer, message.content) } else { nil } }
  }
  var failures: [RunFailure] { compactMap { if case .failed(let failure) = $0 { failure } else { nil } } }
  var logs: [String] { compactMap { if case .log(_, let text) = $0 { text } else { nil } } }
  var warnings: [String] {
    compactMap { if case .log(let level, let text) = $0, level != .info { text } else { nil } }
  }
  var dropped: [PeerID] { compactMap { if case .drop(let peer) = $0 { peer } else { nil } } }
  var completed: [[Double]]? {
    for case .completed(let sums) in self { return sums }
    return nil
  }
  var goodbyes: [(peer: PeerID, goodbye: Goodbye)] {
    sent.compactMap { if case .goodbye(let goodbye) = $0.content { ($0.peer, goodbye) } else { nil } }
  }
  /// Whether a peer is asked to register again.
  func invites(_ peer: PeerID) -> Bool {
    sent.contains { $0.peer == peer && $0.content == .registerAgain }
  }
  func work(for peer: PeerID) -> [Work] {
    sent.compactMap { if $0.peer == peer, case .work(let work) = $0.content { work } else { nil } }
  }
}

extension Coordinator {
  /// Registers a worker and makes it ready.
  @discardableResult
  mutating func join(
    _ peer: PeerID, _ hello: Hello = Examples.hello(), at now: Instant = .ms(0)
  ) -> [CoordinatorAction] {
    let welcome = handle(.received(peer, Message(run: .none, epoch: 0, content: .hello(hello))), now: now)
    return welcome + says(peer, Examples.ready, at: now)
  }

  /// What a peer says in its session; in that of nobody when it has none.
  mutating func says(
    _ peer: PeerID, _ content: Message.Content, at now: Instant = .ms(0), run: RunID = Examples.run,
    epoch: UInt64 = Examples.epoch, session: UInt32? = nil
  ) -> [CoordinatorAction] {
    let session = session ?? self.session(of: peer) ?? 0
    return handle(
      .received(peer, Examples.message(content, run: run, epoch: epoch, session: session)), now: now)
  }

  /// A peer's answer to some work.
  mutating func answers(_ peer: PeerID, _ work: Work, _ values: TileValues, at now: Instant = .ms(0))
    -> [CoordinatorAction]
  {
    let sums = values.bytes(work.subtrees) ?? []
    return says(
      peer,
      .result(WorkResult(job: work.job, assignment: work.assignment, computeSeconds: 0.001, sums: sums)),
      at: now)
  }
}

/// Values of tiles that depend on nothing but the tile, and their sums along the tree.
struct TileValues {
  var shape: JobShape
  var seed: UInt64

  private func tile(_ block: Int, _ leaf: Int) -> [Double] {
    let number = UInt64(shape.firstTiles[block] + leaf)
    var generator = SeededGenerator(seed: seed &+ number &* 0x1_0001)
    return (0..<shape.blocks[block].width).map { _ in
      Double.random(in: -1...1, using: &generator)
        * Double(sign: .plus, exponent: Int.random(in: -40...40, using: &generator), significand: 1)
    }
  }

  /// The sum of a node written out: left half plus right half.
  func sum(_ block: Int, _ node: TreeNode) -> [Double] {
    guard node.level > 0 else { return tile(block, node.index) }
    let left = sum(block, TreeNode(level: node.level - 1, index: 2 * node.index))
    let right = TreeNode(level: node.level - 1, index: 2 * node.index + 1)
    guard shape.tree(of: block).contains(right) else { return left }
    return zip(left, sum(block, right)).map { $0 + $1 }
  }

  /// What a run of one process gives.
  var serial: [[Double]] { shape.blocks.indices.map { sum($0, shape.tree(of: $0).root) } }

  /// The bytes that a worker answers an assignment with.
  func bytes(_ subtrees: [Subtree]) -> [UInt8]? {
    var bytes: [UInt8] = []
    for subtree in subtrees {
      guard let node = shape.node(of: subtree) else { return nil }
      for value in sum(Int(subtree.block), node) {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
      }
    }
    return bytes
  }
}

func bits(_ sums: [[Double]]?) -> [[UInt64]]? { sums.map { $0.map { $0.map(\.bitPattern) } } }
