import NumericsKit

extension FullMixture {
  /// A mixture whose components share a shape, `Σ_i = ε_i C`; nil when C is not positive definite.
  public init?(_ mixture: ShapedMixture) {
    guard let root = CholeskyFactor(mixture.fullShape, dimension: mixture.dimension) else { return nil }
    let factors = mixture.scales.flatMap { scale in
      let deviation = scale.squareRoot()
      return root.lower.map { deviation * $0 }
    }
    self.init(
      componentCount: mixture.componentCount, dimension: mixture.dimension, means: mixture.means,
      factors: factors)
  }

  /// The squared mixture-Wasserstein distance, as ``ShapedMixture/squaredMixtureDistance(to:)``, at two eigenproblems for each
  /// pair of components; nil when the dimensions differ, when a mixture has no component or when a number is not finite.
  public func squaredMixtureDistance(to other: FullMixture) -> Double? {
    guard dimension == other.dimension else { return nil }
    let (first, second) = (components, other.components)
    var cost: [Double] = []
    for a in first {
      for b in second {
        guard
          let distance = GaussianDistance.squared(
            mean: a.mean, covariance: a.covariance, toMean: b.mean, covariance: b.covariance)
        else { return nil }
        cost.append(distance)
      }
    }
    return Transport.uniformCost(rows: first.count, columns: second.count, cost: cost)
  }

  private var components: [(mean: [Double], covariance: [Double])] {
    let covariances = covariances
    let size = dimension * dimension
    return (0..<componentCount).map { i in
      (
        Array(means[i * dimension..<(i + 1) * dimension]), Array(covariances[i * size..<(i + 1) * size])
      )
    }
  }
}
