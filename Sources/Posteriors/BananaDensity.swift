import NumericsKit

/// A Gaussian bent to a banana (Haario, Saksman and Tamminen, Computational Statistics 14, 1999, but for the sign of x₂):
/// `x₁ ~ N(0, v)`, `x₂ | x₁ ~ N(b (x₁² − v), 1)`, and `x_k ~ N(0, 1)` for k = 3, …, d. Second arguments are *variances*.
///
/// All means are 0, the coordinates uncorrelated, and the variance of x₂ is 1 + 2 b² v². With `r = x₂ − b (x₁² − v)`:
/// `V = x₁²/(2v) + r²/2 + Σ_{k≥3} x_k²/2 + ½ log v + d/2 log 2π`.
public struct BananaDensity: AnalyticDensity {
  public let dimension: Int
  /// The variance v of x₁.
  public let variance: Double
  /// The curvature b; 0 for a Gaussian.
  public let curvature: Double

  /// Haario, Saksman and Tamminen's moderate banana.
  public static let usualVariance = 100.0
  public static let usualCurvature = 0.03

  /// Takes the variance v of x₁, the curvature b and the dimension d.
  ///
  /// - Throws: ``PosteriorError`` unless the variance is positive, the curvature finite and the dimension at least 2.
  public init(
    variance: Double = BananaDensity.usualVariance, curvature: Double = BananaDensity.usualCurvature,
    dimension: Int = 2
  ) throws {
    try PosteriorError.requirePositive(variance, "the banana's variance")
    guard curvature.isFinite else {
      throw PosteriorError(
        code: .range, message: "the banana's curvature must be a finite number, not \(curvature)")
    }
    try PosteriorError.requireTwoDimensions(dimension, "a banana")
    self.variance = variance
    self.curvature = curvature
    self.dimension = dimension
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    let d = dimension
    let constant = 0.5 * Double(d) * VectorMath.logTwoPi + 0.5 * VectorMath.logarithm(variance)
    for s in 0..<count {
      let x = points + d * s
      let residual = x[1] - curvature * (x[0] * x[0] - variance)
      var squares = residual * residual
      for k in 2..<max(2, d) { squares += x[k] * x[k] }
      value[s] += 0.5 * x[0] * x[0] / variance + 0.5 * squares + constant
      guard let gradient else { continue }
      gradient[d * s] += x[0] / variance - 2 * curvature * x[0] * residual
      gradient[d * s + 1] += residual
      for k in 2..<max(2, d) { gradient[d * s + k] += x[k] }
    }
  }
}

extension PosteriorError {
  /// Checks the dimension of a target that needs a second coordinate.
  static func requireTwoDimensions(_ dimension: Int, _ name: String) throws {
    guard dimension >= 2 else {
      throw PosteriorError(code: .shape, message: "\(name) has at least 2 dimensions, not \(dimension)")
    }
  }
}
