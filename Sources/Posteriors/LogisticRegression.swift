import CKernels
import NumericsKit

/// Bayesian logistic regression: `y ~ Bernoulli(1/(1 + e^{−xθ}))`, `θ_k ~ N(0, τ²)`. Responses are 0 or 1.
public struct LogisticRegression: LogDensity {
  public let dimension: Int
  public let parameterNames: [String]
  public var logNormalizer: Double? { nil }
  public var priorScale: Double? { prior.scale }
  public var designColumns: Int { dimension }
  private let prior: NormalPrior

  /// Takes the names of the design matrix's columns and the prior's scale τ (a standard deviation).
  ///
  /// - Throws: ``PosteriorError`` when there are no columns or the scale is not positive.
  public init(columnNames: [String], priorScale: Double) throws {
    try PosteriorError.requireColumns(columnNames)
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
        isomix_logistic_residual(
          block.predictors, block.responses, count, block.count, value, block.upcoming,
          block.upcomingBytes)
      }
    case .float32:
      sweep.accumulateSingle(gradient: gradient) { block in
        let responses = workspace.responses.reserve(block.count, of: Float.self)
        isomix_to_floats(block.responses, block.count, responses)
        isomix_logistic_residual_float(
          block.predictors, responses, count, block.count, value, block.upcoming, block.upcomingBytes)
      }
    }
  }

  public func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let sweep = DesignSweep(rows: rows, coefficients: draws, vectors: count, workspace: workspace)
    sweep.visitPredictors { block in
      let probability = workspace.small.reserve(2 * block.count)
      let logPredictive = probability + block.count
      probability.update(repeating: 0, count: block.count)
      isomix_logistic_scores(block.predictors, block.responses, count, block.count, probability)
      VectorMath.columnLogMeanExp(block.predictors, rows: count, columns: block.count, into: logPredictive)
      for row in 0..<block.count {
        let predictsOne = probability[row] >= 0.5 * Double(count)
        scores.rows += 1
        scores.logPredictiveDensity += logPredictive[row]
        scores.correct += predictsOne == (block.responses[row] > 0.5) ? 1 : 0
      }
    }
  }
}

extension PosteriorError {
  /// Checks that a regression has at least one column.
  static func requireColumns(_ names: [String]) throws {
    guard !names.isEmpty else {
      throw PosteriorError(code: .shape, message: "a regression needs at least one column, or an intercept")
    }
  }
}
