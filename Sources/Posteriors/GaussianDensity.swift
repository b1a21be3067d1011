import NumericsKit

/// A Gaussian with full covariance, `π(x) = N(x; μ, Σ)`.
public struct GaussianDensity: AnalyticDensity {
  private let mixture: GaussianMixtureDensity

  public var dimension: Int { mixture.dimension }

  /// Takes the mean `[d]` and the covariance `[d][d]`.
  ///
  /// - Throws: ``PosteriorError`` when sizes don't fit, a number is not finite or the covariance is not positive
  ///   definite.
  public init(mean: [Double], covariance: [[Double]]) throws {
    mixture = try GaussianMixtureDensity(weights: [1], means: [mean], covariances: [covariance])
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    mixture.accumulateBase(
      points: points, count: count, value: value, gradient: gradient, workspace: workspace)
  }
}
