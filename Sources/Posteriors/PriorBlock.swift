import CKernels
import NumericsKit

/// Independent coordinates of θ that share a prior law of location 0: `V = Σ_k −log p(θ_k)`.
struct PriorBlock: Sendable {
  let range: Range<Int>
  private let form: Form

  private enum Form: Sendable {
    case normal(NormalPrior)
    /// Half of ν + 1, 1/(ν s²), and −log of the density at 0, times the coordinates.
    case studentT(half: Double, rate: Double, constant: Double)
    /// 1/s, and log 2s times the coordinates.
    case laplace(rate: Double, constant: Double)
  }

  /// - Throws: ``PosteriorError`` when a number is not positive, or the law is not one of independent coordinates.
  init(_ law: PriorLaw, range: Range<Int>) throws {
    self.range = range
    let count = Double(range.count)
    switch law {
    case .normal(let scale): form = .normal(try NormalPrior(scale: scale, dimension: range.count))
    case .studentT(let degrees, let scale):
      try PosteriorError.requirePositive(degrees, "the prior's degrees of freedom")
      try PosteriorError.requirePositive(scale, "the prior's scale")
      form = .studentT(
        half: 0.5 * (degrees + 1), rate: 1 / (degrees * scale * scale),
        constant: count * (StudentT.constant(degrees: degrees) + VectorMath.logarithm(scale)))
    case .laplace(let scale):
      try PosteriorError.requirePositive(scale, "the prior's scale")
      form = .laplace(rate: 1 / scale, constant: count * VectorMath.logarithm(2 * scale))
    case .horseshoe:
      throw PosteriorError(
        code: .range, message: "a horseshoe is a prior for coefficients, not the intercept")
    }
  }

  /// Adds V at one point and its gradient. The derivative of a Laplace density's logarithm at 0 is 0.
  func accumulate(
    point: UnsafePointer<Double>, value: UnsafeMutablePointer<Double>, gradient: UnsafeMutablePointer<Double>?
  ) {
    let point = point + range.lowerBound
    let gradient = gradient.map { $0 + range.lowerBound }
    switch form {
    case .normal(let prior): prior.accumulate(points: point, count: 1, value: value, gradient: gradient)
    case .studentT(let half, let rate, let constant):
      var sum = constant
      for k in 0..<range.count {
        let square = 1 + rate * point[k] * point[k]
        sum += half * VectorMath.logarithm(square)
        gradient?[k] += 2 * half * rate * point[k] / square
      }
      value.pointee += sum
    case .laplace(let rate, let constant):
      var sum = 0.0
      for k in 0..<range.count {
        sum += abs(point[k])
        gradient?[k] += point[k] > 0 ? rate : point[k] < 0 ? -rate : 0
      }
      value.pointee += rate * sum + constant
    }
  }

  /// The standard deviation of a law, or its scale where it has none.
  static func deviation(_ law: PriorLaw) -> Double {
    switch law {
    case .normal(let scale): scale
    case .studentT(let degrees, let scale):
      degrees > 2 ? scale * (degrees / (degrees - 2)).squareRoot() : scale
    case .laplace(let scale): scale * 2.0.squareRoot()
    case .horseshoe: 1
    }
  }
}

/// Constants of Student's t distribution.
public enum StudentT {
  /// −log of the standard density at 0, `log Γ(ν/2) − log Γ((ν+1)/2) + ½ log νπ`.
  public static func constant(degrees: Double) -> Double {
    var gammas = [0.0, 0.0]
    isomix_log_gamma([0.5 * degrees, 0.5 * (degrees + 1)], &gammas, 2)
    return gammas[0] - gammas[1] + 0.5 * VectorMath.logarithm(degrees * .pi)
  }
}

/// A half-Cauchy prior on a scale that is fitted by its logarithm: `τ ~ C⁺(0, s)`, `l = log τ`.
///
/// With `u = l − log s` the density of l, Jacobian included, is `1/(π cosh u)`.
struct LogHalfCauchyPrior: Sendable {
  let logScale: Double

  init(scale: Double) throws {
    try PosteriorError.requirePositive(scale, "the horseshoe's scale")
    logScale = VectorMath.logarithm(scale)
  }

  /// log(π/2).
  private static let constant = 0.45158270528945486473
  /// The standard deviation of l.
  static let deviation = 1.5707963267948966

  /// Adds `log π + log cosh u` and its derivative `tanh u`.
  func accumulate(
    logValue: Double, value: UnsafeMutablePointer<Double>, gradient: UnsafeMutablePointer<Double>?
  ) {
    let u = logValue - logScale
    let decay = VectorMath.exponential(-2 * abs(u))
    value.pointee += Self.constant + abs(u) + VectorMath.logarithm(1 + decay)
    let slope = (1 - decay) / (1 + decay)
    gradient?.pointee += u < 0 ? -slope : slope
  }
}
