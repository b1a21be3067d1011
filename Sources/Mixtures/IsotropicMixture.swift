/// A mixture of isotropic Gaussians with equal weights:
/// `q(θ) = (1/N) Σ_i N(θ; m_i, ε_i I)`.
public struct IsotropicMixture: Sendable, Equatable {
  /// Number of components, N.
  public let componentCount: Int
  /// Dimension of the parameter, d.
  public let dimension: Int
  /// Means, row-major `[N, d]`.
  public var means: [Double]
  /// Variances (not standard deviations) `[N]`.
  public var variances: [Double]

  public init(componentCount: Int, dimension: Int, means: [Double], variances: [Double]) {
    precondition(means.count == componentCount * dimension && variances.count == componentCount)
    self.componentCount = componentCount
    self.dimension = dimension
    self.means = means
    self.variances = variances
  }
}
