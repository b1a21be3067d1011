import Foundation
import Mixtures
import NumericsKit
import TestKit
import Testing

/// A random mixture with full covariances.
func randomFullMixture(components: Int, dimension d: Int, spread: Double, seed: UInt64) -> FullMixture {
  var generator = SeededGenerator(seed: seed)
  let means = (0..<components * d).map { _ in Double.random(in: -spread...spread, using: &generator) }
  var factors = [Double](repeating: 0, count: components * d * d)
  for row in 0..<components * d {
    for k in 0..<row % d { factors[row * d + k] = Double.random(in: -0.6...0.6, using: &generator) }
    factors[row * d + row % d] = Double.random(in: 0.6...1.4, using: &generator)
  }
  return FullMixture(componentCount: components, dimension: d, means: means, factors: factors)
}

extension FullMixture {
  /// log q and its score at points `[count, d]`.
  func evaluate(_ points: [Double]) -> (logDensity: [Double], score: [Double]) {
    let density = FullMixtureDensity(componentCount: componentCount, dimension: dimension)
    density.load(means: means, factors: factors)
    var logDensity = [Double](repeating: 0, count: points.count / dimension)
    var score = [Double](repeating: 0, count: points.count)
    density.accumulate(points: points, count: logDensity.count, logDensity: &logDensity, score: &score)
    return (logDensity, score)
  }
}

@Suite("Mixtures with full covariances")
struct FullMixtureDensityTests {
  @Test("log density and score are those of the formula")
  func formula() throws {
    let mixture = randomFullMixture(components: 3, dimension: 2, spread: 1, seed: 1)
    let covariances = mixture.covariances
    var generator = SeededGenerator(seed: 2)
    let points = (0..<2 * 37).map { _ in Double.random(in: -3...3, using: &generator) }
    let (logDensity, score) = mixture.evaluate(points)
    for s in 0..<37 {
      var (density, pull) = (0.0, [0.0, 0.0])
      for i in 0..<3 {
        let (a, b, c) = (covariances[4 * i], covariances[4 * i + 1], covariances[4 * i + 3])
        let determinant = a * c - b * b
        let (x, y) = (points[2 * s] - mixture.means[2 * i], points[2 * s + 1] - mixture.means[2 * i + 1])
        let solved = [(c * x - b * y) / determinant, (a * y - b * x) / determinant]
        let share = exp(-0.5 * (x * solved[0] + y * solved[1])) / (2 * .pi * determinant.squareRoot()) / 3
        density += share
        for k in 0..<2 { pull[k] -= share * solved[k] }
      }
      #expect(abs(logDensity[s] - log(density)) < 1e-12)
      for k in 0..<2 { #expect(abs(score[2 * s + k] - pull[k] / density) < 1e-11) }
    }
  }

  @Test("for isotropic covariances it is the isotropic mixture's, and adds to what is there")
  func isotropic() {
    let isotropic = randomMixture(components: 4, dimension: 5, spread: 2, variance: 0.7)
    let mixture = FullMixture(isotropic)
    let points = (0..<5 * 20).map { Double($0 % 17) / 4 - 2 }
    let (logDensity, score) = mixture.evaluate(points)
    for s in 0..<20 {
      let point = Array(points[5 * s..<5 * s + 5])
      #expect(abs(logDensity[s] - isotropic.logDensity(at: point)) < 1e-11)
      for (found, expected) in zip(score[5 * s..<5 * s + 5], isotropic.score(at: point)) {
        #expect(abs(found - expected) < 1e-11)
      }
    }
    #expect(zip(mixture.isotropic.variances, isotropic.variances).allSatisfy { abs($0 - $1) < 1e-14 })
    let density = FullMixtureDensity(componentCount: 4, dimension: 5)
    density.load(means: mixture.means, factors: mixture.factors)
    var sum = [Double](repeating: 3, count: 20)
    density.accumulate(points: points, count: 20, logDensity: &sum, score: nil)
    #expect(sum.indices.allSatisfy { abs(sum[$0] - 3 - logDensity[$0]) < 1e-12 })
  }

  @Test("deviates become F z, and factors are told from other numbers")
  func factors() {
    let factor = [2.0, 0, 0, 1, 3, 0, -1, 0.5, 4]
    var rows = [1.0, 1, 1, 0, -1, 2]
    FullMixture.spread(&rows, count: 2, by: factor, dimension: 3)
    #expect(rows == [2, 4, 3.5, 0, -3, 7.5])
    let mixture = FullMixture(componentCount: 1, dimension: 3, means: [0, 0, 0], factors: factor)
    #expect(mixture.covariances == [4, 2, -2, 2, 10, 0.5, -2, 0.5, 17.25])
    #expect(mixture.isotropic.variances == [31.25 / 3])
    #expect(FullMixture.areFactors(factor, componentCount: 1, dimension: 3))
    for (index, value) in [(1, 0.1), (4, 0), (4, -3), (3, .nan), (8, .infinity)] {
      var other = factor
      other[index] = value
      #expect(!FullMixture.areFactors(other, componentCount: 1, dimension: 3))
    }
    #expect(!FullMixture.areFactors(factor, componentCount: 2, dimension: 3))
  }

  @Test("a lower triangle times its inverse is the identity")
  func inverse() {
    let lower = Array(randomFullMixture(components: 1, dimension: 6, spread: 1, seed: 9).factors)
    let inverse = TriangularMatrix.inverse(lower, dimension: 6)
    for row in 0..<6 {
      for column in 0..<6 {
        let product = (0..<6).reduce(0.0) { $0 + lower[row * 6 + $1] * inverse[$1 * 6 + column] }
        #expect(abs(product - (row == column ? 1 : 0)) < 1e-13)
      }
    }
  }
}
