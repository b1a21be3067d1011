import FitRuntime
import NumericsKit
import TestKit
import Testing

@Suite struct SubtreeSumTests {
  /// Left half plus right half, written out.
  private func sum(_ leaves: [Double], _ tree: ReductionTree, _ node: TreeNode) -> Double {
    guard node.level > 0 else { return leaves[node.index] }
    let left = sum(leaves, tree, TreeNode(level: node.level - 1, index: 2 * node.index))
    let right = TreeNode(level: node.level - 1, index: 2 * node.index + 1)
    return tree.contains(right) ? left + sum(leaves, tree, right) : left
  }

  /// Splits a node at random places into nodes below it.
  private func pieces(_ node: TreeNode, _ tree: ReductionTree, _ generator: inout SeededGenerator)
    -> [TreeNode]
  {
    guard node.level > 0, Bool.random(using: &generator) else { return [node] }
    let left = TreeNode(level: node.level - 1, index: 2 * node.index)
    let right = TreeNode(level: node.level - 1, index: 2 * node.index + 1)
    return pieces(left, tree, &generator)
      + (tree.contains(right) ? pieces(right, tree, &generator) : [])
  }

  @Test("Threads that share a subtree get the bits of one thread", arguments: [1, 2, 3, 5, 9, 64, 83, 200])
  func anySplitGivesTheSameBits(leafCount: Int) {
    var generator = SeededGenerator(seed: UInt64(leafCount))
    let tree = ReductionTree(leafCount: leafCount)
    let leaves = (0..<leafCount).map { _ in
      Double.random(in: -1...1, using: &generator) * (Bool.random(using: &generator) ? 1e12 : 1e-12)
    }
    for level in 0...tree.height {
      for index in 0...(leafCount - 1) >> level {
        let root = TreeNode(level: level, index: index)
        let expected = sum(leaves, tree, root)
        for _ in 0..<5 {
          var total = SubtreeSum(tree: tree, root: root)
          for piece in pieces(root, tree, &generator).shuffled(using: &generator) {
            total.insert([sum(leaves, tree, piece)], at: piece)
          }
          #expect(total.result?.map(\.bitPattern) == [expected.bitPattern])
        }
      }
    }
  }
}
