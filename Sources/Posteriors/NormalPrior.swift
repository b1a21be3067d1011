import NumericsKit

/// Independent Gaussians of mean 0 and one scale on all coefficients, `θ_k ~ N(0, τ²)`.
struct NormalPrior: Sendable {
  /// τ.
  let scale: Double
  /// 1 / τ².
  private let precision: Double
  /// d/2 log(2π τ²).
  private let constant: Double
  private let dimension: Int

  init(scale: Double, dimension: Int) throws {
    try PosteriorError.requirePositive(scale, "the prior's scale")
    self.scale = scale
    self.precision = 1 / (scale * scale)
    self.constant = Double(dimension) * (0.5 * VectorMath.logTwoPi + VectorMath.logarithm(scale))
    self.dimension = dimension
  }

  /// Adds `Σ_k θ_k²/(2τ²) + d/2 log(2πτ²)` and its gradient `θ/τ²`.
  func accumulate(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?
  ) {
    for s in 0..<count {
      let squares = VectorMath.sumOfSquares(points + s * dimension, count: dimension)
      value[s] += 0.5 * precision * squares + constant
    }
    if let gradient { VectorMath.add(precision, times: points, count: count * dimension, to: gradient) }
  }

  var moments: PriorMoments { PriorMoments(scale: scale, dimension: dimension) }
}
