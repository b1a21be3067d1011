/// One evaluation of a fit: a row of `trace.csv` without what the runtime knows.
public struct TraceRow: Sendable, Hashable, Codable {
  /// Steps taken so far.
  public var iteration: Int
  public var objective: ObjectiveEstimate
  /// `KL(q ‖ π)` where the target's normaliser is known.
  public var kl: Double?
  /// `√(mean_i ‖g_i‖²)` of the step taken last; nil before the first.
  public var gradientNorm: Double?
  /// The size of the step taken last; nil before the first.
  public var stepSize: Double?
  public var varianceMinimum: Double
  public var varianceMaximum: Double
}

/// Scores of the fit on test data.
public struct TestScores: Sendable, Hashable, Codable {
  public var rows: Int
  /// Mean over rows of `log((1/S) Σ_s p(y | θ_s))`.
  public var logPredictiveDensity: Double
  /// Share of rows whose most probable class is the observed one; classification only.
  public var accuracy: Double?
  /// Root mean squared error of the predictive mean; regression only.
  public var rmse: Double?
}
