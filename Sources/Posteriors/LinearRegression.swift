import CKernels
import NumericsKit

/// Bayesian linear regression with known noise: `y ~ N(xθ, σ²)`, `θ_k ~ N(0, τ²)`.
public struct LinearRegression: LogDensity {
  public let dimension: Int
  public let parameterNames: [String]
  public var logNormalizer: Double? { nil }
  public var priorScale: Double? { prior.scale }
  public var designColumns: Int { dimension }
  private let prior: NormalPrior
  private let noise: NormalNoise

  /// Takes the names of the design matrix's columns, the prior's scale τ and the noise's scale σ (standard
  /// deviations).
  ///
  /// - Throws: ``PosteriorError`` when there are no columns or a scale is not positive.
  public init(columnNames: [String], priorScale: Double, noiseScale: Double) throws {
    try PosteriorError.requireColumns(columnNames)
    noise = try NormalNoise(scale: noiseScale)
    dimension = columnNames.count
    parameterNames = columnNames
    prior = try NormalPrior(scale: priorScale, dimension: dimension)
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
          block.predictors, block.responses, count, block.count, noise.precision, value)
      }
    case .float32:
      sweep.accumulateSingle(gradient: gradient) { block in
        let responses = workspace.responses.reserve(block.count, of: Float.self)
        isomix_to_floats(block.responses, block.count, responses)
        isomix_linear_residual_float(
          block.predictors, responses, count, block.count, noise.precision, value)
      }
    }
    noise.addNormalizer(rows: rows.count, to: value, count: count)
  }

  public func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let sweep = DesignSweep(rows: rows, coefficients: draws, vectors: count, workspace: workspace)
    sweep.visitPredictors { block in
      noise.accumulateScores(
        predictions: block.predictors, responses: block.responses, draws: count, rows: block.count,
        into: &scores, workspace: workspace)
    }
  }
}
