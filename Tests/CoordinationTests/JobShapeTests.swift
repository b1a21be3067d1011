import Coordination
import NumericsKit
import TestKit
import Testing
import Wire

@Suite("The shape of a job")
struct JobShapeTests {
  @Test("subtrees cover exactly a range of tiles over any blocks, in order and with the right width")
  func cover() {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<400 {
      let shape = Examples.randomShape(using: &generator)
      let ends = [0, 1].map { _ in Int.random(in: 0...shape.tileCount, using: &generator) }.sorted()
      let subtrees = shape.subtrees(covering: ends[0]..<ends[1])
      var tiles: [Int] = []
      var width = 0
      for subtree in subtrees {
        guard let node = shape.node(of: subtree) else {
          Issue.record("\(subtree) is no subtree of the job, seed 5")
          continue
        }
        let block = Int(subtree.block)
        tiles += shape.tree(of: block).leaves(of: node).map { shape.firstTiles[block] + $0 }
        width += shape.blocks[block].width
      }
      #expect(tiles == Array(ends[0]..<ends[1]), "seed 5")
      #expect(shape.width(of: subtrees) == width)
    }
  }

  @Test("whole blocks are single subtrees")
  func wholeBlocks() {
    let shape = Examples.shape([1, 7, 16])
    #expect(
      shape.subtrees(covering: 0..<24) == [
        Subtree(block: 0, level: 0, index: 0), Subtree(block: 1, level: 3, index: 0),
        Subtree(block: 2, level: 4, index: 0),
      ])
    #expect(shape.subtrees(covering: 3..<3).isEmpty)
  }

  @Test("a tile's block is the one whose tiles hold it")
  func blockOfTile() {
    let shape = Examples.shape([3, 1, 5, 2])
    #expect((0..<11).map { shape.block(ofTile: $0) } == [0, 0, 0, 1, 2, 2, 2, 2, 2, 3, 3])
  }

  @Test("the boundary is the one nearest to a cost")
  func boundary() {
    var generator = SeededGenerator(seed: 6)
    for _ in 0..<400 {
      let shape = Examples.randomShape(using: &generator)
      let ends = [0, 1].map { _ in Int.random(in: 0...shape.tileCount, using: &generator) }.sorted()
      let total = shape.cost(of: 0..<shape.tileCount)
      let target = Double.random(in: -0.1...1.1, using: &generator) * total
      let found = shape.boundary(atCost: target, in: ends[0]..<ends[1])
      #expect((ends[0]...ends[1]).contains(found))
      let distance = abs(shape.cumulativeCosts[found] - target)
      let best = (ends[0]...ends[1]).map { abs(shape.cumulativeCosts[$0] - target) }.min() ?? 0
      #expect(distance <= best * (1 + 1e-12), "seed 6: \(distance) and \(best)")
    }
  }

  @Test("subtrees that a job has not are no nodes of it")
  func foreignSubtrees() {
    let shape = Examples.shape([3, 8])
    #expect(shape.node(of: Subtree(block: 1, level: 3, index: 0)) == TreeNode(level: 3, index: 0))
    for subtree in [
      Subtree(block: 2, level: 0, index: 0), Subtree(block: 0, level: 0, index: 3),
      Subtree(block: 0, level: 3, index: 0), Subtree(block: 1, level: 1, index: 4),
      Subtree(block: .max, level: .max, index: .max), Subtree(block: 1, level: 60, index: 0),
      Subtree(block: 1, level: 0, index: 1 << 60),
    ] {
      #expect(shape.node(of: subtree) == nil, "\(subtree)")
    }
  }

  @Test("time adds up without overflow")
  func instants() {
    #expect(Instant(nanoseconds: 5).adding(milliseconds: 2).nanoseconds == 2_000_005)
    #expect(Instant(nanoseconds: 5).adding(milliseconds: -2) == Instant(nanoseconds: 5))
    #expect(Instant(nanoseconds: 5).adding(milliseconds: .max).nanoseconds == .max)
    #expect(Instant(nanoseconds: 3_000_000_000).seconds(since: Instant(nanoseconds: 1_000_000_000)) == 2)
    #expect(Instant(nanoseconds: 1).seconds(since: Instant(nanoseconds: 2)) == 0)
  }
}
