import NumericsKit

/// A half-normal prior on a scale that is fitted by its logarithm: `σ ~ HalfNormal(s)`, `l = log σ`.
///
/// The density of l is that of σ times the Jacobian `dσ/dl = σ`: `√(2/π)/s · exp(−σ²/(2s²)) · σ`.
struct LogHalfNormalPrior: Sendable {
  /// log s.
  private let logScale: Double
  /// −log(√(2/π)/s).
  private let constant: Double

  init(scale: Double) throws {
    try PosteriorError.requirePositive(scale, "the scale of the noise's prior")
    logScale = VectorMath.logarithm(scale)
    constant = logScale + 0.5 * VectorMath.logTwoPi - VectorMath.logarithm(2)
  }

  /// Adds `σ²/(2s²) − l − log(√(2/π)/s)` to a value and, unless null, its derivative `σ²/s² − 1` to a gradient.
  func accumulate(
    logSigma: Double, value: UnsafeMutablePointer<Double>, gradient: UnsafeMutablePointer<Double>?
  ) {
    let ratio = VectorMath.exponential(2 * (logSigma - logScale))
    value.pointee += 0.5 * ratio - logSigma + constant
    gradient?.pointee += ratio - 1
  }
}
