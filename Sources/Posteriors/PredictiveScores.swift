import NumericsKit

/// Sums over test rows from which predictive scores are made.
public struct PredictiveScores: Sendable, Equatable {
  /// Rows counted.
  public var rows = 0.0
  /// `Σ_rows log((1/S) Σ_s p(y | θ_s))`: the average of the likelihood over draws, not of its log.
  public var logPredictiveDensity = 0.0
  /// Rows whose most probable class (by the predictive mean) is the observed one; 0 for regression.
  public var correct = 0.0
  /// `Σ_rows (y − predictive mean)²`; 0 for classification.
  public var squaredError = 0.0

  public init() {}

  /// Number of numbers in `values`.
  public static let width = 4

  /// The sums as numbers, to be added and sent.
  public var values: [Double] { [rows, logPredictiveDensity, correct, squaredError] }
}

extension PredictiveScores {
  /// Adds rows of a real response under equally weighted draws.
  ///
  /// - Parameters:
  ///   - logDensities: `log p(y_j | θ_s)`, row-major `[draws, rows]`.
  ///   - predictionSums: `Σ_s` of the draws' predictions, `[rows]`.
  ///   - scratch: `[rows]`, overwritten.
  mutating func addRegression(
    logDensities: UnsafePointer<Double>, predictionSums: UnsafePointer<Double>,
    responses: UnsafePointer<Double>, draws: Int, rows count: Int, scratch: UnsafeMutablePointer<Double>
  ) {
    VectorMath.columnLogMeanExp(logDensities, rows: draws, columns: count, into: scratch)
    for row in 0..<count {
      let error = responses[row] - predictionSums[row] / Double(draws)
      rows += 1
      logPredictiveDensity += scratch[row]
      squaredError += error * error
    }
  }
}
