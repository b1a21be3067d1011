import CKernels
import NumericsKit

/// Responses with independent Gaussian noise of known scale around a prediction, `y ~ N(f, σ²)`.
struct NormalNoise: Sendable {
  /// 1 / σ².
  let precision: Double
  /// −½ log(2πσ²).
  private let constant: Double

  init(scale: Double) throws {
    try PosteriorError.requirePositive(scale, "the noise's scale")
    precision = 1 / (scale * scale)
    constant = -0.5 * VectorMath.logTwoPi - VectorMath.logarithm(scale)
  }

  /// Adds what `rows` rows have of `−log p` whatever the predictions, `½ log(2πσ²)` each, to `count` values.
  func addNormalizer(rows: Int, to value: UnsafeMutablePointer<Double>, count: Int) {
    let normalizer = Double(rows) * constant
    for s in 0..<count { value[s] -= normalizer }
  }

  /// Adds the predictive scores of rows under equally weighted draws; overwrites the predictions `[draws, rows]`.
  func accumulateScores(
    predictions: UnsafeMutablePointer<Double>, responses: UnsafePointer<Double>, draws: Int, rows: Int,
    into scores: inout PredictiveScores, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let sums = workspace.small.reserve(2 * rows)
    sums.update(repeating: 0, count: rows)
    isomix_linear_scores(predictions, responses, draws, rows, precision, constant, sums)
    scores.addRegression(
      logDensities: predictions, predictionSums: sums, responses: responses, draws: draws, rows: rows,
      scratch: sums + rows)
  }
}
