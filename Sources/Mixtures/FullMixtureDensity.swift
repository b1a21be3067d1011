import CKernels
import NumericsKit

/// Evaluates the log density and the score of a mixture with full covariances at blocks of points by log-sum-exp.
///
/// The counterpart of ``MixtureDensity``: distances are solved for with the Cholesky factors, and components whose share
/// at a point is below 1e-18 are skipped in the score. One evaluator belongs to one thread.
public final class FullMixtureDensity {
  private let componentCount: Int
  private let dimension: Int
  private var means: [Double] = []
  private var factors: [Double] = []
  /// 1 / the factors' diagonals, `[N, d]`.
  private var inverseDiagonals: [Double]
  /// −½ log det(2π Σ_i) − log N.
  private var logFactors: [Double]
  private var scratch = ScratchMemory()
  private var results = ScratchMemory()

  public init(componentCount: Int, dimension: Int) {
    self.componentCount = componentCount
    self.dimension = dimension
    inverseDiagonals = [Double](repeating: 1, count: componentCount * dimension)
    logFactors = [Double](repeating: 0, count: componentCount)
  }

  /// Takes the mixture to evaluate from here on: means `[N, d]`, lower factors `[N, d, d]`.
  public func load(means: [Double], factors: [Double]) {
    precondition(
      means.count == componentCount * dimension && factors.count == componentCount * dimension * dimension)
    guard componentCount > 0 else { return }
    self.means = means
    self.factors = factors
    let constant =
      -0.5 * Double(dimension) * VectorMath.logTwoPi - VectorMath.logarithm(Double(componentCount))
    for i in 0..<componentCount {
      var logRoot = 0.0
      for k in 0..<dimension {
        let diagonal = factors[(i * dimension + k) * dimension + k]
        inverseDiagonals[i * dimension + k] = 1 / diagonal
        logRoot += VectorMath.logarithm(diagonal)
      }
      logFactors[i] = constant - logRoot
    }
  }

  /// Adds `log q(x_s)` to `logDensity[s]` and, unless nil, `∇ log q(x_s)` to row s of `score`:
  /// `log q(x) = log Σ_i (1/N) N(x; m_i, Σ_i)`, `∇ log q(x) = Σ_i r_i(x) Σ_i⁻¹ (m_i − x)` with shares
  /// `r_i(x) ∝ N(x; m_i, Σ_i)`.
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
    guard componentCount > 0 else { return }
    let space = scratch.reserve(isomix_gaussian_mixture_scratch(componentCount, dimension))
    let width = score == nil ? 1 : 1 + dimension
    // The kernel adds −log q and its gradient.
    let negative = results.reserve(count * width)
    negative.update(repeating: 0, count: count * width)
    isomix_gaussian_mixture_accumulate(
      points, count, dimension, componentCount, means, factors, inverseDiagonals, logFactors, space, negative,
      score == nil ? nil : negative + count)
    for s in 0..<count { logDensity[s] -= negative[s] }
    guard let score else { return }
    for index in 0..<count * dimension { score[index] -= negative[count + index] }
  }
}
