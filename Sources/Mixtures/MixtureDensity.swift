/// Evaluates the log density and the score of a whole mixture at blocks of points by log-sum-exp.
///
/// Holds buffers that grow to the largest block seen; one evaluator belongs to one thread.
public final class MixtureDensity {
  public init(componentCount: Int, dimension: Int) {}

  /// Takes the mixture to evaluate from here on: means `[N, d]`, variances `[N]`.
  public func load(means: UnsafePointer<Double>, variances: UnsafePointer<Double>) {}

  /// Adds `log q(x_s)` to `logDensity[s]` and, unless nil, `∇ log q(x_s)` to row s of `score`.
  ///
  /// - Parameters:
  ///   - points: row-major `[count, d]`.
  ///   - logDensity: `[count]`.
  ///   - score: row-major `[count, d]`, or nil when only the density is wanted.
  public func accumulate(
    points: UnsafePointer<Double>, count: Int, logDensity: UnsafeMutablePointer<Double>,
    score: UnsafeMutablePointer<Double>?
  ) {
    fatalError("stub")
  }
}
