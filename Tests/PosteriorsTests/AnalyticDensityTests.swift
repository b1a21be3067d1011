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
    // From here on by cluster/examples/reference/network_reference.py, as the Student t densities below.
    let wide = try FunnelDensity(variance: 2, dimension: 5)
    #expect(abs(wide.value(at: [-0.7, 0.3, -0.2, 0.5, 1.1]) - 5.264699658742365) < 1e-14)
    #expect(abs(try Targets.banana().value(at: [0.2, 0.4]) - 5.368224246969291) < 1e-14)
    #expect(abs(try Targets.banana().value(at: [-3, 2.5]) - 3.6560242469692907) < 1e-14)
    let banana = try BananaDensity(variance: 3, curvature: -0.3, dimension: 4)
    #expect(abs(banana.value(at: [1.5, -0.5, 0.3, 2]) - 6.907872777152745) < 1e-14)
  }

  @Test("Student t densities agree with SciPy's multivariate_t")
  func student() throws {
    let mixture = try Targets.studentMixture()
    #expect(abs(mixture.value(at: [0.2, 0.4]) - 2.5564866728869426) < 1e-14)
    #expect(abs(mixture.value(at: [3, -4]) - 6.9303665620070145) < 1e-14)
    #expect(abs(mixture.value(at: [-80, 90]) - 25.273507997865593) < 1e-13)
    let odd = try StudentMixtureDensity(
      weights: [1], means: [[0.1, 0.2, 0.3]],
      scales: [[[2.5, 0.5, 0.5], [0.5, 2.5, 0.5], [0.5, 0.5, 2.5]]],
      degrees: [4.5])
    #expect(abs(odd.value(at: [1, -1, 2]) - 5.549979786640886) < 1e-14)
    let cauchy = try StudentMixtureDensity(weights: [2], means: [[0]], scales: [[[1]]], degrees: [1])
    #expect(abs(cauchy.value(at: [3]) - log(10 * Double.pi)) < 1e-14)
  }

  @Test("With very many degrees of freedom a mixture of Student t distributions is one of Gaussians")
  func manyDegrees() throws {
    let weights = [0.3, 0.7]
    let means = [[1.0, -2, 0], [-0.5, 0.75, 1]]
    let matrices = [
      [[2, 0.6, 0], [0.6, 1, 0.1], [0, 0.1, 1]], [[0.5, -0.3, 0], [-0.3, 1.5, 0], [0, 0, 3]],
    ]
    let student = try StudentMixtureDensity(
      weights: weights, means: means, scales: matrices, degrees: [1e14, 1e14])
    let gaussian = try GaussianMixtureDensity(weights: weights, means: means, covariances: matrices)
    let points = normals(33 * 3, component: 1).map { 2 * $0 }
    let (a, b) = (student.evaluate(points), gaussian.evaluate(points))
    for (x, y) in zip(a.value + a.gradient, b.value + b.gradient) {
      #expect(abs(x - y) < 1e-11 * max(1, abs(y)))
    }
  }

  @Test("Means and covariances by quadrature are those that the definitions give")
  func moments() throws {
    func moment(_ density: any LogDensity, _ weight: @escaping ([Double]) -> Double) -> Double {
      integral(of: density, halfWidth: 14, step: 0.05) { u, v in
        let x = [sinh(u), sinh(v)]
        return (x: x, jacobian: weight(x) * cosh(u) * cosh(v))
      }
    }
    let student = try StudentMixtureDensity(
      weights: [0.3, 0.7], means: [[1, -2], [-0.5, 0.75]],
      scales: [[[2, 0.6], [0.6, 1]], [[0.5, -0.3], [-0.3, 1.5]]], degrees: [8, 12])
    #expect(abs(moment(student) { $0[1] } + 0.075) < 1e-8)
    let first = 8.0 / 6 * 0.6 - 2
    let second = 12.0 / 10 * -0.3 - 0.375
    let cross: Double = 0.3 * first + 0.7 * second
    #expect(abs(moment(student) { $0[0] * $0[1] } - cross) < 1e-8)
    let banana = try BananaDensity(variance: 0.8, curvature: 0.6)
    #expect(abs(moment(banana) { $0[1] }) < 1e-8 && abs(moment(banana) { $0[0] * $0[1] }) < 1e-8)
    #expect(abs(moment(banana) { $0[1] * $0[1] } - (1 + 2 * 0.36 * 0.64)) < 1e-8)
  }

  @Test("Further coordinates of funnel and banana leave the first two as they are")
  func furtherCoordinates() throws {
    // At 0 a further coordinate of the banana has the standard normal density, one of the funnel e^{−x₁/2} of it.
    let x = [0.7, -1.3]
    let normal = 0.5 * log(2 * Double.pi)
    let banana = try BananaDensity(variance: 4, curvature: 0.5, dimension: 3).evaluate(x + [0])
    let plain = try Targets.banana().evaluate(x)
    #expect(abs(banana.value[0] - plain.value[0] - normal) < 1e-14)
    #expect(Array(banana.gradient[..<2]) == plain.gradient && banana.gradient[2] == 0)
    let funnel = try FunnelDensity(dimension: 3).value(at: x + [0])
    #expect(abs(funnel - (try FunnelDensity().value(at: x)) - normal - 0.35) < 1e-14)
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
    let sheared = { (u: Double, v: Double) -> (x: [Double], jacobian: Double) in
      let bend = 2 * u * u - 2
      return (x: [2 * u, v + bend], jacobian: 2)
    }
    #expect(abs(integral(of: try Targets.banana(), halfWidth: 9, step: 0.05, transform: sheared) - 1) < 1e-9)
    let bending = { (u: Double, v: Double) in (x: [sinh(u), sinh(v)], jacobian: cosh(u) * cosh(v)) }
    #expect(
      abs(integral(of: try Targets.sinhArcsinh(), halfWidth: 6, step: 0.05, transform: bending) - 1) < 1e-9)
    #expect(
      abs(integral(of: try Targets.studentMixture(), halfWidth: 16, step: 0.05, transform: bending) - 1)
        < 1e-9)
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
