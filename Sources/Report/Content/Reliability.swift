import Foundation

/// How often something happened where a probability was said for it: bins with Wilson's intervals.
package struct Reliability {
  package struct Bin {
    package var count: Int
    /// The mean of the probabilities said.
    package var said: Double
    /// The share that happened.
    package var happened: Double
    /// Wilson's 95 % interval of that share (JASA 22, 1927).
    package var low: Double
    package var high: Double
  }

  /// Bins of equal width that hold anything.
  package let bins: [Bin]
  /// Rows in each of the bins of equal width.
  package let counts: [Int]
  /// `mean (p − y)²`.
  package let brier: Double

  package static let binCount = 10

  package init(probabilities: [Double], outcomes: [Bool]) {
    var sums = [(count: Int, said: Double, happened: Int)](
      repeating: (0, 0, 0), count: Reliability.binCount)
    var squares = 0.0
    var total = 0
    for (p, outcome) in zip(probabilities, outcomes) where p.isFinite {
      let bin = min(max(Int(p * Double(Reliability.binCount)), 0), Reliability.binCount - 1)
      sums[bin].count += 1
      sums[bin].said += p
      sums[bin].happened += outcome ? 1 : 0
      squares += (p - (outcome ? 1 : 0)) * (p - (outcome ? 1 : 0))
      total += 1
    }
    counts = sums.map(\.count)
    brier = total > 0 ? squares / Double(total) : .nan
    bins = sums.filter { $0.count > 0 }.map { sum in
      let interval = Reliability.wilson(successes: sum.happened, of: sum.count)
      return Bin(
        count: sum.count, said: sum.said / Double(sum.count),
        happened: Double(sum.happened) / Double(sum.count), low: interval.low, high: interval.high)
    }
  }

  /// Wilson's score interval at 95 %.
  package static func wilson(successes: Int, of count: Int) -> (low: Double, high: Double) {
    guard count > 0 else { return (0, 1) }
    let z = 1.959963984540054
    let (n, p) = (Double(count), Double(successes) / Double(count))
    let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return (max(0, centre - half), min(1, centre + half))
  }
}
