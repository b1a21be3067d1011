import Mixtures
import Testing

@Suite struct MixtureDistanceTests {
  @Test("The distance between two Gaussians is ‖m − m'‖² + d(√ε − √ε')²")
  func gaussians() throws {
    let first = IsotropicMixture(componentCount: 1, dimension: 2, means: [0, 0], variances: [4])
    let second = IsotropicMixture(componentCount: 1, dimension: 2, means: [3, 4], variances: [1])
    #expect(try #require(first.squaredDistance(to: second)) == 27)
  }

  @Test("Mixtures that differ in the order of their components are at distance zero")
  func permutation() throws {
    let mixture = randomMixture(components: 9, dimension: 3, spread: 2, variance: 0.3)
    var permuted = mixture
    for i in 0..<9 {
      let j = (4 * i + 2) % 9
      permuted.variances[j] = mixture.variances[i]
      for k in 0..<3 { permuted.means[3 * j + k] = mixture.means[3 * i + k] }
    }
    #expect(try #require(mixture.squaredDistance(to: permuted)) == 0)
    permuted.means[0] += 0.01
    #expect(abs(try #require(mixture.squaredDistance(to: permuted)) - 1e-4 / 9) < 1e-12)
  }

  @Test("Assignments cost what SciPy's linear_sum_assignment finds")
  func scipy() {
    let small = (0..<49).map { index -> Double in
      let (i, j) = (index / 7, index % 7)
      return Double((i * j * 37 + i * 11 + j * j * 5) % 101)
    }
    #expect(Assignment.minimize(cost: small, size: 7) == [0, 2, 1, 3, 5, 6, 4])
    let large = (0..<1600).map { index -> Double in
      let (i, j) = (index / 40, index % 40)
      return Double((i * j * 3701 + i * 113 + j * j * 59) % 1009)
    }
    let permutation = Assignment.minimize(cost: large, size: 40)
    #expect(permutation.sorted() == Array(0..<40))
    #expect(permutation.enumerated().reduce(0) { $0 + large[$1.offset * 40 + $1.element] } == 1686)
  }

  @Test("Mixtures of different shapes have no such distance")
  func shapes() {
    let one = IsotropicMixture(componentCount: 1, dimension: 1, means: [0], variances: [1])
    let two = IsotropicMixture(componentCount: 2, dimension: 1, means: [0, 1], variances: [1, 1])
    let wild = IsotropicMixture(componentCount: 1, dimension: 1, means: [.nan], variances: [1])
    #expect(one.squaredDistance(to: two) == nil)
    #expect(one.squaredDistance(to: wild) == nil)
  }
}
