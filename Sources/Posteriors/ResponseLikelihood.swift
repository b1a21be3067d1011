/// A positive number of a likelihood that is known, or fitted by its logarithm under a half-normal prior.
public enum ScaleParameter: Sendable, Hashable, Codable {
  case known(Double)
  /// σ ~ HalfNormal(scale); the density of log σ carries the Jacobian σ.
  case halfNormal(scale: Double)
}

/// How responses follow from the linear predictor z = xβ.
public enum ResponseLikelihood: Sendable, Hashable, Codable {
  /// `y ~ N(z, noise²)`.
  case gaussian(noise: ScaleParameter)
  /// `y ~ Bernoulli(1/(1 + e^{−z}))`, 0 or 1.
  case logistic
  /// `y ~ Poisson(e^z)`, a whole number.
  case poisson
  /// A whole number of mean `μ = e^z` and variance `μ + α μ²` with overdispersion α (NB2; Cameron and Trivedi,
  /// Regression Analysis of Count Data).
  case negativeBinomial(overdispersion: ScaleParameter)
  /// `y = z + noise · t` with Student's t of known degrees of freedom.
  case studentT(degrees: Double, noise: ScaleParameter)

  /// The auxiliary parameter, nil where there is none.
  var auxiliary: ScaleParameter? {
    switch self {
    case .logistic, .poisson: nil
    case .gaussian(let scale), .negativeBinomial(let scale), .studentT(_, let scale): scale
    }
  }

  /// What the auxiliary parameter is called.
  var auxiliaryName: String {
    if case .negativeBinomial = self { "overdispersion" } else { "noise" }
  }
}
