import Foundation
import Mixtures
import NumericsKit
import Testing

@Suite struct MixtureDensityTests {
  @Test("The log density agrees with SciPy's multivariate_normal and logsumexp")
  func scipy() {
    let mixture = IsotropicMixture(
      componentCount: 3, dimension: 3, means: [0.5, -1.0, 2.0, 3.0, 0.25, -0.5, -2.0, 1.5, 0.75],
      variances: [0.5, 2.0, 0.1])
    let expected: [([Double], Double)] = [
      ([0.1, -0.3, 1.2], -4.081043441447477), ([2.0, 2.0, 2.0], -7.471903897314552),
      ([-2.1, 1.4, 0.8], -0.5140413266205864), ([50.0, -60.0, 70.0], -2707.2232736591227),
    ]
    for (point, value) in expected {
      #expect(abs(mixture.logDensity(at: point) - value) <= 4e-15 * max(1, abs(value)))
    }
  }

  struct Extreme: Sendable, CustomStringConvertible {
    let dimension: Int
    let spread: Double
    let variance: Double
    var description: String { "d = \(dimension), means \(spread) apart, ε = \(variance)" }
  }

  static let extremes = [1, 2, 30, 1000].flatMap { dimension in
    [1, 1e6].flatMap { spread in
      [1e-12, 1e-4, 1, 1e6, 1e12].map { Extreme(dimension: dimension, spread: spread, variance: $0) }
    }
  }

  @Test("Density and score agree with extended precision at extreme scales", arguments: extremes)
  func extremeScales(_ extreme: Extreme) {
    let mixture = randomMixture(
      components: 7, dimension: extreme.dimension, spread: extreme.spread, variance: extreme.variance)
    let z = normals(extreme.dimension, component: 1)
    // Near a component, and between all of them.
    let scale = mixture.variances[3].squareRoot()
    let near = zip(mixture.means[3 * extreme.dimension..<4 * extreme.dimension], z).map { $0 + scale * $1 }
    for point in [near, z.map { $0 * extreme.spread }] {
      let expected = wideDensity(mixture, at: point)
      let logDensity = mixture.logDensity(at: point)
      #expect(abs(logDensity - expected.logDensity) <= 1e-13 * max(1, abs(expected.logDensity)))
      let score = mixture.score(at: point)
      // Shares come from differences of log weights, so their relative error is the weights' absolute one.
      let weightError = 1e-15 * max(100, abs(expected.logDensity))
      let size = expected.score.map { abs($0) }.max() ?? 0
      for (value, wanted) in zip(score, expected.score) {
        #expect(abs(value - wanted) <= (1e-13 + min(1, weightError)) * size)
      }
    }
  }

  @Test("Far from the origin no digit is lost: shifting everything by 10⁸ changes nothing")
  func translation() {
    let near = randomMixture(components: 5, dimension: 4, spread: 2, variance: 1)
    // Multiples of 2^-20 keep their value when shifted by a power of two.
    func rounded(_ value: Double) -> Double { (value * 0x1p20).rounded() * 0x1p-20 }
    let shift = 0x1p27
    var still = near
    still.means = near.means.map(rounded)
    var shifted = still
    shifted.means = still.means.map { $0 + shift }
    let point = normals(4, component: 2).map(rounded)
    #expect(still.logDensity(at: point) == shifted.logDensity(at: point.map { $0 + shift }))
    #expect(still.score(at: point) == shifted.score(at: point.map { $0 + shift }))
  }

  @Test("The score is the gradient of the log density", arguments: [1, 2, 13])
  func finiteDifferences(dimension: Int) {
    let mixture = randomMixture(components: 6, dimension: dimension, spread: 1.5, variance: 0.7)
    for trial in 0..<10 {
      let point = normals(dimension, iteration: 1, component: trial).map { 2 * $0 }
      let score = mixture.score(at: point)
      for k in 0..<dimension {
        var ahead = point
        var behind = point
        ahead[k] += 1e-5
        behind[k] -= 1e-5
        let slope = (mixture.logDensity(at: ahead) - mixture.logDensity(at: behind)) / 2e-5
        #expect(abs(slope - score[k]) < 1e-8 * max(1, abs(slope)))
      }
    }
  }

  @Test("A point's results don't depend on which points are evaluated with it, and are added")
  func blocks() {
    let (dimension, count) = (5, 41)
    let mixture = randomMixture(components: 9, dimension: dimension, spread: 8, variance: 0.5)
    let points = normals(count * dimension, component: 3).map { 6 * $0 }
    let density = MixtureDensity(componentCount: 9, dimension: dimension)
    density.load(means: mixture.means, variances: mixture.variances)
    var logDensity = [Double](repeating: 0, count: count)
    var score = [Double](repeating: 0, count: count * dimension)
    density.accumulate(points: points, count: count, logDensity: &logDensity, score: &score)
    for s in 0..<count {
      let point = Array(points[s * dimension..<(s + 1) * dimension])
      #expect(mixture.logDensity(at: point) == logDensity[s])
      #expect(mixture.score(at: point) == Array(score[s * dimension..<(s + 1) * dimension]))
    }
    var again = logDensity
    density.accumulate(points: points, count: count, logDensity: &again, score: nil)
    #expect(again == logDensity.map { 2 * $0 })
  }

  @Test("A density in one dimension integrates to 1")
  func normalisation() {
    let mixture = randomMixture(components: 4, dimension: 1, spread: 3, variance: 0.2)
    let step = 0.005
    let sum = (-6000...6000).reduce(0.0) { $0 + exp(mixture.logDensity(at: [Double($1) * step])) * step }
    #expect(abs(sum - 1) < 1e-12)
  }

  @Test("Numbers that are not finite don't trap")
  func notFinite() {
    for bad in [Double.nan, .infinity, -.infinity, 1e300] {
      let mixture = IsotropicMixture(
        componentCount: 2, dimension: 2, means: [0, 1, bad, 0], variances: [1, 2])
      _ = mixture.score(at: [0, 0])
      let good = IsotropicMixture(componentCount: 1, dimension: 2, means: [0, 1], variances: [1])
      _ = good.score(at: [bad, 0])
      let wild = IsotropicMixture(componentCount: 1, dimension: 2, means: [0, 1], variances: [bad])
      _ = wild.score(at: [0, 0])
    }
    let far = IsotropicMixture(componentCount: 1, dimension: 1, means: [0], variances: [1])
    #expect(far.logDensity(at: [1e200]) == -.infinity)
    #expect(far.logDensity(at: [.nan]).isNaN || far.logDensity(at: [.nan]) == -.infinity)
  }
}
