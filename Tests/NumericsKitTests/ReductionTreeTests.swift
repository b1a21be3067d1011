import NumericsKit
import TestKit
import Testing

@Suite struct ReductionTreeTests {
  /// The sum written out: left half plus right half at every node.
  private func reference(_ leaves: [Double], tree: ReductionTree, node: TreeNode) -> Double {
    guard node.level > 0 else { return leaves[node.index] }
    let left = reference(leaves, tree: tree, node: TreeNode(level: node.level - 1, index: 2 * node.index))
    let right = TreeNode(level: node.level - 1, index: 2 * node.index + 1)
    return tree.contains(right) ? left + reference(leaves, tree: tree, node: right) : left
  }

  @Test(arguments: [1, 2, 3, 5, 8, 13, 64, 83, 1000])
  func coverHasNoGapAndNoOverlapForEveryRange(count: Int) {
    let tree = ReductionTree(leafCount: count)
    var generator = SeededGenerator(seed: UInt64(count))
    for _ in 0..<200 {
      let bounds = [
        Int.random(in: 0...count, using: &generator), Int.random(in: 0...count, using: &generator),
      ]
      let range = bounds.min()!..<bounds.max()!
      let covered = tree.cover(range).flatMap { Array(tree.leaves(of: $0)) }
      #expect(covered == Array(range))
      #expect(tree.cover(range).count <= 2 * tree.height + 1)
    }
    #expect(tree.cover(0..<count) == [tree.root])
  }

  @Test(arguments: [1, 2, 3, 7, 10, 83, 513])
  func sumHasTheSameBitsForEveryCutAndEveryOrderOfArrival(count: Int) {
    let tree = ReductionTree(leafCount: count)
    var generator = SeededGenerator(seed: 17 &+ UInt64(count))
    let leaves = (0..<count).map { _ in
      Double.random(in: -1...1, using: &generator)
        * Double(sign: .plus, exponent: Int.random(in: -30...30, using: &generator), significand: 1)
    }
    let expected = reference(leaves, tree: tree, node: tree.root)
    for _ in 0..<50 {
      let cuts = Set(
        (0..<Int.random(in: 0...8, using: &generator)).map { _ in Int.random(in: 0...count, using: &generator)
        })
      let bounds = ([0, count] + cuts).sorted()
      var nodes = zip(bounds, bounds.dropFirst()).flatMap { tree.cover($0..<$1) }
      nodes.shuffle(using: &generator)
      var reducer = TreeReducer(tree: tree)
      for node in nodes {
        #expect(reducer.result == nil)
        reducer.insert([reference(leaves, tree: tree, node: node)], at: node)
      }
      #expect(reducer.result?[0].bitPattern == expected.bitPattern)
    }
  }

  @Test func naiveSumHasOtherBitsSoTheTreeMatters() {
    var generator = SeededGenerator(seed: 3)
    let leaves = (0..<1000).map { _ in Double.random(in: -1...1, using: &generator) }
    let tree = ReductionTree(leafCount: leaves.count)
    #expect(leaves.reduce(0, +) != reference(leaves, tree: tree, node: tree.root))
  }
}
