import Foundation
import Mixtures
import NumericsKit
import TestKit
import Testing

@Suite("Bures–Wasserstein steps of full covariances")
struct BuresWassersteinTests {
  init() { BLAS.prepare() }

  static let targetMean = [1.0, -2, 0.5]
  static let targetCovariance = [2.0, 0.9, -0.3, 0.9, 1, 0.2, -0.3, 0.2, 0.6]
  static let targetPrecision = LinearSolver.invert(targetCovariance, dimension: 3)!.inverse

  private func multiply(_ a: [Double], _ b: [Double], _ d: Int) -> [Double] {
    (0..<d * d).map { index in
      (0..<d).reduce(0.0) { $0 + a[index / d * d + $1] * b[$1 * d + index % d] }
    }
  }

  private func transposed(_ a: [Double], _ d: Int) -> [Double] {
    (0..<d * d).map { a[$0 % d * d + $0 / d] }
  }

  /// For a Gaussian target: `g = P (m − μ)`, `E[G (x − m)ᵀ] = P Σ − I`.
  private func expectedGradient(_ mixture: FullMixture) -> FullMixtureGradient {
    let p = Self.targetPrecision
    var product = multiply(p, mixture.covariances, 3)
    for k in 0..<3 { product[4 * k] -= 1 }
    return FullMixtureGradient(
      mean: (0..<3).map { row in
        (0..<3).reduce(0.0) { $0 + p[3 * row + $1] * (mixture.means[$1] - Self.targetMean[$1]) }
      }, product: product)
  }

  private func largest(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test("one component becomes a Gaussian target, from far away, with given and relative steps")
  func gaussianTarget() throws {
    for isRelative in [false, true] {
      for variance in [1e-4, 1, 400.0] {
        var mixture = FullMixture(
          IsotropicMixture(componentCount: 1, dimension: 3, means: [9, 7, -8], variances: [variance]))
        for _ in 0..<3000 {
          let gradient = expectedGradient(mixture)
          mixture =
            isRelative
            ? try BuresWassersteinRule.step(mixture, gradient: gradient, relativeStep: 0.2)
            : try BuresWassersteinRule.step(mixture, gradient: gradient, stepSize: 0.1)
        }
        #expect(largest(mixture.means, Self.targetMean) < 1e-11)
        #expect(largest(mixture.covariances, Self.targetCovariance) < 1e-11)
      }
    }
  }

  @Test("a step is m − γ g and M Σ Mᵀ with M = I − γ sym(P Σ⁻¹), written out")
  func formula() throws {
    let d = 4
    let mixture = randomFullMixture(components: 3, dimension: d, spread: 2, seed: 5)
    var generator = SeededGenerator(seed: 6)
    let gradient = FullMixtureGradient(
      mean: mixture.means.map { _ in Double.random(in: -1...1, using: &generator) },
      product: mixture.factors.map { _ in Double.random(in: -1...1, using: &generator) })
    let covariances = mixture.covariances
    for stepSize in [0.001, 0.02] {
      let next = try BuresWassersteinRule.step(mixture, gradient: gradient, stepSize: stepSize)
      #expect(FullMixture.areFactors(next.factors, componentCount: 3, dimension: d))
      for i in 0..<3 {
        let range = i * d * d..<(i + 1) * d * d
        let covariance = Array(covariances[range])
        let inverse = try #require(LinearSolver.invert(covariance, dimension: d)).inverse
        let slope = multiply(Array(gradient.product[range]), inverse, d)
        let other = transposed(slope, d)
        let transport = slope.indices.map {
          ($0 % (d + 1) == 0 ? 1.0 : 0) - stepSize * 0.5 * (slope[$0] + other[$0])
        }
        let expected = multiply(multiply(transport, covariance, d), transposed(transport, d), d)
        // The cap is not what is looked at here.
        let change = slope.reduce(0) { $0 + $1 * $1 }.squareRoot() * stepSize
        #expect(change < 0.39, "the example is too wild for its step: \(change)")
        #expect(largest(Array(next.covariances[range]), expected) < 1e-12)
      }
      let means = zip(mixture.means, gradient.mean).map { $0 - stepSize * $1 }
      #expect(largest(next.means, means) < 1e-15)
    }
  }

  @Test("in one dimension it is the isotropic rule, caps and all")
  func oneDimension() throws {
    let isotropic = IsotropicMixture(componentCount: 2, dimension: 1, means: [1, -2], variances: [0.3, 2])
    let full = FullMixture(isotropic)
    for rate in [-9, -0.5, -0.1, 0.02, 0.3, 0.9, 1, 1.3, 2.5, 70.0] {
      for stepSize in [0.1, 1.0] {
        let h = [rate, -rate]
        let simple = MixtureGradient(mean: [rate, 3], variance: h)
        let gradient = FullMixtureGradient(
          mean: [rate, 3], product: zip(h, isotropic.variances).map { $0 * $1 })
        let given = try BuresWassersteinRule.step(full, gradient: gradient, stepSize: stepSize)
        let expected = try UpdateRule.ibw.step(isotropic, gradient: simple, stepSize: stepSize)
        #expect(largest(given.means, expected.means) < 1e-14)
        #expect(zip(given.covariances, expected.variances).allSatisfy { abs($0 / $1 - 1) < 1e-13 })
        let relative = try BuresWassersteinRule.step(full, gradient: gradient, relativeStep: stepSize)
        let other = try UpdateRule.ibw.step(isotropic, gradient: simple, relativeStep: stepSize)
        #expect(largest(relative.means, other.means) < 1e-14)
        #expect(zip(relative.covariances, other.variances).allSatisfy { abs($0 / $1 - 1) < 1e-13 })
      }
    }
  }

  @Test("no eigenvalue of a covariance changes its logarithm by more than 1, whatever the gradient")
  func cap() throws {
    let d = 5
    var generator = SeededGenerator(seed: 3)
    var reached = false
    for seed in 0..<40 {
      let mixture = randomFullMixture(components: 1, dimension: d, spread: 1, seed: UInt64(seed))
      let gradient = FullMixtureGradient(
        mean: [Double](repeating: 0, count: d),
        product: mixture.factors.map { _ in Double.random(in: -1000...1000, using: &generator) })
      let steps = [
        try BuresWassersteinRule.step(mixture, gradient: gradient, stepSize: 1),
        try BuresWassersteinRule.step(mixture, gradient: gradient, relativeStep: 0.2),
      ]
      let before = try #require(SymmetricEigen(mixture.covariances, dimension: d)).values
      for next in steps {
        let after = try #require(SymmetricEigen(next.covariances, dimension: d)).values
        for (old, new) in zip(before, after) {
          #expect(abs(log(new / old)) < UpdateRule.maximumLogVarianceChange + 1e-9)
          reached = reached || abs(log(new / old)) > 0.5
        }
      }
    }
    #expect(reached)
  }

  @Test("what leaves the space of mixtures is an error that names the component")
  func errors() throws {
    let mixture = randomFullMixture(components: 2, dimension: 2, spread: 1, seed: 4)
    let zero = FullMixtureGradient(
      mean: [Double](repeating: 0, count: 4), product: [Double](repeating: 0, count: 8))
    #expect(
      largest(try BuresWassersteinRule.step(mixture, gradient: zero, stepSize: 1).factors, mixture.factors)
        < 1e-15)
    for value in [Double.nan, .infinity] {
      var bad = zero
      bad.product[5] = value
      #expect(error(mixture, bad)?.code == .covariance && error(mixture, bad)?.component == 1)
      bad = zero
      bad.mean[1] = value
      #expect(error(mixture, bad)?.code == .notFinite && error(mixture, bad)?.component == 0)
      #expect(error(mixture, bad)?.message.contains("component 1") == true)
    }
    let wrong = FullMixtureGradient(mean: zero.mean, product: [])
    #expect(error(mixture, wrong)?.code == .shape)
    // A covariance whose entries don't fit into a number.
    let wide = FullMixture(componentCount: 1, dimension: 1, means: [0], factors: [1e200])
    let gradient = FullMixtureGradient(mean: [0], product: [0])
    #expect(error(wide, gradient)?.code == .covariance)
  }

  private func error(_ mixture: FullMixture, _ gradient: FullMixtureGradient) -> UpdateError? {
    do {
      _ = try BuresWassersteinRule.step(mixture, gradient: gradient, stepSize: 0.1)
      _ = try BuresWassersteinRule.step(mixture, gradient: gradient, relativeStep: 0.1)
      return nil
    } catch {
      return error as? UpdateError
    }
  }
}
