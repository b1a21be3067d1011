import Foundation
import Mixtures
import NumericsKit
import Testing

/// KL of two components to a target of three, on a grid: the trapezoid rule is exact to rounding for such integrands.
@Suite("Gradients of KL by full covariances")
struct FullGradientTests {
  init() { BLAS.prepare() }

  private let target = randomFullMixture(components: 3, dimension: 2, spread: 1.5, seed: 11)
  private let mixture = randomFullMixture(components: 2, dimension: 2, spread: 1, seed: 12)
  private static let spacing = 0.08
  private static let grid: [Double] = {
    let line = stride(from: -12.0, through: 12, by: spacing)
    return line.flatMap { x in line.flatMap { [x, $0] } }
  }()

  private func objective(_ mixture: FullMixture) -> Double {
    let own = mixture.evaluate(Self.grid).logDensity
    let other = target.evaluate(Self.grid).logDensity
    return zip(own, other).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) } * Self.spacing * Self.spacing
  }

  /// `E_i[G]` and `E_i[G (x − m_i)ᵀ]` of both components.
  private func gradient() -> FullMixtureGradient {
    let (own, other) = (mixture.evaluate(Self.grid).score, target.evaluate(Self.grid).score)
    var result = FullMixtureGradient(mean: [], product: [])
    for i in 0..<2 {
      let mean = Array(mixture.means[2 * i..<2 * i + 2])
      let component = FullMixture(
        componentCount: 1, dimension: 2, means: mean, factors: Array(mixture.factors[4 * i..<4 * i + 4]))
      let density = component.evaluate(Self.grid).logDensity
      var (sum, product) = ([0.0, 0], [0.0, 0, 0, 0])
      for s in density.indices {
        let weight = exp(density[s]) * Self.spacing * Self.spacing
        for k in 0..<2 {
          let g = own[2 * s + k] - other[2 * s + k]
          sum[k] += weight * g
          for j in 0..<2 { product[2 * k + j] += weight * g * (Self.grid[2 * s + j] - mean[j]) }
        }
      }
      result.mean += sum
      result.product += product
    }
    return result
  }

  /// The mixture with one covariance changed by `t U`.
  private func changed(_ component: Int, _ direction: [Double], _ t: Double) throws -> FullMixture {
    var other = mixture
    let range = 4 * component..<4 * component + 4
    let covariance = zip(mixture.covariances[range], direction).map { $0 + t * $1 }
    let factor = try #require(CholeskyFactor(covariance, dimension: 2))
    other.factors.replaceSubrange(range, with: factor.lower)
    return other
  }

  /// `E_i[G (x − m)ᵀ] Σ_i⁻¹`, symmetrised.
  private func slope(_ component: Int, _ gradient: FullMixtureGradient) throws -> [Double] {
    let range = 4 * component..<4 * component + 4
    let inverse = try #require(LinearSolver.invert(Array(mixture.covariances[range]), dimension: 2)).inverse
    let product = Self.product(Array(gradient.product[range]), inverse)
    let mean: Double = 0.5 * (product[1] + product[2])
    return [product[0], mean, mean, product[3]]
  }

  private static func product(_ a: [Double], _ b: [Double]) -> [Double] {
    [
      a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2],
      a[2] * b[1] + a[3] * b[3],
    ]
  }

  @Test("∂F/∂m is E_i[G]/N, and along U in Σ the slope is tr(sym(E_i[G (x − m)ᵀ] Σ⁻¹) U)/(2N)")
  func slopes() throws {
    let gradient = gradient()
    let step = 1e-4
    for i in 0..<2 {
      for k in 0..<2 {
        var (ahead, behind) = (mixture, mixture)
        ahead.means[2 * i + k] += step
        behind.means[2 * i + k] -= step
        let found: Double = (objective(ahead) - objective(behind)) / (2 * step)
        #expect(abs(found - gradient.mean[2 * i + k] / 2) < 1e-7)
      }
      let slope = try slope(i, gradient)
      for direction in [[1.0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]] {
        let (ahead, behind) = (try changed(i, direction, step), try changed(i, direction, -step))
        let found: Double = (objective(ahead) - objective(behind)) / (2 * step)
        let product = Self.product(slope, direction)
        let expected: Double = (product[0] + product[3]) / 4
        #expect(abs(found - expected) < 1e-7 && abs(expected) > 1e-4)
      }
    }
  }

  @Test("a small step lowers KL by γ/N times the squared norms of the Wasserstein gradients")
  func descent() throws {
    let gradient = gradient()
    let stepSize = 1e-4
    let next = try BuresWassersteinRule.step(mixture, gradient: gradient, stepSize: stepSize)
    var norm = gradient.mean.reduce(0) { $0 + $1 * $1 }
    for i in 0..<2 {
      let slope = try slope(i, gradient)
      let product = Self.product(Self.product(slope, Array(mixture.covariances[4 * i..<4 * i + 4])), slope)
      norm += product[0] + product[3]
    }
    let change = objective(next) - objective(mixture)
    let expected: Double = -stepSize * norm / 2
    #expect(abs(change / expected - 1) < 1e-3)
  }
}
