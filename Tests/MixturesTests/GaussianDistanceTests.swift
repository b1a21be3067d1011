import Mixtures
import NumericsKit
import Testing

@Suite struct GaussianDistanceTests {
  init() { BLAS.prepare() }

  static func means(_ count: Int, _ dimension: Int, _ seed: Int) -> [Double] {
    (0..<count * dimension).map { 6 * fraction(Double($0 + seed) * 0.6180339887498949) - 3 }
  }

  static func variances(_ count: Int, _ seed: Int) -> [Double] {
    (0..<count).map { 0.2 + fraction(Double($0 + seed) * 0.41421356237309515) }
  }

  static func covariance(_ d: Int, _ seed: Int) -> [Double] {
    var factor = [Double](repeating: 0, count: d * d)
    for i in 0..<d {
      for j in 0...i {
        factor[i * d + j] = fraction(Double(i * d + j + seed) * 0.7320508075688772) - 0.5 + (i == j ? 1 : 0)
      }
    }
    return (0..<d * d).map { index in
      (0..<d).reduce(0) { $0 + factor[index / d * d + $1] * factor[index % d * d + $1] }
    }
  }

  private static func fraction(_ x: Double) -> Double { x - x.rounded(.down) }

  static func isotropic(_ count: Int, _ d: Int, _ seed: Int) -> IsotropicMixture {
    IsotropicMixture(
      componentCount: count, dimension: d, means: means(count, d, seed), variances: variances(count, seed))
  }

  static func shaped(_ count: Int, _ d: Int, _ seed: Int, shape: [Double]) -> ShapedMixture {
    ShapedMixture(
      componentCount: count, dimension: d, means: means(count, d, seed), scales: variances(count, seed),
      shape: shape)
  }

  // POT 0.9.7 (ot.gaussian.bures_wasserstein_distance squared): cluster/examples/reference/diagnostics.py.
  @Test(
    "The distance between Gaussians with full covariances is POT's",
    arguments: [
      (1, 10.051675304722895), (2, 18.099106164338888), (5, 45.925395800243514), (30, 287.58677115841977),
    ])
  func gaussians(dimension: Int, expected: Double) throws {
    let value = GaussianDistance.squared(
      mean: Self.means(1, dimension, 1), covariance: Self.covariance(dimension, 1),
      toMean: Self.means(1, dimension, 5), covariance: Self.covariance(dimension, 9))
    #expect(abs(try #require(value) / expected - 1) < 1e-12)
  }

  @Test("A Gaussian is at distance zero from itself, and singular covariances have one")
  func degenerate() throws {
    let c = Self.covariance(20, 3)
    let mean = [Double](repeating: 1, count: 20)
    #expect(
      try #require(GaussianDistance.squared(mean: mean, covariance: c, toMean: mean, covariance: c)) < 1e-12)
    // N(0, diag(4, 0)) and N(0, diag(0, 9)): nothing overlaps.
    let value = GaussianDistance.squared(
      mean: [0, 0], covariance: [4, 0, 0, 0], toMean: [0, 0], covariance: [0, 0, 0, 9])
    #expect(abs(try #require(value) - 13) < 1e-12)
    #expect(GaussianDistance.squared(mean: [0], covariance: [.nan], toMean: [0], covariance: [1]) == nil)
    #expect(GaussianDistance.squared(mean: [0], covariance: [1], toMean: [0, 1], covariance: [1]) == nil)
  }

  // POT 0.9.7 (ot.emd2 over the distances of components).
  @Test(
    "The distance between mixtures of different sizes is POT's",
    arguments: [
      (4, 7, 3, 7.253064834857705, 7.653808097649518), (20, 12, 2, 1.4124914834092568, 1.48846425851901),
    ])
  func mixtures(n: Int, m: Int, d: Int, isotropic: Double, shaped: Double) throws {
    let (first, second) = (Self.isotropic(n, d, 1), Self.isotropic(m, d, 5))
    #expect(abs(try #require(first.squaredMixtureDistance(to: second)) / isotropic - 1) < 1e-12)
    #expect(abs(try #require(second.squaredMixtureDistance(to: first)) / isotropic - 1) < 1e-12)
    let left = Self.shaped(n, d, 1, shape: Self.covariance(d, 1))
    let right = Self.shaped(m, d, 5, shape: Self.covariance(d, 9))
    #expect(abs(try #require(left.squaredMixtureDistance(to: right)) / shaped - 1) < 1e-12)
  }

  @Test("Mixtures with the identity for their shape are as far apart as isotropic ones")
  func identity() throws {
    let identity = (0..<9).map { $0 % 4 == 0 ? 1.0 : 0 }
    for m in [4, 5] {
      let left = Self.shaped(4, 3, 1, shape: identity)
      let right = Self.shaped(m, 3, 5, shape: identity)
      let expected = Self.isotropic(4, 3, 1).squaredMixtureDistance(to: Self.isotropic(m, 3, 5))
      #expect(
        abs(try #require(left.squaredMixtureDistance(to: right)) - (try #require(expected))) < 1e-12)
    }
  }

  @Test(
    "A diagonal shape is the full matrix with that diagonal, and a mixture is at distance zero from itself")
  func diagonal() throws {
    let (short, other) = ([0.5, 2.0, 3.0], [1.5, 0.25, 4.0])
    func full(_ values: [Double]) -> [Double] { (0..<9).map { $0 % 4 == 0 ? values[$0 / 4] : 0 } }
    let left = Self.shaped(4, 3, 1, shape: short)
    for m in [4, 5] {
      let right = Self.shaped(m, 3, 5, shape: other)
      let expected = try #require(
        Self.shaped(4, 3, 1, shape: full(short)).squaredMixtureDistance(
          to: Self.shaped(m, 3, 5, shape: full(other))))
      for (a, b) in [(left, right), (left, Self.shaped(m, 3, 5, shape: full(other)))] {
        #expect(abs(try #require(a.squaredMixtureDistance(to: b)) / expected - 1) < 1e-12)
        #expect(abs(try #require(b.squaredMixtureDistance(to: a)) / expected - 1) < 1e-12)
      }
    }
    for shape in [short, full(short), Self.covariance(3, 1)] {
      let mixture = Self.shaped(4, 3, 1, shape: shape)
      #expect(mixture.squaredMixtureDistance(to: mixture) == 0)
    }
  }

  @Test("A mixture split into equal parts is the same distribution, at distance zero")
  func split() throws {
    let mixture = Self.isotropic(5, 3, 2)
    let doubled = IsotropicMixture(
      componentCount: 10, dimension: 3, means: mixture.means + mixture.means,
      variances: mixture.variances + mixture.variances)
    #expect(try #require(mixture.squaredMixtureDistance(to: doubled)) == 0)
  }

  @Test("Mixtures of different dimensions, without components or with wild numbers have no distance")
  func invalid() {
    let none = IsotropicMixture(componentCount: 0, dimension: 3, means: [], variances: [])
    let wild = IsotropicMixture(componentCount: 1, dimension: 3, means: [0, .nan, 0], variances: [1])
    let mixture = Self.isotropic(2, 3, 1)
    #expect(mixture.squaredMixtureDistance(to: none) == nil)
    #expect(mixture.squaredMixtureDistance(to: wild) == nil)
    #expect(mixture.squaredMixtureDistance(to: Self.isotropic(3, 2, 1)) == nil)
    let negative = ShapedMixture(componentCount: 1, dimension: 1, means: [0], scales: [-1], shape: [1])
    #expect(negative.squaredMixtureDistance(to: negative) == nil)
  }
}
