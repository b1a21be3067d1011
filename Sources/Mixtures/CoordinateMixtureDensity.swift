import CKernels
import NumericsKit

/// log q and ∇ log q of a ``CoordinateMixture`` at many points: log-sum-exp over the components of every coordinate, by the
/// vectorised kernel.
///
/// Belongs to one thread, like ``MixtureDensity``.
public final class CoordinateMixtureDensity {
  private let componentCount: Int
  private let dimension: Int
  private var means: [Double]
  /// 1 / ε_ik.
  private var precisions: [Double]
  /// −½ log(2π ε_ik) − log N.
  private var logFactors: [Double]
  private var scratch = ScratchMemory()

  public init(componentCount: Int, dimension: Int) {
    self.componentCount = componentCount
    self.dimension = dimension
    means = [Double](repeating: 0, count: componentCount * dimension)
    precisions = [Double](repeating: 1, count: componentCount * dimension)
    logFactors = means
  }

  /// Takes the mixture to evaluate from here on: N·d one-dimensional components in the order (component,
  /// coordinate).
  public func load(_ components: IsotropicMixture) {
    precondition(components.means.count == means.count && components.dimension == 1)
    means = components.means
    let constant = -0.5 * VectorMath.logTwoPi - VectorMath.logarithm(Double(componentCount))
    logFactors = components.variances
    logFactors.withUnsafeMutableBufferPointer { factors in
      guard let base = factors.baseAddress else { return }
      VectorMath.takeLogarithms(base, count: factors.count)
      for index in factors.indices { base[index] = constant - 0.5 * base[index] }
    }
    for index in precisions.indices { precisions[index] = 1 / components.variances[index] }
  }

  /// Adds `log q(x_s) = Σ_k log q_k(x_sk)` to `logDensity[s]` and, unless nil, `∂/∂x_k log q_k(x_sk)` to row s of `score`.
  ///
  /// - Parameters:
  ///   - points: row-major `[count, d]`.
  ///   - logDensity: `[count]`.
  ///   - score: row-major `[count, d]`, or nil when only the density is wanted.
  public func accumulate(
    points: UnsafePointer<Double>, count: Int, logDensity: UnsafeMutablePointer<Double>,
    score: UnsafeMutablePointer<Double>?
  ) {
    // The scratch memory must outlive the call even if this was the evaluator's last mention.
    defer { withExtendedLifetime(self) {} }
    let space = scratch.reserve(isomix_coordinate_mixture_scratch(componentCount))
    isomix_coordinate_mixture_accumulate(
      points, count, dimension, componentCount, means, precisions, logFactors, space, logDensity, score)
  }
}
