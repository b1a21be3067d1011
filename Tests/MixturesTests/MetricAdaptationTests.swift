import Foundation
import Mixtures
import NumericsKit
import TestKit
import Testing

@Suite("Coordinates learned from an average curvature")
struct MetricAdaptationTests {
  init() { BLAS.prepare() }

  private static let seed: UInt64 = 33
  private let d = 5

  private func mixture(_ variances: [Double] = [0.2, 1, 3]) -> IsotropicMixture {
    var generator = SeededGenerator(seed: Self.seed)
    return IsotropicMixture(
      componentCount: variances.count, dimension: d,
      means: Matrices.random(variances.count * d, using: &generator).map { 10 * $0 }, variances: variances)
  }

  /// `Lᵀ H L`, or its diagonal.
  private func pulled(_ hessian: [Double], by metric: Metric) -> [Double] {
    let factor = MetricTests.matrix(metric)
    let full = Matrices.product(Matrices.product(Matrices.transpose(factor, d), hessian, d), factor, d)
    return metric.kind == .dense ? full : (0..<d).map { full[$0 * d + $0] }
  }

  private func trace(_ curvature: [Double]) -> Double {
    curvature.count == d ? curvature.reduce(0, +) : (0..<d).reduce(0) { $0 + curvature[$1 * d + $1] }
  }

  @Test(
    "for a quadratic V of condition 10⁸, Lᵀ H L becomes the identity, and means stay where they are in θ",
    arguments: [Metric.Kind.diagonal, .dense])
  func quadratic(kind: Metric.Kind) throws {
    var generator = SeededGenerator(seed: Self.seed)
    let eigenvalues = [1e-4, 3e-2, 1, 50, 1e4]
    let hessian =
      kind == .dense ? Matrices.symmetric(eigenvalues, using: &generator) : Matrices.diagonal(eigenvalues)
    var metric = Metric(kind, dimension: d)
    var mixture = mixture()
    let start = mixture.means
    for share in [1, 1, 1, 1, 0.5, 0.5] {
      let adapted = try #require(
        metric.adapted(to: pulled(hessian, by: metric), share: share, carrying: mixture))
      (metric, mixture) = (adapted.metric, adapted.mixture)
      let positions = metric.positions(of: mixture.means, count: 3)
      for (now, before) in zip(positions, start) { #expect(abs(now - before) < 1e-7, "seed \(Self.seed)") }
      for k in 0..<d {
        let middle = (0..<3).reduce(0) { $0 + start[$1 * d + k] } / 3
        #expect(abs(metric.center[k] - middle) < 1e-7)
      }
    }
    let left = pulled(hessian, by: metric)
    let one = kind == .dense ? Matrices.diagonal([1, 1, 1, 1, 1]) : [1, 1, 1, 1, 1]
    for (value, expected) in zip(left, one) { #expect(abs(value - expected) < 1e-6, "seed \(Self.seed)") }
    // det(Lᵀ H L) = 1: log |det L| = −½ log det H.
    #expect(abs(metric.logDeterminant + 0.5 * log(eigenvalues.reduce(1, *))) < 1e-6)
    let back = Matrices.product(MetricTests.matrix(metric), inverse(metric), d)
    for (value, expected) in zip(back, Matrices.diagonal([1, 1, 1, 1, 1])) {
      #expect(abs(value - expected) < 1e-6)
    }
    #expect(!metric.isUnsettled(by: left, spread: 8))
  }

  private func inverse(_ metric: Metric) -> [Double] {
    metric.kind == .dense ? metric.inverse : Matrices.diagonal(metric.inverse)
  }

  @Test(
    "a component that suits its curvature, ε tr H = d, suits the new curvature too",
    arguments: [Metric.Kind.diagonal, .dense])
  func variances(kind: Metric.Kind) throws {
    var generator = SeededGenerator(seed: Self.seed)
    let eigenvalues = [0.5, 1, 2, 5, 11]
    let full = Matrices.symmetric(eigenvalues, using: &generator)
    let curvature = kind == .dense ? full : (0..<d).map { full[$0 * d + $0] }
    let best = Double(d) / trace(curvature)
    let before = mixture([best, 7 * best])
    let (metric, after) = try #require(
      Metric(kind, dimension: d).adapted(to: curvature, share: 1, carrying: before))
    #expect(abs(after.variances[0] * trace(pulled(full, by: metric)) - Double(d)) < 1e-10)
    #expect(abs(after.variances[1] / after.variances[0] - 7) < 1e-12)
  }

  @Test("a share of the way draws eigenvalues towards their mean")
  func share() throws {
    // Λ = λ̄^(1 − ρ) λ^ρ: half of the way, in logarithms, from the mean 4 to 1, 1, 1, 1, 16 is 2, 2, 2, 2, 8.
    let adapted = try #require(
      Metric(.diagonal, dimension: d).adapted(to: [1, 1, 1, 1, 16], share: 0.5, carrying: mixture()))
    for (scale, expected) in zip(adapted.metric.factor, [2.0, 2, 2, 2, 8]) {
      #expect(abs(scale * scale * expected - 1) < 1e-13)
    }
    // ε tr H stays: the trace goes from 20 to 4/2 + 16/8 = 4.
    #expect(zip(adapted.mixture.variances, [0.2, 1, 3]).allSatisfy { abs($0 / $1 - 5) < 1e-12 })
  }

  @Test("small and negative eigenvalues count as a hundredth of the median")
  func floor() throws {
    var generator = SeededGenerator(seed: Self.seed)
    // Medians of magnitudes 2 and 3.
    for (values, floor) in [([1e-6, 1, 2, 3, 4], 0.02), ([-5, 1, 2, 3, 4], 0.03)] {
      let expected = values.map { max($0, floor) }
      let diagonal = try #require(
        Metric(.diagonal, dimension: d).adapted(to: values, share: 1, carrying: mixture()))
      for (scale, value) in zip(diagonal.metric.factor, expected) {
        #expect(abs(scale * scale * value - 1) < 1e-14)
      }
      let full = Matrices.symmetric(values, using: &generator)
      let dense = try #require(
        Metric(.dense, dimension: d).adapted(to: full, share: 1, carrying: mixture()))
      // The curvature that is left has the eigenvalues λ / max(λ, floor).
      let left = try #require(SymmetricEigen(pulled(full, by: dense.metric), dimension: d))
      for (value, wanted) in zip(left.values, zip(values, expected).map({ $0 / $1 }).sorted()) {
        #expect(abs(value - wanted) < 1e-9 * max(1, abs(wanted)), "seed \(Self.seed)")
      }
      let determinant = expected.reduce(0) { $0 - 0.5 * log($1) }
      #expect(abs(dense.metric.logDeterminant - determinant) < 1e-10)
    }
  }

  @Test("nothing is learned from curvatures that are not finite, nowhere positive or of another size")
  func nothing() {
    for kind in [Metric.Kind.diagonal, .dense] {
      let metric = Metric(kind, dimension: d)
      let count = kind == .dense ? d * d : d
      for bad in [Double.nan, .infinity, -.infinity] {
        var curvature = kind == .dense ? Matrices.diagonal([1, 1, 1, 1, 1]) : [1, 1, 1, 1, 1]
        curvature[count - 1] = bad
        #expect(metric.adapted(to: curvature, share: 1, carrying: mixture()) == nil)
      }
      let negative = kind == .dense ? Matrices.diagonal([-1, -1, -2, -3, 0]) : [-1, -1, -2, -3, 0]
      #expect(metric.adapted(to: negative, share: 1, carrying: mixture()) == nil)
      #expect(metric.adapted(to: [1, 2], share: 1, carrying: mixture()) == nil)
      #expect(metric.adapted(to: [], share: 1, carrying: mixture()) == nil)
    }
    let unit = Metric(.unit, dimension: d)
    let kept = unit.adapted(to: [], share: 1, carrying: mixture())
    #expect(kept?.metric == unit && kept?.mixture == mixture())
  }

  @Test("a curvature is settled while no eigenvalue is eight times the mean or an eighth of it")
  func settled() {
    let diagonal = Metric(.diagonal, dimension: d)
    #expect(!diagonal.isUnsettled(by: [1, 1, 1, 1, 2], spread: 8))
    #expect(diagonal.isUnsettled(by: [1, 1, 1, 1, 0.01], spread: 8))
    #expect(diagonal.isUnsettled(by: [1, 1, 1, 1, 1000], spread: 8))
    #expect(diagonal.isUnsettled(by: [1, 1, 1, 1, -1], spread: 8))
    let dense = Metric(.dense, dimension: d)
    #expect(!dense.isUnsettled(by: Matrices.diagonal([1, 1, 1, 1, 2]), spread: 8))
    #expect(dense.isUnsettled(by: Matrices.diagonal([1, 1, 1, 1, 0.01]), spread: 8))
    #expect(dense.isUnsettled(by: [.nan], spread: 8))
    #expect(!Metric(.unit, dimension: d).isUnsettled(by: [], spread: 8))
  }
}
