import NumericsKit
import Wire

/// Sums of one job that a worker holds, so that those of neighbouring subtrees go back as one.
///
/// They are added along the canonical tree: whether they are added here or where the job is reduced changes no bit.
struct HeldSums: Sendable {
  /// Sums as they were computed: the values of some subtrees, one after the other.
  private var pieces: [UInt64: (subtrees: [Subtree], sums: [UInt8])] = [:]

  /// Takes the sums of an assignment's subtrees, as little-endian float64 numbers.
  mutating func hold(_ subtrees: [Subtree], of assignment: UInt64, sums: [UInt8]) {
    pieces[assignment] = (subtrees, sums)
  }

  /// The sums of some subtrees, made of those of the assignments that are named.
  ///
  /// - Returns: nil when some of them are not here, or are not as long as they should be.
  func sums(of subtrees: [Subtree], _ gathering: Work.Gathering) -> [UInt8]? {
    guard subtrees.count == gathering.widths.count else { return nil }
    let width = Dictionary(zip(subtrees.map(\.block), gathering.widths)) { first, _ in first }
    var values: [Subtree: [Double]] = [:]
    for number in gathering.assignments {
      guard let piece = pieces[number] else { return nil }
      let numbers = piece.subtrees.reduce(0) { $0 + (width[$1.block] ?? 0) }
      guard numbers * Float64Bytes.width == piece.sums.count else { return nil }
      var offset = 0
      piece.sums.withUnsafeBytes { bytes in
        for subtree in piece.subtrees {
          let count = width[subtree.block] ?? 0
          values[subtree] = Float64Bytes.decode(bytes, from: offset, count: count)
          offset += Float64Bytes.width * count
        }
      }
    }
    var results: [[Double]] = []
    for subtree in subtrees {
      guard let sum = HeldSums.sum(of: subtree, in: values) else { return nil }
      results.append(sum)
    }
    return Float64Bytes.encode(results)
  }

  /// A node's value: its own, or its left child's plus its right child's. A right child without a value covers nothing, as
  /// everything below the node that is anything is here.
  private static func sum(of node: Subtree, in values: [Subtree: [Double]]) -> [Double]? {
    if let value = values[node] { return value }
    guard node.level > 0, node.index < 1 << 62 else { return nil }
    let left = Subtree(block: node.block, level: node.level - 1, index: 2 * node.index)
    let right = Subtree(block: node.block, level: node.level - 1, index: 2 * node.index + 1)
    guard var sum = sum(of: left, in: values) else { return nil }
    guard let other = self.sum(of: right, in: values) else { return sum }
    for index in sum.indices { sum[index] += other[index] }
    return sum
  }
}
