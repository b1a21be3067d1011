import Mixtures
import NumericsKit
import Specification

/// Fits of mixtures with full covariances (algorithm `bw`): their factors stand beside `mixture`, whose variances are the
/// average ones, `tr(Σ_i)/d`, for reports.
extension Fit {
  /// The mixture with its full covariances; nil for an isotropic fit.
  public var fullMixture: FullMixture? {
    guard settings.fullCovariances else { return nil }
    return FullMixture(
      componentCount: mixture.componentCount, dimension: mixture.dimension, means: mixture.means,
      factors: factors)
  }

  /// Takes the mixture that a fit starts with: `Σ_i = ε_i I`.
  mutating func startFactors() {
    guard settings.fullCovariances else { return }
    factors = FullMixture(mixture).factors
  }

  /// One step of ``BuresWassersteinRule``.
  mutating func stepFull(_ current: FullMixture, _ sums: [[Double]]) throws {
    let gradient = fullGradient(sums)
    try move(along: gradient.mean) { size, isRelative in
      let next =
        isRelative
        ? try BuresWassersteinRule.step(current, gradient: gradient, relativeStep: size)
        : try BuresWassersteinRule.step(current, gradient: gradient, stepSize: size)
      return (next.isotropic, next.factors)
    }
  }

  /// `g_i = Σ∇ / B` and `Σ ∇ (x − m)ᵀ / B`.
  private func fullGradient(_ sums: [[Double]]) -> FullMixtureGradient {
    let dimension = mixture.dimension
    let square = dimension * dimension
    let samples = Double(settings.samples)
    var gradient = FullMixtureGradient(
      mean: [Double](repeating: 0, count: mixture.means.count),
      product: [Double](repeating: 0, count: factors.count))
    for (block, values) in sums.enumerated() {
      for (place, component) in plan.gradient.components(ofBlock: block).enumerated() {
        let offset = place * plan.gradient.unitWidth
        for k in 0..<dimension { gradient.mean[component * dimension + k] = values[offset + k] / samples }
        for k in 0..<square {
          gradient.product[component * square + k] = values[offset + dimension + k] / samples
        }
      }
    }
    return gradient
  }

  /// Whether numbers are the factors of this fit: none when it is isotropic.
  func isFactors(_ numbers: [Double]) -> Bool {
    guard settings.fullCovariances else { return numbers.isEmpty }
    return FullMixture.areFactors(
      numbers, componentCount: mixture.componentCount, dimension: mixture.dimension)
  }
}
