import NumericsKit
import Wire

/// The shape of one job: blocks of components, each with a reduction tree over its tiles.
///
/// Tiles are numbered through all blocks, block after block; the plan fixes the order.
public struct JobShape: Sendable, Equatable {
  /// One block: its tree's leaves are tiles, its values are `width` numbers.
  public struct Block: Sendable, Equatable {
    public var tileCount: Int
    public var width: Int

    public init(tileCount: Int, width: Int) {
      self.tileCount = tileCount
      self.width = width
    }
  }

  public let blocks: [Block]
  /// The first tile of each block, and after the last block the number of tiles.
  public let firstTiles: [Int]
  /// Cost of the tiles before each tile (and of all of them at the end), in floating-point operations.
  public let cumulativeCosts: [Double]

  /// - Parameter costs: estimated floating-point operations of each tile, block after block.
  public init(blocks: [Block], costs: [Double]) {
    self.blocks = blocks
    var firstTiles = [0]
    for block in blocks { firstTiles.append(firstTiles[firstTiles.count - 1] + block.tileCount) }
    self.firstTiles = firstTiles
    precondition(costs.count == firstTiles[firstTiles.count - 1])
    var cumulative = [0.0]
    cumulative.reserveCapacity(costs.count + 1)
    for cost in costs { cumulative.append(cumulative[cumulative.count - 1] + max(cost, 1)) }
    self.cumulativeCosts = cumulative
  }

  /// Number of tiles of the job.
  public var tileCount: Int { firstTiles[firstTiles.count - 1] }

  /// The tree of a block.
  public func tree(of block: Int) -> ReductionTree { ReductionTree(leafCount: blocks[block].tileCount) }

  /// The block that a tile belongs to.
  public func block(ofTile tile: Int) -> Int {
    var low = 0
    var high = blocks.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if firstTiles[middle] <= tile { low = middle } else { high = middle }
    }
    return low
  }

  /// Estimated cost of a range of tiles.
  public func cost(of tiles: Range<Int>) -> Double {
    cumulativeCosts[tiles.upperBound] - cumulativeCosts[tiles.lowerBound]
  }

  /// The tile boundary nearest to a cumulative cost, inside `tiles`.
  public func boundary(atCost target: Double, in tiles: Range<Int>) -> Int {
    var low = tiles.lowerBound
    var high = tiles.upperBound
    while low < high {
      let middle = (low + high) / 2
      if cumulativeCosts[middle] < target { low = middle + 1 } else { high = middle }
    }
    if low > tiles.lowerBound, target - cumulativeCosts[low - 1] < cumulativeCosts[low] - target {
      low -= 1
    }
    return low
  }

  /// The fewest aligned subtrees that cover a range of tiles, block after block.
  public func subtrees(covering tiles: Range<Int>) -> [Subtree] {
    guard !tiles.isEmpty else { return [] }
    var subtrees: [Subtree] = []
    var index = block(ofTile: tiles.lowerBound)
    var tile = tiles.lowerBound
    while tile < tiles.upperBound {
      let first = firstTiles[index]
      let end = min(firstTiles[index + 1], tiles.upperBound)
      for node in tree(of: index).cover(tile - first..<end - first) {
        subtrees.append(
          Subtree(block: UInt32(index), level: UInt8(node.level), index: UInt64(node.index)))
      }
      tile = end
      index += 1
    }
    return subtrees
  }

  /// The tree node that a subtree names; nil when this job has no such subtree.
  public func node(of subtree: Subtree) -> TreeNode? {
    guard Int(subtree.block) < blocks.count, subtree.level < 48, subtree.index < 1 << 48 else { return nil }
    let node = TreeNode(level: Int(subtree.level), index: Int(subtree.index))
    return tree(of: Int(subtree.block)).contains(node) ? node : nil
  }

  /// Numbers in the sums of some subtrees.
  public func width(of subtrees: [Subtree]) -> Int {
    subtrees.reduce(0) { $0 + blocks[Int($1.block)].width }
  }
}

/// One synchronized evaluation over all tiles: what the coordinator hands out and reduces.
public struct Job: Sendable {
  /// What the workers evaluate, as the fit numbers its kinds.
  public var kind: UInt8
  /// The iteration whose noise is used.
  public var iteration: Int
  /// The state that every worker needs, sent once to each.
  public var state: [UInt8]
  /// What stays the same over many jobs, and is sent once to each worker; nil for nothing.
  public var context: SharedContext?
  public var shape: JobShape

  public init(
    kind: UInt8, iteration: Int, state: [UInt8], context: SharedContext? = nil, shape: JobShape
  ) {
    self.kind = kind
    self.iteration = iteration
    self.state = state
    self.context = context
    self.shape = shape
  }
}

/// Bytes that many jobs in a row need.
public struct SharedContext: Sendable, Equatable {
  /// Names the bytes: another number, others. Not 0.
  public var number: UInt64
  public var bytes: [UInt8]

  public init(number: UInt64, bytes: [UInt8]) {
    self.number = number
    self.bytes = bytes
  }
}
