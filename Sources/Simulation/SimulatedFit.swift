import Coordination
import NumericsKit
import Wire

/// A fit whose tiles cost no computing: what a tile gives is a hash of the job's state and of what it is, with sizes
/// far apart, so that a sum in another order, over another state or over a tile twice has other bits.
struct SimulatedFit: Sendable {
  let iterations: Int
  /// Shapes of the jobs, taken in turn.
  let shapes: [JobShape]

  init(using generator: inout SimulationGenerator) {
    iterations = 4 + generator.below(30)
    let tileSeconds = [0.0005, 0.005, 0.05][generator.below(3)]
    shapes = (0..<2).map { _ in
      let blocks = (0..<1 + generator.below(5)).map { _ in
        JobShape.Block(tileCount: 1 + generator.below(24), width: 1 + generator.below(4))
      }
      let costs = (0..<blocks.reduce(0) { $0 + $1.tileCount }).map { _ in
        tileSeconds * CoordinationLimits.assumedSpeed * generator.uniform(0.2, 2)
      }
      return JobShape(blocks: blocks, costs: costs)
    }
  }

  /// The state before the first iteration.
  static let start: [UInt8] = Array("start".utf8)

  func shape(at iteration: Int) -> JobShape { shapes[iteration % shapes.count] }

  /// The job of an iteration.
  func job(at iteration: Int, state: [UInt8]) -> Job {
    Job(
      kind: UInt8(iteration % shapes.count), iteration: iteration, state: state,
      context: context(at: iteration),
      shape: shape(at: iteration))
  }

  /// The shapes by the kind of job, as a relay reads them from the set-up.
  var shapesByKind: [UInt8: JobShape] {
    Dictionary(uniqueKeysWithValues: shapes.indices.map { (UInt8($0), shapes[$0]) })
  }

  /// What some jobs in a row share; the first ones need nothing.
  func context(at iteration: Int) -> SharedContext? {
    let number = iteration / SimulatedFit.jobsPerContext
    return number == 0 ? nil : SharedContext(number: UInt64(number), bytes: Array("context \(number)".utf8))
  }

  private static let jobsPerContext = 4

  /// What a job's sums make of the state: a digest of both.
  func step(_ state: [UInt8], _ sums: [[Double]]) -> [UInt8] {
    var builder = DigestBuilder()
    state.withUnsafeBytes { builder.update($0) }
    for block in sums { builder.update(block) }
    return builder.finalize().bytes
  }

  /// The state after all iterations, computed by one loop.
  func serialResult() -> [UInt8] {
    (0..<iterations).reduce(SimulatedFit.start) { state, iteration in
      let context = context(at: iteration)?.bytes ?? []
      let tiles = TileHash(state: state + context, iteration: iteration, shape: shape(at: iteration))
      return step(
        state,
        tiles.shape.blocks.indices.map { tiles.sum(block: $0, tiles.shape.tree(of: $0).root) })
    }
  }
}

/// The values of one job's tiles.
struct TileHash: Sendable {
  let shape: JobShape
  private let key: UInt64

  init(state: [UInt8], iteration: Int, shape: JobShape) {
    self.shape = shape
    key = state.reduce(UInt64(iteration) &* 0x9E37_79B9_7F4A_7C15) {
      SimulationGenerator.mixed($0 ^ UInt64($1))
    }
  }

  private func value(block: Int, leaf: Int, place: Int) -> Double {
    let number = UInt64(shape.firstTiles[block] + leaf) << 16 | UInt64(place)
    let hash = SimulationGenerator.mixed(key &+ SimulationGenerator.mixed(number))
    let fraction = Double(hash >> 12) * 0x1p-52 - 0.5
    return fraction * Double(sign: .plus, exponent: Int(hash & 63) - 32, significand: 1)
  }

  /// The sum of a node, left half plus right half.
  func sum(block: Int, _ node: TreeNode) -> [Double] {
    guard node.level > 0 else {
      return (0..<shape.blocks[block].width).map { value(block: block, leaf: node.index, place: $0) }
    }
    let left = sum(block: block, TreeNode(level: node.level - 1, index: 2 * node.index))
    let right = TreeNode(level: node.level - 1, index: 2 * node.index + 1)
    guard shape.tree(of: block).contains(right) else { return left }
    let other = sum(block: block, right)
    return left.indices.map { left[$0] + other[$0] }
  }

  /// The sums of an assignment as a worker sends them; nil for a subtree that the job has not.
  func sums(_ subtrees: [Subtree]) -> [UInt8]? {
    var values: [[Double]] = []
    for subtree in subtrees {
      guard let node = shape.node(of: subtree) else { return nil }
      values.append(sum(block: Int(subtree.block), node))
    }
    return Float64Bytes.encode(values)
  }

  /// Floating-point operations of an assignment.
  func cost(_ subtrees: [Subtree]) -> Double {
    subtrees.reduce(0) { total, subtree in
      guard let node = shape.node(of: subtree) else { return total }
      let first = shape.firstTiles[Int(subtree.block)]
      let leaves = shape.tree(of: Int(subtree.block)).leaves(of: node)
      return total + shape.cost(of: first + leaves.lowerBound..<first + leaves.upperBound)
    }
  }
}
