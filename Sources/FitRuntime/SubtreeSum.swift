import NumericsKit

/// Sums the pieces of one subtree up to its root.
package struct SubtreeSum {
  private var reducer: TreeReducer
  private let root: TreeNode

  /// The pieces are nodes below `root`, renumbered so that the root is the root of a tree of its own.
  package init(tree: ReductionTree, root: TreeNode) {
    self.root = root
    reducer = TreeReducer(tree: ReductionTree(leafCount: tree.leaves(of: root).count))
  }

  package mutating func insert(_ value: [Double], at node: TreeNode) {
    let first = node.index - (root.index << (root.level - node.level))
    let local = TreeNode(level: min(node.level, reducer.tree.height), index: first)
    reducer.insert(value, at: local)
  }

  package var value: [Double] { reducer.result ?? [] }
}
