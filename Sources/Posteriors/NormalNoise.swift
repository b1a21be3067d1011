import CKernels
import NumericsKit

/// Responses with independent Gaussian noise of known scale around a prediction, `y ~ N(f, σ²)`.
struct NormalNoise: Sendable {
  /// 1 / σ².
  let precision: Double
  /// −½ log(2πσ²).
  let constant: Double

  init(scale: Double) throws {
    try PosteriorError.requirePositive(scale, "the noise's scale")
    precision = 1 / (scale * scale)
    constant = -0.5 * VectorMath.logTwoPi - VectorMath.logarithm(scale)
  }

  /// Adds what `rows` rows have of `−log p` whatever the predictions, `½ log(2πσ²)` each, to `count` values.
  func addNormalizer(rows: Int, to value: UnsafeMutablePointer<Double>, count: Int) {
    let normalizer = Double(rows) * constant
    for s in 0..<count { value[s] -= normalizer }
  }
}
