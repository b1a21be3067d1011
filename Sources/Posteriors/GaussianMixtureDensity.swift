import CKernels
import NumericsKit

/// A mixture of Gaussians with weights and full covariances, `π(x) = Σ_k w_k N(x; μ_k, Σ_k)`, by log-sum-exp.
public struct GaussianMixtureDensity: AnalyticDensity {
  public let dimension: Int
  /// Number of components of the target.
  public let componentCount: Int
  private let means: [Double]
  /// Cholesky factors of the covariances, `[K, d, d]`, and 1 / their diagonals, `[K, d]`.
  private let lowers: [Double]
  private let inverseDiagonals: [Double]
  /// log w_k − ½ log det(2π Σ_k).
  private let logFactors: [Double]

  /// Takes weights `[K]` (positive; normalised here), means `[K][d]` and covariances `[K][d][d]`.
  ///
  /// - Throws: ``PosteriorError`` that names the component, when sizes don't fit, a number is not finite or a
  ///   covariance is not positive definite.
  public init(weights: [Double], means: [[Double]], covariances: [[[Double]]]) throws {
    guard let dimension = means.first?.count, dimension > 0, weights.count == means.count,
      covariances.count == means.count
    else {
      throw PosteriorError(
        code: .shape,
        message: """
          a Gaussian mixture needs equally many weights, means and covariances, at least one: \
          \(weights.count), \(means.count) and \(covariances.count) were given
          """)
    }
    for (k, mean) in means.enumerated() {
      try PosteriorError.requireComponent(mean, weight: weights[k], number: k + 1, dimension: dimension)
    }
    let factors = try covariances.enumerated().map { k, covariance in
      try PosteriorError.factor(covariance, dimension: dimension, "covariance of component \(k + 1)")
    }
    let total = weights.reduce(0, +)
    self.dimension = dimension
    self.componentCount = means.count
    self.means = means.flatMap { $0 }
    self.lowers = factors.flatMap(\.lower)
    self.inverseDiagonals = factors.flatMap(\.inverseDiagonal)
    self.logFactors = zip(weights, factors).map { weight, factor in
      VectorMath.logarithm(weight / total)
        - 0.5 * (Double(dimension) * VectorMath.logTwoPi + factor.logDeterminant)
    }
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let scratch = workspace.predictors.reserve(isomix_gaussian_mixture_scratch(componentCount, dimension))
    isomix_gaussian_mixture_accumulate(
      points, count, dimension, componentCount, means, lowers, inverseDiagonals, logFactors, scratch, value,
      gradient)
  }
}
