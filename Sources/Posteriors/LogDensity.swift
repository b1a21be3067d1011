import NumericsKit

/// A target density `π(θ) ∝ exp(−V(θ))`: the one seam between models and everything else.
///
/// `V = base + Σ_rows term`: the base (the prior, or the whole of an analytic target) is evaluated
/// without data, the rest is a sum over the rows of a data set, so that blocks of rows can be evaluated
/// anywhere and added. All constants are included: for a posterior, `exp(−V)` is prior × likelihood and
/// the ELBO bounds the log evidence.
///
/// Implementations are immutable and may be called from several threads at once, each with its own
/// workspace.
public protocol LogDensity: Sendable {
  /// Dimension of θ, d.
  var dimension: Int { get }
  /// Names of the d coordinates, as they stand in every output.
  var parameterNames: [String] { get }
  /// `log ∫ exp(−V)` where it is known (analytic targets), so that the KL divergence can be reported.
  var logNormalizer: Double? { get }
  /// The standard deviation of an independent Gaussian prior of mean 0 on every coordinate; nil where there is none.
  var priorScale: Double? { get }
  /// Number of columns that the design matrix must have; 0 when the target has no data.
  var designColumns: Int { get }

  /// Adds the base part of `V(x_s)` to `value[s]` and of `∇V(x_s)` to row s of `gradient`.
  ///
  /// - Parameters:
  ///   - points: row-major `[count, d]`.
  ///   - value: `[count]`.
  ///   - gradient: row-major `[count, d]`, or nil when only the value is wanted.
  func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace)

  /// Adds the rows' part of `V(x_s)` and `∇V(x_s)`; arguments as in `accumulateBase`.
  func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace)

  /// Adds the predictive scores of test rows under equally weighted posterior draws `[count, d]`.
  /// Targets without data add nothing.
  func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace)
}
