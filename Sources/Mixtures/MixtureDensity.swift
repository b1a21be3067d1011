import CKernels
import NumericsKit

/// Evaluates the log density and the score of a whole mixture at blocks of points by log-sum-exp.
///
/// Squared distances are sums of squared differences, never differences of matrix products, which lose every
/// digit when points are far from the origin. Components whose share at a point is below 1e-18 are skipped in the
/// score. Holds buffers that grow to the largest block seen; one evaluator belongs to one thread.
public final class MixtureDensity {
  private let componentCount: Int
  private let dimension: Int
  private var means: [Double]
  /// 1 / ε_i.
  private var precisions: [Double]
  /// −d/2 log(2π ε_i) − log N.
  private var logFactors: [Double]
  private var scratch = ScratchMemory()

  public init(componentCount: Int, dimension: Int) {
    self.componentCount = componentCount
    self.dimension = dimension
    means = [Double](repeating: 0, count: componentCount * dimension)
    precisions = [Double](repeating: 1, count: componentCount)
    logFactors = [Double](repeating: 0, count: componentCount)
  }

  /// Takes the mixture to evaluate from here on: means `[N, d]`, variances `[N]`.
  public func load(means: UnsafePointer<Double>, variances: UnsafePointer<Double>) {
    guard componentCount > 0 else { return }
    let constant =
      -0.5 * Double(dimension) * VectorMath.logTwoPi - VectorMath.logarithm(Double(componentCount))
    self.means.withUnsafeMutableBufferPointer { own in
      own.baseAddress?.update(from: means, count: own.count)
    }
    logFactors.withUnsafeMutableBufferPointer { factors in
      guard let base = factors.baseAddress else { return }
      base.update(from: variances, count: componentCount)
      VectorMath.takeLogarithms(base, count: componentCount)
      for i in 0..<componentCount { base[i] = constant - 0.5 * Double(dimension) * base[i] }
    }
    for i in 0..<componentCount { precisions[i] = 1 / variances[i] }
  }

  /// Adds `log q(x_s)` to `logDensity[s]` and, unless nil, `∇ log q(x_s)` to row s of `score`:
  /// `log q(x) = log Σ_i (1/N) N(x; m_i, ε_i I)`, `∇ log q(x) = Σ_i r_i(x) (m_i − x)/ε_i` with shares
  /// `r_i(x) ∝ N(x; m_i, ε_i I)`.
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
    let space = scratch.reserve(isomix_mixture_scratch(componentCount, dimension))
    isomix_mixture_accumulate(
      points, count, dimension, componentCount, means, precisions, logFactors, space, logDensity, score)
  }
}
