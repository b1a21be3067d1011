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
    try step(mixture, gradient: gradient, stepSizes: { _ in stepSize }, limits: nil)
  }

  /// The mixture after one step of *relative* size η: component i takes the step `γ_i = η ε_i` (natural gradient:
  /// `γ_i = η`).
  ///
  /// The curvature that a component feels is of the order of 1/ε_i, because at the optimum `ε_i tr E_i[∇²V] = d`. So η is a
  /// number without unit: a share of the way to the optimum of the local quadratic model, whatever the scale of the
  /// target and however narrow a component. Far from the optimum the limits hold: a mean moves by at most
  /// ``largestRelativeMove`` `√(d ε_i)`, and `|γ_i h_i|` is at most ``largestRelativeRate``.
  ///
  /// - Throws: as ``step(_:gradient:stepSize:)``.
  public func step(_ mixture: IsotropicMixture, gradient: MixtureGradient, relativeStep: Double) throws
    -> IsotropicMixture
  {
    let variances = mixture.variances
    return try step(
      mixture, gradient: gradient,
      stepSizes: { movesByNewVariance ? relativeStep : relativeStep * variances[$0] },
      limits: (move: Self.largestRelativeMove, rate: Self.largestRelativeRate))
  }

  /// Of a mean, in units of its component's root mean square radius √(d ε).
  public static let largestRelativeMove = 0.5
  /// Of `γ h`, to which a variance responds by `(1 − γ h)²` or `exp(−γ h)`.
  public static let largestRelativeRate = 0.5

  private func step(
    _ mixture: IsotropicMixture, gradient: MixtureGradient, stepSizes: (Int) -> Double,
    limits: (move: Double, rate: Double)?
  ) throws -> IsotropicMixture {
    try check(mixture, gradient)
    let dimension = mixture.dimension
    let sharedRate = gradient.variance.reduce(0, +) / Double(max(1, mixture.componentCount))
    var next = mixture
    for i in 0..<mixture.componentCount {
      let stepSize = stepSizes(i)
      var h = sharesVariance ? sharedRate : gradient.variance[i]
      if let limits, h.isFinite {
        let largest = limits.rate / (movesByNewVariance ? stepSize * mixture.variances[i] : stepSize)
        h = min(max(h, -largest), largest)
      }
      let variance = mixture.variances[i] * (try factor(stepSize, h, mixture.variances[i], component: i))
      guard variance > 0, variance.isFinite else { throw UpdateError.variance(variance, component: i) }
      next.variances[i] = variance
      var meanStep = movesByNewVariance ? stepSize * variance : stepSize
      let own = i * dimension..<(i + 1) * dimension
      if let limits {
        let squares = gradient.mean.withUnsafeBufferPointer { $0[own].reduce(0) { $0 + $1 * $1 } }
        let largest = limits.move * (Double(dimension) * mixture.variances[i]).squareRoot()
        let length = meanStep * squares.squareRoot()
        guard length.isFinite else { throw UpdateError.mean(component: i) }
        if length > largest { meanStep *= largest / length }
      }
      guard UpdateRule.move(&next.means, own, by: meanStep, along: gradient.mean) else {
        throw UpdateError.mean(component: i)
      }
    }
    return next
  }

  /// Subtracts a multiple of the gradient from some of the means; false when that leaves one that is not finite.
  private static func move(
    _ means: inout [Double], _ range: Range<Int>, by step: Double, along gradient: [Double]
  ) -> Bool {
    means.withUnsafeMutableBufferPointer { means in
      gradient.withUnsafeBufferPointer { gradient in
        guard let means = means.baseAddress, let gradient = gradient.baseAddress else { return true }
        // The workers wait for this: the sign bit is set where an exponent has all bits set, without a branch for each number.
        var signs: UInt64 = 0
        for k in range {
          let mean = means[k] - step * gradient[k]
          means[k] = mean
          signs |= (mean.bitPattern & 0x7FF0_0000_0000_0000) &+ 0x0010_0000_0000_0000
        }
        return signs >> 63 == 0
      }
    }
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
