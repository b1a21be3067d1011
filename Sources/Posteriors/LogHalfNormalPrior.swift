import NumericsKit

/// A half-normal prior on a scale that is fitted by its logarithm: `σ ~ HalfNormal(s)`, `l = log σ`.
///
/// The density of l is that of σ times the Jacobian `dσ/dl = σ`: `√(2/π)/s · exp(−σ²/(2s²)) · σ`.
struct LogHalfNormalPrior: Sendable {
  /// log s.
  private let logScale: Double
  /// −log(√(2/π)/s).
  private let constant: Double

  /// - Parameter name: what the scale is called when it is not positive.
  init(scale: Double, name: String = "the scale of the noise's prior") throws {
    try PosteriorError.requirePositive(scale, name)
    logScale = VectorMath.logarithm(scale)
    constant = logScale + 0.5 * VectorMath.logTwoPi - VectorMath.logarithm(2)
  }

  /// Adds `σ²/(2s²) − l − log(√(2/π)/s)` to a value and, unless null, its derivative `σ²/s² − 1` to a gradient.
  func accumulate(
    logSigma: Double, value: UnsafeMutablePointer<Double>, gradient: UnsafeMutablePointer<Double>?
  ) {
    let ratio = VectorMath.boundedExponential(2 * (logSigma - logScale))
    value.pointee += 0.5 * ratio.value - logSigma + constant
    gradient?.pointee += ratio.slope - 1
  }

  /// Mean and standard deviation of l: those of log |Z| of a standard normal Z, −(γ + log 2)/2 and π/√8, moved by log s.
  var moments: PriorMoments {
    PriorMoments(means: [logScale - 0.6351814227307392], deviations: [1.1107207345395915])
  }
}
