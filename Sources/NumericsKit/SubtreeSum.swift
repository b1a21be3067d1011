/// Sums the pieces of one subtree up to its root, along the canonical tree.
public struct SubtreeSum: Sendable {
  private var reducer: TreeReducer
  private let root: TreeNode

  /// - Parameters:
  ///   - tree: the tree that the subtree is part of.
  ///   - root: the subtree's uppermost node.
  public init(tree: ReductionTree, root: TreeNode) {
    self.root = root
    // Renumbered so that the root is the root of a tree of its own.
    reducer = TreeReducer(tree: ReductionTree(leafCount: tree.leaves(of: root).count))
  }

  /// Takes the value of a node below the root. Each leaf must be covered exactly once over all calls.
  public mutating func insert(_ value: consuming [Double], at node: TreeNode) {
    let first = node.index - (root.index << (root.level - node.level))
    let local = TreeNode(level: min(node.level, reducer.tree.height), index: first)
    reducer.insert(value, at: local)
  }

  /// The root's value once every leaf below it has been covered.
  public var result: [Double]? { reducer.result }
}
