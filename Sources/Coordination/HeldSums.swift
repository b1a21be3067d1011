import NumericsKit
import Wire

/// Sums of one job that a worker holds, so that those of neighbouring subtrees go back as one.
///
/// They are added along the canonical tree: whether they are added here or where the job is reduced changes no bit.
struct HeldSums: Sendable {
  /// Sums as they were computed: the values of some subtrees, one after the other.
  private struct Piece: Sendable {
    let subtrees: [Subtree]
    let sums: [UInt8]
    /// Whether they were part of an answer.
    var isSent = false
  }

  private var pieces: [UInt64: Piece] = [:]

  /// Whether some of them were part of no answer yet.
  var hasUnsent: Bool { pieces.values.contains { !$0.isSent } }

  /// Takes the sums of an assignment's subtrees, as little-endian float64 numbers.
  mutating func hold(_ subtrees: [Subtree], of assignment: UInt64, sums: [UInt8]) {
    pieces[assignment] = Piece(subtrees: subtrees, sums: sums)
  }

  /// The sums of some subtrees, made of those of the assignments that are named. They are still held.
  ///
  /// - Returns: nil when some of them are not here, or are not as long as they should be.
  mutating func sums(of subtrees: [Subtree], _ gathering: Work.Gathering) -> [UInt8]? {
    let blocks = Work.Gathering.blocks(of: subtrees)
    guard blocks.count == gathering.widths.count else { return nil }
    let width = Dictionary(zip(blocks, gathering.widths)) { first, _ in first }
    var values: [Subtree: [Double]] = [:]
    for number in gathering.assignments {
      guard let piece = pieces[number] else { return nil }
      let counts = piece.subtrees.map { width[$0.block] ?? 0 }
      guard counts.reduce(0, +) * Float64Bytes.width == piece.sums.count else { return nil }
      for (subtree, sum) in zip(piece.subtrees, Float64Bytes.decode(piece.sums, counts: counts)) {
        values[subtree] = sum
      }
    }
    var results: [[Double]] = []
    for subtree in subtrees {
      guard let sum = HeldSums.sum(of: subtree, in: values) else { return nil }
      results.append(sum)
    }
    for number in gathering.assignments { pieces[number]?.isSent = true }
    return Float64Bytes.encode(results)
  }

  /// A node's value: its own, or its left child's plus its right child's. A right child without a value covers nothing, as
  /// everything below the node that is anything is here.
  private static func sum(of node: Subtree, in values: [Subtree: [Double]]) -> [Double]? {
    if let value = values[node] { return value }
    guard node.level > 0, node.index < 1 << 62 else { return nil }
    let left = Subtree(block: node.block, level: node.level - 1, index: 2 * node.index)
    let right = Subtree(block: node.block, level: node.level - 1, index: 2 * node.index + 1)
    guard let sum = sum(of: left, in: values) else { return nil }
    return self.sum(of: right, in: values).map { TreeReducer.sum(sum, $0) } ?? sum
  }
}
