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
