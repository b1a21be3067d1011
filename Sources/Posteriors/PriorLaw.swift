import NumericsKit

/// The prior law of coefficients, each of location 0 and independent of the others.
public enum PriorLaw: Sendable, Hashable, Codable {
  /// `N(0, scale²)`.
  case normal(scale: Double)
  /// Student's t with `degrees` of freedom, times `scale`.
  case studentT(degrees: Double, scale: Double)
  /// Density `exp(−|β|/scale) / (2 scale)`.
  case laplace(scale: Double)
  /// The horseshoe (Carvalho, Polson and Scott, Biometrika 97, 2010): `β_k = τ λ_k z_k` with `z_k ~ N(0, 1)`,
  /// `λ_k ~ C⁺(0, 1)` and one `τ ~ C⁺(0, scale)`, fitted by z, log λ and log τ.
  case horseshoe(scale: Double)
}

/// The prior of a regression's coefficients by block.
public struct CoefficientPriors: Sendable, Hashable, Codable {
  /// Of the intercept, where there is one.
  public var intercept: PriorLaw
  /// Of all other coefficients.
  public var coefficients: PriorLaw

  public init(intercept: PriorLaw, coefficients: PriorLaw) {
    self.intercept = intercept
    self.coefficients = coefficients
  }

  /// One law for intercept and coefficients.
  public init(_ law: PriorLaw) { self.init(intercept: law, coefficients: law) }
}

/// Mean and standard deviation of each coordinate of θ under the prior: where a fit may start.
///
/// Where a law has no standard deviation (Student's t with two degrees of freedom or fewer) it is the law's scale.
public struct PriorMoments: Sendable, Hashable {
  /// `[d]`
  public var means: [Double]
  /// `[d]`
  public var deviations: [Double]

  public init(means: [Double], deviations: [Double]) {
    self.means = means
    self.deviations = deviations
  }

  /// Mean 0 and one standard deviation for all `dimension` coordinates.
  public init(scale: Double, dimension: Int) {
    self.init(
      means: [Double](repeating: 0, count: dimension),
      deviations: [Double](repeating: scale, count: dimension)
    )
  }

  static func + (left: PriorMoments, right: PriorMoments) -> PriorMoments {
    PriorMoments(means: left.means + right.means, deviations: left.deviations + right.deviations)
  }
}
