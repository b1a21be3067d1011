/// The law of a response given its linear predictor `η = x β + Σ_g τ_g z_g(level)` where, given a few coordinates of θ
/// (the logarithms of the τ_g and of an auxiliary parameter), η is linear in the others.
///
/// Under a Gaussian for θ, η given those coordinates is normal: predictions are sums of univariate integrals (of
/// softmax, of as many variables as there are classes that compete), and need no draws.
public struct PredictorLaw: Sendable, Hashable {
  public enum Response: Sendable, Hashable {
    /// `y ~ Bernoulli(1/(1 + e^{−η}))`.
    case bernoulli
    /// `y ~ N(η, σ²)`, σ the auxiliary parameter.
    case normal
    /// `y ~ Poisson(e^η)`.
    case poisson
    /// Mean e^η and variance `e^η + α e^{2η}`, α the auxiliary parameter.
    case negativeBinomial
    /// `y = η + σ t`, Student's t of known degrees of freedom, σ the auxiliary parameter.
    case student(degrees: Double)
    /// `p(y = c) ∝ e^{η_c}`: predictors `x β_c` for each of some classes, with β `[columns, classes]` in θ.
    case softmax(classes: Int)
  }

  /// σ or α.
  public enum Auxiliary: Sendable, Hashable {
    case none
    case known(Double)
    /// Its logarithm is a coordinate of θ.
    case coordinate(Int)
  }

  /// Varying intercepts of one column.
  public struct Group: Sendable, Hashable {
    /// Where the levels' effects are in θ, or their z.
    public var levels: Range<Int>
    /// Where log τ is; nil where θ holds the effects themselves.
    public var logScale: Int?
  }

  public var response: Response
  public var auxiliary: Auxiliary
  public var groups: [Group]

  /// The coordinates of θ that are given, at most ``mostConditions`` of them.
  public var conditions: [Int] {
    var conditions = groups.compactMap(\.logScale)
    if case .coordinate(let place) = auxiliary { conditions.append(place) }
    return conditions
  }

  public static let mostConditions = 3

  /// Student's t with fewer degrees of freedom has tails too long for sums of normals.
  public static let fewestDegrees = 0.5
}

extension LogDensity {
  /// No such law.
  public var predictorLaw: PredictorLaw? { nil }
}
