import NumericsKit

/// Neal's funnel: `x₁ ~ N(0, v)`, `x_k | x₁ ~ N(0, e^{x₁})` for k = 2, …, d. Second arguments are *variances*.
///
/// `V = x₁²/(2v) + ½ log(2πv) + Σ_{k≥2} [x_k² e^{−x₁}/2 + x₁/2 + ½ log 2π]`.
public struct FunnelDensity: AnalyticDensity {
  public let dimension: Int
  /// The variance v of x₁.
  public let variance: Double

  /// The variance of x₁ in the paper's experiment (arXiv 2506.13613).
  public static let paperVariance = 1.2
  /// The dimension of the paper's experiment.
  public static let paperDimension = 2

  /// Takes the variance of x₁ and the dimension d.
  ///
  /// - Throws: ``PosteriorError`` unless the variance is positive and the dimension at least 2.
  public init(
    variance: Double = FunnelDensity.paperVariance, dimension: Int = FunnelDensity.paperDimension
  ) throws {
    try PosteriorError.requirePositive(variance, "the funnel's variance")
    try PosteriorError.requireTwoDimensions(dimension, "a funnel")
    self.variance = variance
    self.dimension = dimension
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let d = dimension
    let precisions = workspace.predictors.reserve(count)
    for s in 0..<count { precisions[s] = -points[d * s] }
    VectorMath.exponentiate(precisions, count: count)
    let constant = 0.5 * Double(d) * VectorMath.logTwoPi + 0.5 * VectorMath.logarithm(variance)
    // Half the number of widths, each of which has x₁/2 in V.
    let slope = 0.5 * Double(d - 1)
    for s in 0..<count {
      let x = points + d * s
      let neck = x[0]
      var half = 0.0
      for k in 1..<d { half += 0.5 * x[k] * x[k] * precisions[s] }
      value[s] += 0.5 * neck * neck / variance + half + slope * neck + constant
      guard let gradient else { continue }
      gradient[d * s] += neck / variance - half + slope
      for k in 1..<d { gradient[d * s + k] += x[k] * precisions[s] }
    }
  }
}
