/// The Monte Carlo estimates that every update rule uses, for the integrand `G = ∇log q + ∇V`.
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
