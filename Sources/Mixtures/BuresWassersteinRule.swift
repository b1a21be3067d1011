import NumericsKit

/// Bures–Wasserstein gradient descent on mixtures with full covariances, the algorithm that isotropic mixtures are
/// compared with in Petit-Talamon, Lambert, Korba (arXiv 2506.13613; Lambert et al., arXiv 2205.15902, for N = 1).
///
/// With g and the product of ``FullMixtureGradient``, and `S_i = sym(mean_s G_is (x_is − m_i)ᵀ Σ_i⁻¹)`, a step is
///
///     m_i ← m_i − γ g_i,    Σ_i ← M_i Σ_i M_iᵀ,  M_i = I − γ S_i
///
/// with true matrix products. On isotropic covariances and gradients it is ``UpdateRule/ibw``.
///
/// No eigenvalue of Σ changes its logarithm by more than ``UpdateRule/maximumLogVarianceChange`` in one step: the singular
/// values of M are kept between e^-½ and e^½, and by Ostrowski's theorem the k-th eigenvalue of `M Σ Mᵀ` is that of Σ times
/// a number between their squares.
public enum BuresWassersteinRule {
  /// The mixture after one step of size γ.
  ///
  /// - Throws: ``UpdateError`` naming the component when the step leaves the space of mixtures (a mean that is not
  ///   finite, or a covariance that is not positive definite), or when the gradient's sizes don't match.
  public static func step(_ mixture: FullMixture, gradient: FullMixtureGradient, stepSize: Double) throws
    -> FullMixture
  {
    try step(mixture, gradient, given: stepSize, relative: nil)
  }

  /// The mixture after one step of *relative* size η: component i takes the step `γ_i = η d / tr(Σ_i⁻¹)`.
  ///
  /// The curvature that a component feels is `Σ_i⁻¹` at the optimum, so that η is a number without unit, as in
  /// ``UpdateRule/step(_:gradient:relativeStep:)``; for isotropic covariances the two are the same. Limits as there: a mean
  /// moves by at most ``UpdateRule/largestRelativeMove`` `√tr Σ_i`, and eigenvalues of `γ_i S_i` count as at most
  /// ``UpdateRule/largestRelativeRate`` either way.
  ///
  /// - Throws: as ``step(_:gradient:stepSize:)``.
  public static func step(_ mixture: FullMixture, gradient: FullMixtureGradient, relativeStep: Double) throws
    -> FullMixture
  {
    try step(mixture, gradient, given: nil, relative: relativeStep)
  }

  private static func step(
    _ mixture: FullMixture, _ gradient: FullMixtureGradient, given: Double?, relative: Double?
  ) throws -> FullMixture {
    let d = mixture.dimension
    guard gradient.mean.count == mixture.means.count, gradient.product.count == mixture.factors.count else {
      throw UpdateError(
        code: .shape,
        message: """
          the gradient has \(gradient.mean.count) and \(gradient.product.count) numbers where the mixture has \
          \(mixture.means.count) and \(mixture.factors.count)
          """)
    }
    var next = mixture
    for i in 0..<mixture.componentCount {
      let matrix = i * d * d..<(i + 1) * d * d
      let factor = Array(mixture.factors[matrix])
      let inverse = TriangularMatrix.inverse(factor, dimension: d)
      let stepSize = given ?? (relative ?? 0) * Double(d) / inverse.reduce(0) { $0 + $1 * $1 }
      let slope = symmetricSlope(Array(gradient.product[matrix]), inverse, dimension: d)
      guard
        let transport = transport(
          slope, stepSize: stepSize, dimension: d,
          largestRate: relative == nil ? nil : UpdateRule.largestRelativeRate),
        let moved = covarianceFactor(transport, factor, dimension: d)
      else { throw UpdateError.covariance(component: i) }
      next.factors.replaceSubrange(matrix, with: moved)
      var meanStep = stepSize
      let mean = i * d..<(i + 1) * d
      if relative != nil {
        let largest = UpdateRule.largestRelativeMove * mixture.trace(of: i).squareRoot()
        let length = stepSize * gradient.mean[mean].reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length.isFinite else { throw UpdateError.fullMean(component: i) }
        if length > largest { meanStep *= largest / length }
      }
      for k in mean {
        next.means[k] -= meanStep * gradient.mean[k]
        guard next.means[k].isFinite else { throw UpdateError.fullMean(component: i) }
      }
    }
    return next
  }

  /// `S = sym(P Σ⁻¹)` with `Σ⁻¹ = Wᵀ W`, `W = F⁻¹`; all row-major `[d, d]`.
  static func symmetricSlope(_ product: [Double], _ inverse: [Double], dimension d: Int) -> [Double] {
    let half = multiply(product, inverse, dimension: d, transposed: true)
    let full = multiply(half, inverse, dimension: d)
    var result = full
    for row in 0..<d {
      for column in 0..<d {
        result[row * d + column] = 0.5 * (full[row * d + column] + full[column * d + row])
      }
    }
    return result
  }

  /// `M = I − γ S`, with its singular values and the eigenvalues of γ S limited; nil when S is not finite.
  private static func transport(
    _ slope: [Double], stepSize: Double, dimension d: Int, largestRate: Double?
  ) -> [Double]? {
    let norm = stepSize * slope.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm.isFinite else { return nil }
    // The Frobenius norm bounds the spectral one: no limit is reached, and no eigenvalues are needed.
    if norm <= 1 - smallestFactor {
      var result = slope.map { -stepSize * $0 }
      for k in 0..<d { result[k * d + k] += 1 }
      return result
    }
    guard let eigen = SymmetricEigen(slope, dimension: d) else { return nil }
    return eigen.matrix { value in
      var rate = stepSize * value
      if let largestRate { rate = min(max(rate, -largestRate), largestRate) }
      let factor = 1 - rate
      let magnitude = min(max(abs(factor), smallestFactor), largestFactor)
      return factor < 0 ? -magnitude : magnitude
    }
  }

  /// The lower Cholesky factor of `M F Fᵀ Mᵀ`; nil when that is not positive definite in floating point.
  private static func covarianceFactor(_ transport: [Double], _ factor: [Double], dimension d: Int)
    -> [Double]?
  {
    let root = multiply(transport, factor, dimension: d)
    let product = multiply(root, root, dimension: d, transposed: true)
    var covariance = product
    for row in 0..<d {
      for column in 0..<row {
        covariance[row * d + column] = 0.5 * (product[row * d + column] + product[column * d + row])
      }
    }
    guard let factored = CholeskyFactor(covariance, dimension: d), factored.lower.allSatisfy(\.isFinite)
    else {
      return nil
    }
    return factored.lower
  }

  /// `A B`, or `A Bᵀ`.
  private static func multiply(_ a: [Double], _ b: [Double], dimension d: Int, transposed: Bool = false)
    -> [Double]
  {
    var result = [Double](repeating: 0, count: d * d)
    BLAS.multiply(
      a, leadingDimension: d, by: b, leadingDimension: d, transposed: transposed, rows: d, columns: d,
      inner: d, into: &result, leadingDimension: d)
    return result
  }

  private static let largestFactor = VectorMath.exponential(0.5 * UpdateRule.maximumLogVarianceChange)
  private static let smallestFactor = VectorMath.exponential(-0.5 * UpdateRule.maximumLogVarianceChange)
}

extension UpdateError {
  fileprivate static func covariance(component: Int) -> UpdateError {
    UpdateError(
      code: .covariance,
      message: """
        the step leaves component \(component + 1) with a covariance that is not positive definite or not finite: \
        use a smaller step size, or check that the model's density is finite there
        """, component: component)
  }

  fileprivate static func fullMean(component: Int) -> UpdateError {
    UpdateError(
      code: .notFinite,
      message: """
        the step leaves component \(component + 1) with a mean that is not finite: use a smaller step size, or \
        check that the model's density is finite there
        """, component: component)
  }
}
