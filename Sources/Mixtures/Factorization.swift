/// What a mixture is a mixture of.
public enum Factorization: String, Sendable, Codable, CaseIterable {
  /// Of Gaussians on the whole parameter: `q(θ) = (1/N) Σ_i q_i(θ)`.
  case full
  /// Each coordinate's marginal is a mixture of its own: ``CoordinateMixture``.
  case coordinates
}
