import Foundation
import Mixtures
import TestKit
import Testing

@Suite("Mixtures with more or fewer components")
struct ResizeTests {
  private static let seed: UInt64 = 17

  /// Mean of θ and `tr Cov / d` of a mixture with given weights.
  private func moments(_ mixture: IsotropicMixture, weights: [Double]) -> (mean: [Double], variance: Double) {
    let d = mixture.dimension
    var mean = [Double](repeating: 0, count: d)
    for i in weights.indices {
      for k in 0..<d { mean[k] += weights[i] * mixture.means[i * d + k] }
    }
    var variance = 0.0
    for i in weights.indices {
      variance += weights[i] * mixture.variances[i]
      for k in 0..<d { variance += weights[i] * pow(mixture.means[i * d + k] - mean[k], 2) / Double(d) }
    }
    return (mean, variance)
  }

  @Test("merging all into one keeps mean and total variance", arguments: [2, 3, 7])
  func mergedToOne(components: Int) {
    var generator = SeededGenerator(seed: Self.seed)
    let mixture = IsotropicMixture(
      componentCount: components, dimension: 3, means: Matrices.random(3 * components, using: &generator),
      variances: Matrices.random(components, using: &generator).map { 1.5 + $0 })
    let one = mixture.resized(to: 1) { _ in [] }
    let expected = moments(mixture, weights: [Double](repeating: 1 / Double(components), count: components))
    #expect(zip(one.means, expected.mean).allSatisfy { abs($0 - $1) < 1e-13 }, "seed \(Self.seed)")
    #expect(abs(one.variances[0] - expected.variance) < 1e-13, "seed \(Self.seed)")
  }

  @Test("the two nearest in units of their spread are merged, the others stay")
  func nearest() {
    // 0 and 2 are nearer than 10 and 13, but 10 and 13 are wide.
    let mixture = IsotropicMixture(
      componentCount: 4, dimension: 1, means: [0, 10, 2, 13], variances: [0.3, 4, 0.3, 2])
    let three = mixture.resized(to: 3) { _ in [] }
    #expect(three.means == [0, 11.5, 2])
    #expect(three.variances == [0.3, 3 + 2.25, 0.3])
    let two = mixture.resized(to: 2) { _ in [] }
    #expect(two.means == [1, 11.5])
    #expect(zip(two.variances, [1.3, 5.25]).allSatisfy { abs($0 - $1) < 1e-14 })
  }

  @Test("a component that was merged twice has the weight of three")
  func weights() {
    let mixture = IsotropicMixture(
      componentCount: 4, dimension: 1, means: [0, 1, 2.5, 100], variances: [1, 1, 1, 1])
    let two = mixture.resized(to: 2) { _ in [] }
    let expected = moments(
      IsotropicMixture(componentCount: 3, dimension: 1, means: [0, 1, 2.5], variances: [1, 1, 1]),
      weights: [1.0 / 3, 1.0 / 3, 1.0 / 3])
    #expect(abs(two.means[0] - expected.mean[0]) < 1e-14 && two.means[1] == 100)
    #expect(abs(two.variances[0] - expected.variance) < 1e-14 && two.variances[1] == 1)
  }

  @Test("new components stand half a standard deviation beside the old ones, in turn")
  func split() {
    let mixture = IsotropicMixture(
      componentCount: 2, dimension: 2, means: [0, 0, 10, 20], variances: [4, 16])
    var asked: [Int] = []
    let five = mixture.resized(to: 5) { component in
      asked.append(component)
      return [1, -Double(component)]
    }
    #expect(asked == [2, 3, 4])
    #expect(five.means == [0, 0, 10, 20, 1, -2, 12, 14, 1, -4])
    #expect(five.variances == [4, 16, 4, 16, 4])
    #expect(mixture.resized(to: 2) { _ in [] } == mixture)
  }
}
