/// The Monte Carlo estimates that every update rule uses (METHOD: g_i and h_i).
public struct MixtureGradient: Sendable, Equatable {
  /// `g_i = mean_s G_is`, row-major `[N, d]`.
  public var mean: [Double]
  /// `h_i = mean_s (x_is − m_i)·G_is / (d ε_i)`, `[N]`.
  public var variance: [Double]

  public init(mean: [Double], variance: [Double]) {
    self.mean = mean
    self.variance = variance
  }
}

/// The synchronized mean and variance steps of Petit-Talamon, Lambert, Korba (NeurIPS 2025).
public enum UpdateRule: String, Sendable, Codable, CaseIterable {
  case ibw
  case md
  case ngd
  case ngdPlain = "ngd-plain"
  case gd
  case ibwShared = "ibw-shared"
  case mdShared = "md-shared"

  /// The mixture after one step of size γ.
  ///
  /// - Throws: ``UpdateError`` naming the component when the step leaves the space of mixtures (a variance that
  ///   is not positive and finite, or a mean that is not finite).
  public func step(_ mixture: IsotropicMixture, gradient: MixtureGradient, stepSize: Double) throws
    -> IsotropicMixture
  { fatalError("stub") }
}
