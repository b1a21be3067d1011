import Mixtures

extension FittedMixture {
  /// Mean and standard deviation of one parameter under a mixture.
  public struct Moments: Sendable, Hashable {
    public var mean: Double
    public var standardDeviation: Double
  }

  /// The moments of every parameter, `[d]`: the average of the components' means; and, as variance, the average of
  /// `ε_i (L Lᵀ)_kk` (full covariances: of `(Σ_i)_kk`; coordinates with mixtures of their own: of `ε_ik`) plus the variance of the means.
  /// - Throws: ``ReportingError`` when the metric can't be used.
  public func moments() throws -> [Moments] {
    let count = Double(components)
    return try meanVariances().enumerated().map { k, variance in
      let mean = means.reduce(0) { $0 + $1[k] / count }
      let between = means.reduce(0) { $0 + ($1[k] - mean) * ($1[k] - mean) / count }
      return Moments(mean: mean, standardDeviation: (variance + between).squareRoot())
    }
  }

  /// The components' average variance of each parameter, `[d]`.
  private func meanVariances() throws -> [Double] {
    let count = Double(components)
    if let covarianceFactors {
      return (0..<dimension).map { k in
        covarianceFactors.reduce(0) { $0 + $1[k].reduce(0) { $0 + $1 * $1 } / count }
      }
    }
    if let coordinateVariances {
      return (0..<dimension).map { k in coordinateVariances.reduce(0) { $0 + $1[k] / count } }
    }
    let variance = variances.reduce(0) { $0 + $1 / count }
    return try coordinates().scales.map { variance * $0 * $0 }
  }

  /// The squared mixture-Wasserstein distance to another fit, in θ, summed over coordinates when they have mixtures of
  /// their own; nil when a number is too large, or when only one of the two factorises.
  /// - Throws: ``ReportingError`` when a metric can't be used.
  public func squaredMixtureDistance(to other: FittedMixture) throws -> Double? {
    guard factorization == other.factorization else { return nil }
    if let first = coordinateMixture, let second = other.coordinateMixture {
      return first.squaredMixtureDistance(to: second)
    }
    if covarianceFactors == nil, other.covarianceFactors == nil {
      return try shaped().squaredMixtureDistance(to: other.shaped())
    }
    guard let first = try full(), let second = try other.full() else { return nil }
    return first.squaredMixtureDistance(to: second)
  }

  /// The mixture in θ with a covariance for each component.
  private func full() throws -> FullMixture? { try fullMixture ?? FullMixture(shaped()) }

  /// The mixture in θ, as one whose components share the shape `L Lᵀ`.
  /// - Throws: ``ReportingError`` when the metric can't be used.
  private func shaped() throws -> ShapedMixture {
    ShapedMixture(
      componentCount: components, dimension: dimension, means: means.flatMap { $0 }, scales: variances,
      shape: try coordinates().shape)
  }
}
