import NumericsKit

/// Pareto smoothed importance sampling (Vehtari, Simpson, Gelman, Yao, Gabry, "Pareto smoothed importance
/// sampling", JMLR 25, 2024), with the same steps and constants as ArviZ's `psislw`.
///
/// The largest ratios `π(θ_s)/q(θ_s)` are replaced by the expected order statistics of a generalised Pareto
/// distribution fitted to them. Its shape k̂ says how far expectations under q can be corrected to ones under π:
/// the ratios have about 1/k̂ finite moments.
public struct ParetoSmoothing: Sendable, Equatable {
  /// k̂. `−∞` when all weights are equal (q is π up to a factor: nothing to smooth), `+∞` when there are too few
  /// different weights in the tail to judge it (fewer than ``minimumTailCount``).
  public let shape: Double
  /// Logarithms of the smoothed weights, which sum to one, `[S]`, in the order of the draws.
  public let logWeights: [Double]
  /// `log (1/S) Σ_s exp(log w_s)` of the weights as given, in nats: with w = π/q the importance-weighted ELBO, an
  /// estimate of the log evidence.
  public let logMeanWeight: Double
  /// The same of the smoothed weights.
  public let smoothedLogMeanWeight: Double

  /// The tail that was fitted; nil when none was.
  public let tail: Tail?

  /// The generalised Pareto distribution of the largest weights: above the cutoff, w − cutoff has shape k̂ and this
  /// scale, in units of the mean of the weights as given.
  public struct Tail: Sendable, Hashable, Codable {
    /// The largest weight outside the tail, over the mean weight.
    public var cutoff: Double
    /// σ, over the mean weight.
    public var scale: Double
    /// k̂.
    public var shape: Double
    /// Weights in the tail.
    public var count: Int
  }

  /// A tail of fewer values is not fitted.
  public static let minimumTailCount = 5
  /// Log weights that differ by no more than this are taken as equal, because their differences are rounding
  /// errors of log densities.
  public static let equalityTolerance = 1e-9

  /// Smooths the log weights `log π(θ_s) − log q(θ_s)`, `[S]`, of independent draws from q; either density may lack
  /// its normaliser. `−∞` is a weight of zero.
  ///
  /// Nil when there is no draw, when a log weight is NaN or `+∞`, or when every one is `−∞`.
  public init?(logWeights raw: [Double]) {
    guard raw.allSatisfy({ $0 < .infinity }), let largest = raw.max(), largest.isFinite else { return nil }
    var scaled = raw.map { $0 - largest }
    let count = Double(raw.count)
    logMeanWeight = largest + Self.logSumExp(scaled) - VectorMath.logarithm(count)
    let fitted = Self.smoothTail(&scaled)
    shape = fitted.shape
    let toMean = VectorMath.exponential(largest - logMeanWeight)
    tail = fitted.tail.map {
      Tail(cutoff: $0.cutoff * toMean, scale: $0.scale * toMean, shape: $0.shape, count: $0.count)
    }
    let total = Self.logSumExp(scaled)
    smoothedLogMeanWeight = largest + total - VectorMath.logarithm(count)
    logWeights = scaled.map { $0 - total }
  }

  /// The effective sample size of importance sampling, `1/Σ_s w_s²` for smoothed weights that sum to one.
  public var effectiveSampleSize: Double {
    var squares = logWeights.map { 2 * $0 }
    VectorMath.exponentiate(&squares, count: squares.count)
    return 1 / squares.reduce(0, +)
  }

  /// Whether k̂ is below ``threshold(sampleCount:)``, so that the smoothed weights can be relied on.
  public var isReliable: Bool { shape < Self.threshold(sampleCount: logWeights.count) }

  /// `min(1 − 1/log₁₀ S, 0.7)`, the k̂ from which S draws are too few (section 3.2.4 of the paper).
  public static func threshold(sampleCount: Int) -> Double {
    guard sampleCount > 1 else { return -.infinity }
    return min(1 - VectorMath.logarithm(10) / VectorMath.logarithm(Double(sampleCount)), 0.7)
  }
}

extension ParetoSmoothing {
  /// `log tiny`, tiny the smallest normal number: smaller weights never belong to the tail.
  private static let smallestLogWeight = -708.3964185322641

  /// `⌈min(S/5, 3√S)⌉`, the number of draws in the tail.
  static func tailCount(sampleCount: Int) -> Int {
    let count = Double(sampleCount)
    return Int(min(count / 5, 3 * count.squareRoot()).rounded(.up))
  }

  /// Replaces the tail of log weights whose largest is 0 by its smoothed values and returns k̂, and the tail with weights
  /// over the largest.
  private static func smoothTail(_ logWeights: inout [Double]) -> (shape: Double, tail: Tail?) {
    let count = logWeights.count
    let order = logWeights.indices.sorted {
      logWeights[$0] != logWeights[$1] ? logWeights[$0] < logWeights[$1] : $0 < $1
    }
    guard logWeights[order[0]] < -equalityTolerance else { return (-.infinity, nil) }
    let cutoffIndex = count - tailCount(sampleCount: count) - 1
    guard cutoffIndex >= 0 else { return (.infinity, nil) }
    let cutoff = max(logWeights[order[cutoffIndex]], smallestLogWeight)
    let tail = order[cutoffIndex...].filter { logWeights[$0] > cutoff }
    guard tail.count >= minimumTailCount else { return (.infinity, nil) }

    let weightAtCutoff = VectorMath.exponential(cutoff)
    var excesses = tail.map { logWeights[$0] }
    VectorMath.exponentiate(&excesses, count: excesses.count)
    for index in excesses.indices { excesses[index] -= weightAtCutoff }
    guard let fit = GeneralizedPareto(fittedTo: excesses) else { return (.infinity, nil) }
    var smoothed = tail.indices.map { rank in
      fit.quantile((Double(rank) + 0.5) / Double(tail.count)) + weightAtCutoff
    }
    VectorMath.takeLogarithms(&smoothed, count: smoothed.count)
    // No smoothed weight may exceed the largest raw one.
    for (draw, value) in zip(tail, smoothed) { logWeights[draw] = min(value, 0) }
    return (
      fit.shape, Tail(cutoff: weightAtCutoff, scale: fit.scale, shape: fit.shape, count: tail.count)
    )
  }

  private static func logSumExp(_ values: [Double]) -> Double {
    guard let largest = values.max(), largest > -.infinity else { return -.infinity }
    var terms = values.map { $0 - largest }
    VectorMath.exponentiate(&terms, count: terms.count)
    return largest + VectorMath.logarithm(terms.reduce(0, +))
  }
}
