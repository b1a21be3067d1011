import NumericsKit

/// Neal's funnel in two dimensions: `x₁ ~ N(0, v)`, `x₂ | x₁ ~ N(0, e^{x₁})`. Second arguments are *variances*.
///
/// `V = x₁²/(2v) + x₂² e^{−x₁}/2 + x₁/2 + ½ log(2πv) + ½ log 2π`.
public struct FunnelDensity: AnalyticDensity {
  public let dimension = 2
  /// The variance v of x₁.
  public let variance: Double

  /// The variance of x₁ in the paper's experiment (arXiv 2506.13613).
  public static let paperVariance = 1.2

  /// Takes the variance of x₁.
  ///
  /// - Throws: ``PosteriorError`` unless the variance is positive.
  public init(variance: Double = FunnelDensity.paperVariance) throws {
    try PosteriorError.requirePositive(variance, "the funnel's variance")
    self.variance = variance
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let precisions = workspace.predictors.reserve(count)
    for s in 0..<count { precisions[s] = -points[2 * s] }
    VectorMath.exponentiate(precisions, count: count)
    let constant = VectorMath.logTwoPi + 0.5 * VectorMath.logarithm(variance)
    for s in 0..<count {
      let neck = points[2 * s]
      let width = points[2 * s + 1]
      let half = 0.5 * width * width * precisions[s]
      value[s] += 0.5 * neck * neck / variance + half + 0.5 * neck + constant
      guard let gradient else { continue }
      gradient[2 * s] += neck / variance - half + 0.5
      gradient[2 * s + 1] += width * precisions[s]
    }
  }
}
