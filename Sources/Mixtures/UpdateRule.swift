import NumericsKit

/// The synchronized mean and variance steps of Petit-Talamon, Lambert, Korba (NeurIPS 2025, arXiv 2506.13613).
///
/// With `g_i` and `h_i` of ``MixtureGradient`` and step size γ, means move by `−γ g_i` (natural gradient:
/// `−γ ε_i' g_i` with the new variance).
public enum UpdateRule: String, Sendable, Codable, CaseIterable {
  /// Isotropic Bures–Wasserstein gradient descent.
  case ibw
  /// Entropic mirror descent on the variances.
  case md
  /// Natural gradient, in the form whose variance stays positive.
  case ngd
  /// Natural gradient as in the paper; a step that would leave a variance ≤ 0 is an error.
  case ngdPlain = "ngd-plain"
  /// Gradient descent on the means; variances stay.
  case gd
  /// `ibw` with one variance for all components.
  case ibwShared = "ibw-shared"
  /// `md` with one variance for all components.
  case mdShared = "md-shared"

  /// The most that `log ε` may change in one step: from a tiny variance an uncapped step would multiply it by 10⁸.
  public static let maximumLogVarianceChange = 1.0

  /// Whether the rule keeps one variance for all components (which must then start equal).
  public var sharesVariance: Bool { self == .ibwShared || self == .mdShared }

  /// The mixture after one step of size γ.
  ///
  /// - Throws: ``UpdateError`` naming the component when the step leaves the space of mixtures (a variance that
  ///   is not positive and finite, or a mean that is not finite), when a shared-variance rule is given unequal
  ///   variances, or when the gradient's sizes don't match.
  public func step(_ mixture: IsotropicMixture, gradient: MixtureGradient, stepSize: Double) throws
    -> IsotropicMixture
  {
    try check(mixture, gradient)
    let sharedRate = gradient.variance.reduce(0, +) / Double(max(1, mixture.componentCount))
    var next = mixture
    for i in 0..<mixture.componentCount {
      let h = sharesVariance ? sharedRate : gradient.variance[i]
      let variance = mixture.variances[i] * (try factor(stepSize, h, mixture.variances[i], component: i))
      guard variance > 0, variance.isFinite else { throw UpdateError.variance(variance, component: i) }
      next.variances[i] = variance
      let meanStep = movesByNewVariance ? stepSize * variance : stepSize
      for k in i * mixture.dimension..<(i + 1) * mixture.dimension {
        next.means[k] -= meanStep * gradient.mean[k]
        guard next.means[k].isFinite else { throw UpdateError.mean(component: i) }
      }
    }
    return next
  }

  private var movesByNewVariance: Bool { self == .ngd || self == .ngdPlain }

  /// ε' / ε, before the cap: the one line in which the rules differ.
  private func uncappedFactor(_ stepSize: Double, _ h: Double, _ variance: Double) -> Double {
    let u = stepSize * h
    switch self {
    case .gd: return 1
    case .ibw, .ibwShared: return (1 - u) * (1 - u)
    case .md, .mdShared: return VectorMath.exponential(-u)
    case .ngd: return 1 / (1 + variance * u + 0.5 * (variance * u) * (variance * u))
    case .ngdPlain: return 1 / (1 + variance * u)
    }
  }

  /// ε' / ε, with |Δ log ε| at most ``maximumLogVarianceChange``.
  private func factor(_ stepSize: Double, _ h: Double, _ variance: Double, component: Int) throws -> Double {
    let factor = uncappedFactor(stepSize, h, variance)
    guard !factor.isNaN, h.isFinite || self == .gd else {
      throw UpdateError.variance(.nan, component: component)
    }
    if self == .ngdPlain, factor <= 0 || 1 + variance * stepSize * h <= 0 {
      throw UpdateError.variance(variance * factor, component: component)
    }
    return min(max(factor, Self.smallestFactor), Self.largestFactor)
  }

  private static let largestFactor = VectorMath.exponential(maximumLogVarianceChange)
  private static let smallestFactor = VectorMath.exponential(-maximumLogVarianceChange)
}

extension UpdateRule {
  private func check(_ mixture: IsotropicMixture, _ gradient: MixtureGradient) throws {
    guard gradient.mean.count == mixture.means.count, gradient.variance.count == mixture.componentCount else {
      throw UpdateError(
        code: .shape,
        message: """
          the gradient has \(gradient.mean.count) and \(gradient.variance.count) numbers where the mixture has \
          \(mixture.means.count) and \(mixture.componentCount)
          """)
    }
    guard sharesVariance, let first = mixture.variances.first else { return }
    if let other = mixture.variances.firstIndex(where: { $0 != first }) {
      throw UpdateError(
        code: .unequalVariances,
        message: """
          \(rawValue) keeps one variance for all components, but component \(other + 1) starts at \
          \(mixture.variances[other]) and component 1 at \(first): give them one initial variance
          """, component: other)
    }
  }
}

extension UpdateError {
  fileprivate static func variance(_ variance: Double, component: Int) -> UpdateError {
    UpdateError(
      code: variance.isFinite ? .variance : .notFinite,
      message: """
        the step leaves component \(component + 1) with variance \(variance), which is not a positive number: \
        use a smaller step size or another algorithm
        """, component: component)
  }

  fileprivate static func mean(component: Int) -> UpdateError {
    UpdateError(
      code: .notFinite,
      message: """
        the step leaves component \(component + 1) with a mean that is not finite: use a smaller step size, or \
        check that the model's density is finite there
        """, component: component)
  }
}
