/// A density that factorises over coordinates, each of which has a mixture of its own with equal weights:
/// `q(θ) = Π_k q_k(θ_k)`, `q_k = (1/N) Σ_i N(m_ik, ε_ik)` (arXiv 2506.13613, the mean-field variant for wide networks).
///
/// It has N^d modes at most, for the memory of N components; what it can't have is any dependence between coordinates. For a
/// step, an average or a checkpoint its N·d Gaussians are the components of a one-dimensional mixture
/// (``components``), in the order (component, coordinate).
public struct CoordinateMixture: Sendable, Equatable {
  /// Components of every coordinate, N.
  public let componentCount: Int
  /// Dimension of the parameter, d.
  public let dimension: Int
  /// m, row-major `[N, d]`.
  public let means: [Double]
  /// ε, variances, row-major `[N, d]`.
  public let variances: [Double]

  public init(componentCount: Int, dimension: Int, means: [Double], variances: [Double]) {
    precondition(means.count == componentCount * dimension && variances.count == means.count)
    self.componentCount = componentCount
    self.dimension = dimension
    self.means = means
    self.variances = variances
  }

  /// Of N·d one-dimensional components in the order (component, coordinate).
  public init(_ components: IsotropicMixture, dimension: Int) {
    precondition(components.dimension == 1 && components.componentCount % dimension == 0)
    self.init(
      componentCount: components.componentCount / dimension, dimension: dimension, means: components.means,
      variances: components.variances)
  }

  /// All Gaussians, as one-dimensional components in the order (component, coordinate).
  public var components: IsotropicMixture {
    IsotropicMixture(componentCount: means.count, dimension: 1, means: means, variances: variances)
  }

  /// A full mixture of the same means whose variances are averages over coordinates: for reports, not the same density.
  public var averaged: IsotropicMixture {
    let averages = (0..<componentCount).map { i in
      variances[i * dimension..<(i + 1) * dimension].reduce(0, +) / Double(dimension)
    }
    return IsotropicMixture(
      componentCount: componentCount, dimension: dimension, means: means, variances: averages)
  }

  /// The mixture q_k of a coordinate.
  public func marginal(of k: Int) -> IsotropicMixture {
    let places = stride(from: k, to: means.count, by: dimension)
    return IsotropicMixture(
      componentCount: componentCount, dimension: 1, means: places.map { means[$0] },
      variances: places.map { variances[$0] })
  }

  /// `Σ_k MW₂²(q_k, q'_k)`: the mixture-Wasserstein distance of each coordinate's mixtures, squared, because squared
  /// transport costs of products add up.
  ///
  /// Nil when the dimensions differ, when a mixture has no component, or when a number is not finite.
  public func squaredMixtureDistance(to other: CoordinateMixture) -> Double? {
    guard dimension == other.dimension else { return nil }
    var sum = 0.0
    for k in 0..<dimension {
      guard let distance = marginal(of: k).squaredMixtureDistance(to: other.marginal(of: k)) else {
        return nil
      }
      sum += distance
    }
    return sum.isFinite ? sum : nil
  }
}
