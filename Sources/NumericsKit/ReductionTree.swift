/// A node of a reduction tree: at `level` k and `index` j it covers the leaves
/// `j·2^k ..< min((j+1)·2^k, leafCount)`.
public struct TreeNode: Hashable, Sendable, Codable {
  public let level: Int
  public let index: Int

  public init(level: Int, index: Int) {
    self.level = level
    self.index = index
  }
}

/// The canonical binary tree along which leaf values are summed.
///
/// Floating-point addition is not associative, so the order of additions is part of the result. Every sum in
/// a fit follows this tree: a node's value is its left child's value plus its right child's value, and a node
/// whose right child covers no leaf *is* its left child. The tree depends on the number of leaves alone; who
/// computes which subtree, and in which order subtrees arrive, changes nothing.
public struct ReductionTree: Hashable, Sendable {
  /// Number of leaves, at least 1.
  public let leafCount: Int
  /// The level of the root: `⌈log2(leafCount)⌉`.
  public let height: Int

  public init(leafCount: Int) {
    precondition(leafCount >= 1 && leafCount <= ReductionTree.maximumLeafCount)
    self.leafCount = leafCount
    var height = 0
    while (1 << height) < leafCount { height += 1 }
    self.height = height
  }

  /// More leaves than any plan makes; keeps shifts far from overflow.
  public static let maximumLeafCount = 1 << 40

  /// The node that covers every leaf.
  public var root: TreeNode { TreeNode(level: height, index: 0) }

  /// Whether a node covers at least one leaf of this tree.
  public func contains(_ node: TreeNode) -> Bool {
    node.level >= 0 && node.level <= height && node.index >= 0
      && node.index <= (leafCount - 1) >> node.level
  }

  /// The leaves that a node of this tree covers.
  public func leaves(of node: TreeNode) -> Range<Int> {
    let first = node.index << node.level
    return first..<min(first + (1 << node.level), leafCount)
  }

  /// The fewest nodes that cover exactly the given leaves, from left to right.
  public func cover(_ leaves: Range<Int>) -> [TreeNode] {
    var nodes: [TreeNode] = []
    var first = leaves.lowerBound
    while first < leaves.upperBound {
      var level = 0
      while level < height {
        let wider = level + 1
        let end = min(first + (1 << wider), leafCount)
        guard first & ((1 << wider) - 1) == 0, end <= leaves.upperBound else { break }
        level = wider
      }
      nodes.append(TreeNode(level: level, index: first >> level))
      first = min(first + (1 << level), leafCount)
    }
    return nodes
  }
}

/// Sums values along a reduction tree as its nodes arrive, in any order.
///
/// Memory is bounded by the nodes that wait for their sibling.
public struct TreeReducer: Sendable {
  public let tree: ReductionTree
  private var waiting: [TreeNode: [Double]] = [:]

  public init(tree: ReductionTree) { self.tree = tree }

  /// The value of the root once every leaf has been covered.
  public var result: [Double]? { waiting[tree.root] }

  /// Takes the value of a node and adds it up with its neighbours as far as they are known.
  ///
  /// Each leaf must be covered exactly once over all calls, and all values must have one length; callers check
  /// what comes from outside before they get here.
  public mutating func insert(_ value: consuming [Double], at node: TreeNode) {
    var node = node
    var value = value
    while node.level < tree.height {
      let sibling = TreeNode(level: node.level, index: node.index ^ 1)
      if tree.contains(sibling) {
        guard let other = waiting.removeValue(forKey: sibling) else { break }
        value =
          node.index & 1 == 0
          ? TreeReducer.sum(value, other) : TreeReducer.sum(other, value)
      }
      node = TreeNode(level: node.level + 1, index: node.index >> 1)
    }
    waiting[node] = value
  }

  /// The value of a node whose children have these: `left + right`, element by element. They must have one length.
  public static func sum(_ left: consuming [Double], _ right: [Double]) -> [Double] {
    precondition(left.count == right.count)
    var left = left
    left.withUnsafeMutableBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        for index in left.indices { left[index] += right[index] }
      }
    }
    return left
  }
}
