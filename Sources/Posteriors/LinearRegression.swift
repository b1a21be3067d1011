import CKernels
import NumericsKit

/// Bayesian linear regression with known noise: `y ~ N(xθ, σ²)`, `θ_k ~ N(0, τ²)`.
public struct LinearRegression: LogDensity {
  public let dimension: Int
  public let parameterNames: [String]
  public var logNormalizer: Double? { nil }
  public var designColumns: Int { dimension }
  private let prior: NormalPrior
  /// 1 / σ².
  private let noisePrecision: Double
  /// −½ log(2πσ²).
  private let constant: Double

  /// Takes the names of the design matrix's columns, the prior's scale τ and the noise's scale σ (standard
  /// deviations).
  ///
  /// - Throws: ``PosteriorError`` when there are no columns or a scale is not positive.
  public init(columnNames: [String], priorScale: Double, noiseScale: Double) throws {
    try PosteriorError.requireColumns(columnNames)
    try PosteriorError.requirePositive(noiseScale, "the noise's scale")
    dimension = columnNames.count
    parameterNames = columnNames
    prior = try NormalPrior(scale: priorScale, dimension: dimension)
    noisePrecision = 1 / (noiseScale * noiseScale)
    constant = -0.5 * VectorMath.logTwoPi - VectorMath.logarithm(noiseScale)
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    prior.accumulate(points: points, count: count, value: value, gradient: gradient)
  }

  public func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let sweep = DesignSweep(rows: rows, coefficients: points, vectors: count, workspace: workspace)
    switch rows.precision {
    case .float64:
      sweep.accumulate(gradient: gradient) { block in
        isomix_linear_residual(
          block.predictors, block.responses, count, block.count, noisePrecision, value)
      }
    case .float32:
      sweep.accumulateSingle(gradient: gradient) { block in
        let responses = workspace.responses.reserve(block.count, of: Float.self)
        isomix_to_floats(block.responses, block.count, responses)
        isomix_linear_residual_float(
          block.predictors, responses, count, block.count, noisePrecision, value)
      }
    }
    let normalizer = Double(rows.count) * constant
    for s in 0..<count { value[s] -= normalizer }
  }

  public func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let sweep = DesignSweep(rows: rows, coefficients: draws, vectors: count, workspace: workspace)
    sweep.visitPredictors { block in
      let mean = workspace.small.reserve(2 * block.count)
      let logPredictive = mean + block.count
      mean.update(repeating: 0, count: block.count)
      isomix_linear_scores(
        block.predictors, block.responses, count, block.count, noisePrecision, constant, mean)
      VectorMath.columnLogMeanExp(block.predictors, rows: count, columns: block.count, into: logPredictive)
      for row in 0..<block.count {
        let error = block.responses[row] - mean[row] / Double(count)
        scores.rows += 1
        scores.logPredictiveDensity += logPredictive[row]
        scores.squaredError += error * error
      }
    }
  }
}
