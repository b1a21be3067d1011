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
  /// Mean and standard deviation of each coordinate under the prior; nil where there is none.
  var priorMoments: PriorMoments? { get }
  /// Number of columns that the design matrix must have; 0 when the target has no data.
  var designColumns: Int { get }
  /// What a row costs, where it is not what a linear predictor for every d / columns coordinates does.
  var rowOperations: RowOperations? { get }

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

  /// Adds the predictive scores of test rows under equally weighted posterior draws `[count, d]`. By default from
  /// `computeLogLikelihoods` and `computeExpectations`; targets that predict nothing add nothing.
  func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace)

  // MARK: What users see of θ.

  /// The quantities that outputs show, in the order of `computeOutputs`.
  var outputVariables: [OutputVariable] { get }

  /// Writes the output variables of points `[count, d]`, one variable after the other, row-major
  /// `[count, outputCount]`.
  /// - Throws: ``PosteriorError`` when they can't be computed at a point.
  func computeOutputs(
    points: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace) throws

  // MARK: What the target predicts of rows, under draws `[count, d]`.

  /// What kind of response; nil when the target predicts nothing.
  var predictedResponse: PredictedResponse? { get }

  /// How a response depends on a row where that is through `η = x θ` alone; nil for any other way.
  var predictorLaw: PredictorLaw? { get }

  /// Writes `log p(y_r | θ_s)`, row-major `[count, rows]`.
  func computeLogLikelihoods(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace)

  /// Writes `E[y_r | θ_s]`, or the classes' probabilities, row-major `[count, expectationWidth, rows]`. Responses are
  /// not read.
  func computeExpectations(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace)

  /// Writes a response drawn from `p(y_r | θ_s)` by inversion of a uniform on (0, 1], row-major `[count, rows]`.
  /// Responses are not read.
  func computeResponses(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, uniforms: UnsafePointer<Double>,
    into output: UnsafeMutablePointer<Double>, workspace: DensityWorkspace)
}
