import Mixtures
import NumericsKit
import Testing

@Suite("A density whose coordinates have mixtures of their own") struct CoordinateMixtureTests {
  private func example(_ components: Int, _ dimension: Int, scale: Double = 1) -> CoordinateMixture {
    let numbers = normals(2 * components * dimension, component: components)
    return CoordinateMixture(
      componentCount: components, dimension: dimension,
      means: numbers.prefix(components * dimension).map { 2 * scale * $0 },
      variances: numbers.suffix(components * dimension).map { scale * scale * (0.1 + $0 * $0) })
  }

  @Test(
    "is the product of its marginals, and its score theirs: also far away and at extreme scales",
    arguments: [1, 2, 15, 16, 17, 40], [1, 3, 20])
  func product(dimension: Int, components: Int) {
    for scale in [1e-6, 1, 1e6] {
      let mixture = example(components, dimension, scale: scale)
      let density = CoordinateMixtureDensity(componentCount: components, dimension: dimension)
      density.load(mixture.components)
      let count = 3
      let points = normals(count * dimension, component: 7).enumerated().map { index, z in
        scale * z * [1, 30, 1e3][index / dimension]
      }
      var (values, scores) = ([1.0, 2, 3], [Double](repeating: 0.5, count: count * dimension))
      density.accumulate(points: points, count: count, logDensity: &values, score: &scores)
      var again = [0.0, 0, 0]
      density.accumulate(points: points, count: count, logDensity: &again, score: nil)
      for s in 0..<count {
        var expected = Double(s + 1)
        for k in 0..<dimension {
          let point = [points[s * dimension + k]]
          let marginal = mixture.marginal(of: k)
          expected += marginal.logDensity(at: point)
          let score = marginal.score(at: point)[0]
          #expect(abs(scores[s * dimension + k] - 0.5 - score) <= 1e-11 * max(1, abs(score)))
        }
        #expect(abs(values[s] - expected) <= 1e-13 * max(1, abs(expected)))
        #expect(abs(again[s] + Double(s + 1) - values[s]) <= 1e-13 * max(1, abs(expected)))
      }
    }
  }

  @Test("is as far from another as all marginals together")
  func distance() throws {
    let (first, second) = (example(3, 2), example(3, 2, scale: 2))
    let parts = try (0..<2).map {
      try #require(first.marginal(of: $0).squaredMixtureDistance(to: second.marginal(of: $0)))
    }
    #expect(try #require(first.squaredMixtureDistance(to: second)) == parts[0] + parts[1])
    #expect(first.squaredMixtureDistance(to: first) == 0)
    #expect(first.squaredMixtureDistance(to: example(3, 3)) == nil)
    // One component each: W₂² of Gaussians with diagonal covariances.
    let a = CoordinateMixture(componentCount: 1, dimension: 2, means: [0, 1], variances: [4, 9])
    let b = CoordinateMixture(componentCount: 1, dimension: 2, means: [3, 1], variances: [1, 16])
    #expect(abs(try #require(a.squaredMixtureDistance(to: b)) - (9 + 1 + 1)) < 1e-12)
  }

  @Test("has N·d components for a step, in the order (component, coordinate)")
  func components() {
    let mixture = example(3, 4)
    #expect(CoordinateMixture(mixture.components, dimension: 4) == mixture)
    #expect(mixture.components.componentCount == 12 && mixture.components.dimension == 1)
    #expect(mixture.marginal(of: 2).means == [2, 6, 10].map { mixture.means[$0] })
    let averaged = mixture.averaged.variances[1]
    #expect(abs(averaged - mixture.variances[4..<8].reduce(0, +) / 4) < 1e-15)
  }
}
