import NumericsKit

/// Turns standard normal deviates into draws of a mixture, with the mixture's log density there.
///
/// Draws of several components are made together. Holds buffers; belongs to one thread.
public final class MixtureSampler {
  public let componentCount: Int
  /// Dimension of θ, d.
  public let dimension: Int
  private let mixture: IsotropicMixture
  private let factors: [Double]
  private let metric: Metric
  private let density: MixtureDensity?
  private let fullDensity: FullMixtureDensity?

  /// - Parameters:
  ///   - mixture: in the metric's coordinates u.
  ///   - factors: lower factors F of full covariances, row-major `[N, d, d]`; empty for isotropic components.
  public init(_ mixture: IsotropicMixture, factors: [Double], metric: Metric) {
    componentCount = mixture.componentCount
    dimension = mixture.dimension
    self.mixture = mixture
    self.factors = factors
    self.metric = metric
    if factors.isEmpty {
      let density = MixtureDensity(componentCount: componentCount, dimension: dimension)
      density.load(means: mixture.means, variances: mixture.variances)
      self.density = density
      fullDensity = nil
    } else {
      let density = FullMixtureDensity(componentCount: componentCount, dimension: dimension)
      density.load(means: mixture.means, factors: factors)
      fullDensity = density
      self.density = nil
    }
  }

  /// Draws in θ, row-major `[count, d]`, and `log q(θ)` there, `[count]`.
  ///
  /// Draw s is `θ(m_i + √ε_i z_s)`, or `θ(m_i + F_i z_s)`, with i its component; `log q(θ) = log q(u) − log |det L|`.
  /// - Parameters:
  ///   - deviates: z, row-major `[count, d]`.
  ///   - components: i of each draw, `[count]`.
  public func draws(from deviates: [Double], components: [Int]) -> (
    positions: [Double], logDensities: [Double]
  ) {
    let count = components.count
    var points = deviates
    points.withUnsafeMutableBufferPointer { points in
      guard let base = points.baseAddress else { return }
      for (row, component) in components.enumerated() {
        spread(base + row * dimension, component)
        for k in 0..<dimension { base[row * dimension + k] += mixture.means[component * dimension + k] }
      }
    }
    var logDensities = [Double](repeating: 0, count: count)
    if let density {
      density.accumulate(points: points, count: count, logDensity: &logDensities, score: nil)
    }
    fullDensity?.accumulate(points: points, count: count, logDensity: &logDensities, score: nil)
    for row in logDensities.indices { logDensities[row] -= metric.logDeterminant }
    return (metric.positions(of: points, count: count), logDensities)
  }

  private func spread(_ deviate: UnsafeMutablePointer<Double>, _ component: Int) {
    guard factors.isEmpty else {
      return factors.withUnsafeBufferPointer { factors in
        guard let base = factors.baseAddress else { return }
        FullMixture.spread(
          deviate, count: 1, by: base + component * dimension * dimension, dimension: dimension)
      }
    }
    let deviation = mixture.variances[component].squareRoot()
    for k in 0..<dimension { deviate[k] *= deviation }
  }
}
