import Foundation
import NumericsKit
import Posteriors
import Testing

@Suite struct AnalyticDensityTests {
  @Test("Log densities agree with SciPy's")
  func scipy() throws {
    let mixture = try Targets.mixture()
    #expect(abs(mixture.value(at: [0.2, 0.4]) - 2.4732592203051684) < 1e-14)
    #expect(abs(mixture.value(at: [3, -4]) - 8.41094283007585) < 1e-14)
    #expect(abs(mixture.value(at: [-8, 9]) - 63.56349883382179) < 1e-13)
    let funnel = try FunnelDensity()
    #expect(abs(funnel.value(at: [0.2, 0.4]) - 2.111202971719228) < 1e-14)
    #expect(abs(funnel.value(at: [-3, -1]) - 14.221806306400158) < 1e-13)
    let bent = try Targets.sinhArcsinh()
    #expect(abs(bent.value(at: [0.3, -0.8]) - 1.8601830509411417) < 1e-14)
    #expect(abs(bent.value(at: [4, 2]) - 29.755277461388773) < 1e-12)
  }

  @Test("A Gaussian in one dimension integrates to 1")
  func gaussianNormalisation() throws {
    let density = try GaussianDensity(mean: [0.7], covariance: [[2.3]])
    let points = (-4000...4000).map { Double($0) * 0.005 }
    let sum = density.evaluate(points).value.reduce(0) { $0 + exp(-$1) * 0.005 }
    #expect(abs(sum - 1) < 1e-12)
  }

  /// ∫∫ e^{−V(x(u))} |dx/du| du over a square grid.
  private func integral(
    of density: any LogDensity, halfWidth: Double, step: Double,
    transform: (Double, Double) -> (x: [Double], jacobian: Double)
  ) -> Double {
    let steps = Int(halfWidth / step)
    var points: [Double] = []
    var jacobians: [Double] = []
    for i in -steps...steps {
      for j in -steps...steps {
        let (x, jacobian) = transform(Double(i) * step, Double(j) * step)
        points += x
        jacobians.append(jacobian)
      }
    }
    let value = density.evaluate(points).value
    return zip(value, jacobians).reduce(0) { $0 + exp(-$1.0) * $1.1 } * step * step
  }

  @Test("Densities in two dimensions integrate to 1")
  func normalisation() throws {
    let plain = { (u: Double, v: Double) in (x: [u, v], jacobian: 1.0) }
    #expect(abs(integral(of: try Targets.mixture(), halfWidth: 12, step: 0.05, transform: plain) - 1) < 1e-9)
    let widening = { (u: Double, v: Double) in (x: [u, v * exp(u / 2)], jacobian: exp(u / 2)) }
    #expect(
      abs(integral(of: try FunnelDensity(), halfWidth: 9, step: 0.05, transform: widening) - 1) < 1e-9)
    let bending = { (u: Double, v: Double) in (x: [sinh(u), sinh(v)], jacobian: cosh(u) * cosh(v)) }
    #expect(
      abs(integral(of: try Targets.sinhArcsinh(), halfWidth: 6, step: 0.05, transform: bending) - 1) < 1e-9)
  }

  @Test("A sinh-arcsinh density without skew and tail is the Gaussian")
  func plainSinhArcsinh() throws {
    let covariance = [[1, 0.4], [0.4, 1]]
    let bent = try SinhArcsinhDensity(covariance: covariance, skew: [0, 0], tail: [1, 1])
    let gaussian = try GaussianDensity(mean: [0, 0], covariance: covariance)
    let points = normals(40)
    for (a, b) in zip(bent.evaluate(points).value, gaussian.evaluate(points).value) {
      #expect(abs(a - b) < 1e-13)
    }
  }

  @Test("Positive skew leans to the right, and a tail above 1 is heavier")
  func skewAndTail() throws {
    let skewed = try SinhArcsinhDensity(covariance: [[1]], skew: [0.5], tail: [1])
    #expect(skewed.value(at: [2]) < skewed.value(at: [-2]))
    let heavy = try SinhArcsinhDensity(covariance: [[1]], skew: [0], tail: [1.4])
    let gaussian = try GaussianDensity(mean: [0], covariance: [[1]])
    #expect(heavy.value(at: [6]) < gaussian.value(at: [6]))
  }

  @Test("Far from all modes the mixture's value and gradient stay finite")
  func farAway() throws {
    let (value, gradient) = try Targets.mixture().evaluate([1e8, -1e8, 500, 500])
    #expect((value + gradient).allSatisfy { $0.isFinite })
  }

  @Test("Twenty dimensions and ten full covariances agree with a single Gaussian where they are equal")
  func equalComponents() throws {
    let d = 20
    let covariance: [[Double]] = (0..<d).map { (i: Int) -> [Double] in
      (0..<d).map { (j: Int) -> Double in i == j ? 2 : 1 / Double(1 + abs(i - j)) }
    }
    let mean = normals(d)
    let single = try GaussianDensity(mean: mean, covariance: covariance)
    let mixture = try GaussianMixtureDensity(
      weights: (1...10).map { Double($0) }, means: .init(repeating: mean, count: 10),
      covariances: .init(repeating: covariance, count: 10))
    let points = normals(33 * d, component: 1).map { 2 * $0 }
    let expected = single.evaluate(points)
    let actual = mixture.evaluate(points)
    for (a, b) in zip(actual.value + actual.gradient, expected.value + expected.gradient) {
      #expect(abs(a - b) < 1e-12 * max(1, abs(b)))
    }
  }

  @Test("Analytic targets have no data, are normalised and name their coordinates")
  func description() throws {
    for density in try Targets.analytic() {
      #expect(density.designColumns == 0 && density.logNormalizer == 0)
      #expect(density.parameterNames == (1...density.dimension).map { "x[\($0)]" })
    }
  }
}
