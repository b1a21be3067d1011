import NumericsKit
import Testing

import Report

@Suite struct StatisticsTests {
  /// scipy.stats.norm.cdf, by hand.
  @Test(
    "The normal distribution function agrees with SciPy's",
    arguments: [
      (-8.0, 6.220960574271786e-16), (-5.0, 2.8665157187919344e-07), (-1.0, 0.15865525393145707), (0.0, 0.5),
      (0.3, 0.6179114221889526), (2.5, 0.9937903346742238), (7.5, 0.9999999999999681),
    ])
  func normal(z: Double, expected: Double) {
    #expect(abs(NormalCurve.cumulative(z) - expected) <= 1e-14 * max(expected, 1e-2))
    if z > -7, z < 7 { #expect(abs(NormalCurve.quantile(expected) - z) < 1e-8) }
  }

  @Test("A marginal's quantiles invert its distribution function, also between far modes and for narrow ones")
  func quantiles() {
    for marginal in [
      Marginal(means: [0], deviations: [2]), Marginal(means: [-100, 100], deviations: [1, 1e-4]),
      Marginal(means: (0..<500).map { Double($0 % 17) }, deviations: (0..<500).map { 0.1 + Double($0 % 3) }),
    ] {
      for p in [0.001, 0.05, 0.3, 0.7, 0.95, 0.999] {
        #expect(abs(marginal.cumulative(at: marginal.quantile(p)) - p) < 1e-6)
      }
    }
  }

  /// statsmodels.stats.proportion.proportion_confint(k, n, method="wilson"), by hand.
  @Test("Wilson's intervals agree with statsmodels'")
  func wilson() {
    let ten = Reliability.wilson(successes: 3, of: 10)
    #expect(abs(ten.low - 0.10779127) < 1e-7 && abs(ten.high - 0.60322185) < 1e-7)
    let none = Reliability.wilson(successes: 0, of: 20)
    #expect(none.low == 0 && abs(none.high - 0.16112516) < 1e-7)
  }

  @Test("The area under a ROC curve is the share of pairs ranked right, ties counted half")
  func area() throws {
    let scores = (0..<200).map { Double(($0 * 7919) % 37) / 37 }
    let outcomes = (0..<200).map { ($0 * 31) % 7 < 3 }
    var (right, pairs) = (0.0, 0.0)
    for i in scores.indices where outcomes[i] {
      for j in scores.indices where !outcomes[j] {
        pairs += 1
        right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0
      }
    }
    let curve = try #require(ROCCurve(scores: scores, outcomes: outcomes))
    #expect(abs(curve.area - right / pairs) < 1e-12)
    let (first, last) = (curve.points[0], curve.points[curve.points.count - 1])
    #expect(first.0 == 0 && first.1 == 0 && last.0 == 1 && last.1 == 1)
    #expect(ROCCurve(scores: scores, outcomes: outcomes.map { _ in true }) == nil)
  }

  @Test("Contours of a round density are closed circles around the share of it that they are said to hold")
  func contours() {
    let places = (0...80).map { -5 + 10 * Double($0) / 80 }
    let planar = PlanarMixture(components: [.init(x: 0, y: 0, xx: 1, xy: 0, yy: 1)])
    let contours = Contours(xs: places, ys: places, planar.density)
    let level = contours.levels(holding: [0.8])[0]
    let curves = contours.curves(at: level)
    #expect(curves.count == 1)
    let (first, last) = (curves[0][0], curves[0][curves[0].count - 1])
    #expect(first.0 == last.0 && first.1 == last.1)
    // Of a standard normal, 80 % lie within √(−2 ln 0.2).
    let radius = (-2 * VectorMath.logarithm(0.2)).squareRoot()
    for point in curves[0] {
      #expect(abs((point.0 * point.0 + point.1 * point.1).squareRoot() - radius) < 0.08)
    }
  }

  @Test("Principal axes found by iteration are those of the eigenvalues")
  func axes() throws {
    BLAS.prepare()
    for d in [40, 320] {
      // Means far apart along one direction, and less far along another.
      var fitted = Examples.mixture(dimension: d, components: 4)
      fitted.means = [(40.0, 0.0), (-40.0, 0.0), (0.0, 15.0), (0.0, -15.0)].map { a, b in
        (0..<d).map { $0 < d / 2 ? a : b }
      }
      let axes = try #require(PrincipalAxes(MixtureShape(fitted)))
      let first = axes.directions[0]
      #expect(abs(first.prefix(d / 2).reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
      #expect(axes.shares[0] >= axes.shares[1] && axes.shares[0] > 0.45)
    }
  }
}
