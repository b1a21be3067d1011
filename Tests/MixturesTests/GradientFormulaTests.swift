import Foundation
import Mixtures
import Testing

/// Proposition 3.1 of arXiv 2506.13613 by quadrature in one dimension.
@Suite struct GradientFormulaTests {
  /// V of a target that is not in the family: a quartic well.
  private func potential(_ x: Double) -> Double { 0.05 * x * x * x * x + 0.3 * x * x - 0.4 * x }
  private func slope(_ x: Double) -> Double { 0.2 * x * x * x + 0.6 * x - 0.4 }

  private static let step = 0.002
  private static let grid = (-6000...6000).map { Double($0) * step }

  /// F = E_q[log q + V].
  private func objective(_ mixture: IsotropicMixture) -> Double {
    let (logDensity, _) = evaluate(mixture)
    return zip(Self.grid, logDensity).reduce(0) { sum, point in
      sum + exp(point.1) * (point.1 + potential(point.0)) * Self.step
    }
  }

  private func evaluate(_ mixture: IsotropicMixture) -> (logDensity: [Double], score: [Double]) {
    let density = MixtureDensity(componentCount: mixture.componentCount, dimension: 1)
    density.load(means: mixture.means, variances: mixture.variances)
    var logDensity = [Double](repeating: 0, count: Self.grid.count)
    var score = logDensity
    density.accumulate(points: Self.grid, count: Self.grid.count, logDensity: &logDensity, score: &score)
    return (logDensity, score)
  }

  @Test("g/N and d h/(2N) are the derivatives of the objective by means and variances")
  func derivatives() {
    let mixture = IsotropicMixture(
      componentCount: 3, dimension: 1, means: [-1, 0.2, 1.5], variances: [0.3, 0.8, 0.1])
    let (_, score) = evaluate(mixture)
    for i in 0..<3 {
      let (mean, variance) = (mixture.means[i], mixture.variances[i])
      var g = 0.0
      var h = 0.0
      for (x, s) in zip(Self.grid, score) {
        let weight = exp(-(x - mean) * (x - mean) / (2 * variance)) / (2 * Double.pi * variance).squareRoot()
        let integrand = s + slope(x)
        g += weight * integrand * Self.step
        h += weight * (x - mean) * integrand / variance * Self.step
      }
      let delta = 1e-4
      var ahead = mixture
      var behind = mixture
      ahead.means[i] += delta
      behind.means[i] -= delta
      #expect(abs((objective(ahead) - objective(behind)) / (2 * delta) - g / 3) < 1e-7)
      (ahead, behind) = (mixture, mixture)
      ahead.variances[i] += delta
      behind.variances[i] -= delta
      #expect(abs((objective(ahead) - objective(behind)) / (2 * delta) - h / 6) < 1e-6)
    }
  }
}
