/// The law of a response given its linear predictor `η = x θ`, where θ has a coordinate for each column of the design
/// and nothing else.
///
/// Under a mixture of Gaussians η is a mixture of univariate ones, so that predictions need no draws.
public enum PredictorLaw: Sendable, Hashable {
  /// `y ~ Bernoulli(1/(1 + e^{−η}))`.
  case bernoulli
  /// `y ~ N(η, σ²)`, σ known.
  case normal(scale: Double)
}

extension LogDensity {
  /// No such law.
  public var predictorLaw: PredictorLaw? { nil }
}
