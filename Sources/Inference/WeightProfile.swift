import NumericsKit

/// The importance weights π/q of a judgement, in few numbers: what a plot of k̂ needs.
public struct WeightProfile: Sendable, Hashable, Codable {
  /// The largest log weights, with that of the mean weight taken off, descending: at most ``mostLargest``.
  public var largest: [Double]
  /// Quantiles of all log weights at 0, 1, …, 100 %.
  public var quantiles: [Double]
  /// The distribution that was fitted to the tail; nil when none was.
  public var tail: ParetoSmoothing.Tail?

  /// More than any usual tail has.
  public static let mostLargest = 1000

  /// - Parameter logWeights: with the logarithm of their mean taken off.
  init(logWeights: [Double], tail: ParetoSmoothing.Tail?) {
    let sorted = logWeights.sorted()
    let kept = min(WeightProfile.mostLargest, max(tail?.count ?? 0, 50), sorted.count)
    largest = sorted.suffix(kept).reversed()
    quantiles =
      sorted.isEmpty ? [] : (0...100).map { sorted[min(sorted.count - 1, $0 * sorted.count / 100)] }
    self.tail = tail
  }
}
