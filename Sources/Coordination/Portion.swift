import NumericsKit
import Wire

/// A part of a job that is asked for as one: all of it for the coordinator of a fit; for a relay, what one assignment of
/// its own coordinator names.
///
/// Its result is one sum for each of its subtrees, whoever computes which of the tiles below them.
struct Portion: Sendable {
  /// Names it within its job.
  let number: UInt64
  /// The tiles of all its subtrees, without a gap.
  let tiles: Range<Int>
  /// What is still to be handed out; nil until workers are there.
  private(set) var queue: WorkQueue?
  /// Seconds of computing times threads, over all results so far.
  var threadSeconds = 0.0

  /// The home of each worker that has one.
  private var homes: [PeerID: Int] = [:]
  private var sums: [SubtreeSum]
  private let roots: [(block: Int, node: TreeNode)]
  /// The first tile of each root.
  private let firstTiles: [Int]
  private var open: Int

  /// - Parameter subtrees: what is asked for; nil for every block's whole tree.
  /// - Returns: nil when the shape has no such subtrees, or tiles lie between them.
  init?(number: UInt64, subtrees: [Subtree]?, of shape: JobShape) {
    self.number = number
    var roots: [(block: Int, node: TreeNode)] = []
    if let subtrees {
      for subtree in subtrees {
        guard let node = shape.node(of: subtree) else { return nil }
        roots.append((Int(subtree.block), node))
      }
    } else {
      roots = shape.blocks.indices.map { ($0, shape.tree(of: $0).root) }
    }
    var firstTiles: [Int] = []
    var end: Int?
    for root in roots {
      let leaves = shape.tree(of: root.block).leaves(of: root.node)
      let first = shape.firstTiles[root.block] + leaves.lowerBound
      guard end == nil || end == first else { return nil }
      firstTiles.append(first)
      end = first + leaves.count
    }
    guard let first = firstTiles.first, let end else { return nil }
    tiles = first..<end
    sums = roots.map { SubtreeSum(tree: shape.tree(of: $0.block), root: $0.node) }
    open = roots.count
    self.roots = roots
    self.firstTiles = firstTiles
  }

  /// Opens the queue: a home for each worker, in proportion to its share.
  mutating func start(
    _ workers: [(peer: PeerID, strength: Strength)], shape: JobShape, firstShare: Double, minimumCost: Double
  ) {
    queue = WorkQueue(
      shape: shape, tiles: tiles, workers: workers.map(\.strength), firstShare: firstShare,
      minimumCost: minimumCost)
    for (number, worker) in workers.enumerated() { homes[worker.peer] = number }
  }

  /// Whether something of a worker's home is left.
  func hasHome(_ peer: PeerID) -> Bool { homes[peer].flatMap { queue?.hasHome($0) } ?? false }

  /// Takes the next piece for a worker; empty when nothing is left for it.
  mutating func take(for peer: PeerID, foreign: WorkQueue.Foreign, isLast: Bool) -> Range<Int> {
    queue?.take(for: homes[peer], foreign: foreign, isLast: isLast) ?? 0..<0
  }

  /// Takes back tiles that were handed out and are not done.
  mutating func putBack(_ tiles: Range<Int>) { queue?.putBack(tiles) }

  /// Hands some tiles out one by one from now on.
  mutating func doubt(_ tiles: Range<Int>) { queue?.doubt(tiles) }

  /// Whether little is left to hand out.
  var isNearlyHandedOut: Bool { queue?.isNearlyEmpty == true }

  /// Whether there is nothing left to hand out.
  var isHandedOut: Bool { queue?.isEmpty == true }

  /// Adds the value of a node that lies in one of the subtrees.
  mutating func insert(_ value: consuming [Double], block: Int, node: TreeNode, firstTile: Int) {
    var (low, high) = (0, firstTiles.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if firstTiles[middle] <= firstTile { low = middle } else { high = middle }
    }
    let wasComplete = sums[low].result != nil
    sums[low].insert(value, at: node)
    if !wasComplete, sums[low].result != nil { open -= 1 }
  }

  /// The sums of all subtrees in their order, once they are complete.
  var result: [[Double]]? { open == 0 ? sums.compactMap(\.result) : nil }
}
