import Mixtures

extension FittedMixture {
  /// Mean and standard deviation of one parameter under a mixture.
  public struct Moments: Sendable, Hashable {
    public var mean: Double
    public var standardDeviation: Double
  }

  /// The moments of every parameter, `[d]`: the average of the components' means; and, as variance, the average of
  /// `ε_i (L Lᵀ)_kk` plus the variance of the means.
  /// - Throws: ``ReportingError`` when the metric can't be used.
  public func moments() throws -> [Moments] {
    let count = Double(components)
    let variance = variances.reduce(0) { $0 + $1 / count }
    return try coordinates().scales.enumerated().map { k, scale in
      let mean = means.reduce(0) { $0 + $1[k] / count }
      let between = means.reduce(0) { $0 + ($1[k] - mean) * ($1[k] - mean) / count }
      return Moments(mean: mean, standardDeviation: (variance * scale * scale + between).squareRoot())
    }
  }

  /// The mixture in θ, as one whose components share the shape `L Lᵀ`.
  /// - Throws: ``ReportingError`` when the metric can't be used.
  public func shaped() throws -> ShapedMixture {
    ShapedMixture(
      componentCount: components, dimension: dimension, means: means.flatMap { $0 }, scales: variances,
      shape: try coordinates().shape)
  }
}
