import NumericsKit

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A multivariate sinh-arcsinh distribution (Jones and Pewsey, Biometrika 96, 2009): coordinate by coordinate,
/// `x_k = sinh((asinh z_k + s_k) · τ_k)` with `z ~ N(0, Σ)`. The tail τ multiplies, as in TensorFlow Probability's
/// `SinhArcsinh`; Jones and Pewsey's δ is 1/τ.
///
/// Positive skew s leans right; tails τ > 1 are heavier than Gaussian. With `a_k = asinh(x_k)/τ_k − s_k` and
/// `z_k = sinh a_k`: `V = ½ zᵀΣ⁻¹z + ½ log det(2πΣ) + Σ_k [log τ_k − log cosh a_k + ½ log(1 + x_k²)]`.
public struct SinhArcsinhDensity: AnalyticDensity {
  public let dimension: Int
  private let factor: CholeskyFactor
  private let skew: [Double]
  /// 1/τ `[d]`.
  private let rate: [Double]
  /// ½ log det(2πΣ) + Σ log τ_k.
  private let constant: Double

  /// Takes the covariance Σ `[d][d]`, skews s `[d]` and tails τ > 0 `[d]`.
  ///
  /// - Throws: ``PosteriorError`` when sizes don't fit, a number is out of range or Σ is not positive definite.
  public init(covariance: [[Double]], skew: [Double], tail: [Double]) throws {
    let dimension = skew.count
    guard dimension > 0, tail.count == dimension else {
      throw PosteriorError(
        code: .shape,
        message: "sinh-arcsinh needs equally many skews and tails: \(skew.count) and \(tail.count) were given"
      )
    }
    try PosteriorError.requireFinite(skew, "skew")
    for (k, value) in tail.enumerated() { try PosteriorError.requirePositive(value, "tail[\(k + 1)]") }
    self.dimension = dimension
    self.factor = try PosteriorError.factor(covariance, dimension: dimension, "covariance of sinh-arcsinh")
    self.skew = skew
    self.rate = tail.map { 1 / $0 }
    self.constant =
      0.5 * (Double(dimension) * VectorMath.logTwoPi + factor.logDeterminant)
      + tail.reduce(0) { $0 + VectorMath.logarithm($1) }
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let d = dimension
    let scratch = workspace.predictors.reserve(3 * d)
    let z = scratch
    let slope = scratch + d
    let jacobian = scratch + 2 * d
    for s in 0..<count {
      let x = points + s * d
      var sum = constant
      for k in 0..<d {
        let angle = rate[k] * asinh(x[k]) - skew[k]
        let root = (1 + x[k] * x[k]).squareRoot()
        z[k] = sinh(angle)
        // cosh a / √(1 + x²), whose logarithm is the volume change (but for log 1/τ).
        let ratio = (1 + z[k] * z[k]).squareRoot() / root
        sum -= log(ratio)
        slope[k] = rate[k] * ratio
        jacobian[k] = x[k] / (root * root) - rate[k] * tanh(angle) / root
      }
      let squares = solve(z)
      value[s] += sum + 0.5 * squares
      guard let gradient else { continue }
      for k in 0..<d { gradient[s * d + k] += z[k] * slope[k] + jacobian[k] }
    }
  }

  /// Replaces z by `Σ⁻¹ z`; returns `zᵀ Σ⁻¹ z`.
  private func solve(_ z: UnsafeMutablePointer<Double>) -> Double {
    let d = dimension
    var squares = 0.0
    for row in 0..<d {
      for k in 0..<row { z[row] -= factor.lower[row * d + k] * z[k] }
      z[row] *= factor.inverseDiagonal[row]
      squares += z[row] * z[row]
    }
    for row in (0..<d).reversed() {
      z[row] *= factor.inverseDiagonal[row]
      for k in 0..<row { z[k] -= factor.lower[row * d + k] * z[row] }
    }
    return squares
  }
}
