import CKernels
import NumericsKit

/// Bayesian linear regression with unknown noise: `y ~ N(xβ, σ²)`, `β_k ~ N(0, τ²)`, `σ ~ HalfNormal(s)`.
///
/// θ is `[β (columns), log σ]`, so d = columns + 1: the noise's scale is fitted by its logarithm, which is any real
/// number, and the density carries the Jacobian of `σ = e^{log σ}`. With n rows and residuals `r = xβ − y`,
/// `V = ‖β‖²/(2τ²) + columns/2 log(2πτ²) + σ²/(2s²) − log σ − log(√(2/π)/s) + n log σ + n/2 log 2π + Σ r²/(2σ²)`.
public struct NoiseScaleRegression: LogDensity {
  /// The name of the last coordinate, log σ.
  public static let noiseName = "log_noise"

  public let parameterNames: [String]
  public let designColumns: Int
  public var dimension: Int { designColumns + 1 }
  public var logNormalizer: Double? { nil }
  public var priorScale: Double? { nil }
  private let prior: NormalPrior
  private let noisePrior: LogHalfNormalPrior

  /// Takes the names of the design matrix's columns, the prior's scale τ (standard deviation) and the scale s of the
  /// half-normal prior on the noise's standard deviation.
  ///
  /// - Throws: ``PosteriorError`` when there are no columns, one has the noise's name, or a scale is not positive.
  public init(columnNames: [String], priorScale: Double, noisePriorScale: Double) throws {
    try PosteriorError.requireColumns(columnNames)
    guard !columnNames.contains(Self.noiseName) else {
      throw PosteriorError(
        code: .shape,
        message: "a column named '\(Self.noiseName)' can't go with a fitted noise scale, whose name it is; "
          + "rename the column")
    }
    designColumns = columnNames.count
    parameterNames = columnNames + [Self.noiseName]
    prior = try NormalPrior(scale: priorScale, dimension: columnNames.count)
    noisePrior = try LogHalfNormalPrior(scale: noisePriorScale)
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    for s in 0..<count {
      let point = points + s * dimension
      let slopes = gradient.map { $0 + s * dimension }
      prior.accumulate(points: point, count: 1, value: value + s, gradient: slopes)
      noisePrior.accumulate(
        logSigma: point[designColumns], value: value + s, gradient: slopes.map { $0 + designColumns })
    }
  }

  public func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let precisions = workspace.small.reserve(2 * count)
    fillPrecisions(points, count: count, into: precisions)
    // Σ r²/(2σ²) of each vector, by itself: the derivative by log σ needs it too.
    let misfits = precisions + count
    misfits.update(repeating: 0, count: count)
    let slopes = gradient.map { _ in workspace.gradient.reserve(count * designColumns) }
    slopes?.update(repeating: 0, count: count * designColumns)
    let sweep = sweep(rows, points: points, count: count, workspace: workspace)
    switch rows.precision {
    case .float64:
      sweep.accumulate(gradient: slopes) { block in
        for s in 0..<count {
          isomix_linear_residual(
            block.predictors + s * block.count, block.responses, 1, block.count, precisions[s], misfits + s)
        }
      }
    case .float32:
      sweep.accumulateSingle(gradient: slopes) { block in
        let responses = workspace.responses.reserve(block.count, of: Float.self)
        isomix_to_floats(block.responses, block.count, responses)
        for s in 0..<count {
          isomix_linear_residual_float(
            block.predictors + s * block.count, responses, 1, block.count, precisions[s], misfits + s)
        }
      }
    }
    let observations = Double(rows.count)
    for s in 0..<count {
      let logSigma = points[s * dimension + designColumns]
      value[s] += observations * (logSigma + 0.5 * VectorMath.logTwoPi) + misfits[s]
      guard let gradient, let slopes else { continue }
      let row = gradient + s * dimension
      VectorMath.add(1, times: slopes + s * designColumns, count: designColumns, to: row)
      row[designColumns] += observations - 2 * misfits[s]
    }
  }

  /// Each draw predicts with its own σ.
  public func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let precisions = workspace.gradient.reserve(count)
    fillPrecisions(draws, count: count, into: precisions)
    let sweep = sweep(rows, points: draws, count: count, workspace: workspace)
    sweep.visitPredictors { block in
      let sums = workspace.small.reserve(2 * block.count)
      sums.update(repeating: 0, count: block.count)
      for s in 0..<count {
        let constant = -0.5 * VectorMath.logTwoPi - draws[s * dimension + designColumns]
        isomix_linear_scores(
          block.predictors + s * block.count, block.responses, 1, block.count, precisions[s], constant, sums)
      }
      scores.addRegression(
        logDensities: block.predictors, predictionSums: sums, responses: block.responses, draws: count,
        rows: block.count, scratch: sums + block.count)
    }
  }

  /// Writes `1/σ² = e^{−2 log σ}` of each point.
  private func fillPrecisions(
    _ points: UnsafePointer<Double>, count: Int, into precisions: UnsafeMutablePointer<Double>
  ) {
    for s in 0..<count { precisions[s] = -2 * points[s * dimension + designColumns] }
    VectorMath.exponentiate(precisions, count: count)
  }

  /// A sweep by the coefficients alone, packed to `[count, columns]`.
  private func sweep(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, workspace: DensityWorkspace
  ) -> DesignSweep {
    let coefficients = workspace.coefficients.reserve(count * designColumns)
    for s in 0..<count {
      (coefficients + s * designColumns).update(from: points + s * dimension, count: designColumns)
    }
    return DesignSweep(rows: rows, coefficients: coefficients, vectors: count, workspace: workspace)
  }
}
