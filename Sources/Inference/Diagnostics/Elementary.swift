import NumericsKit

/// Functions near a cancellation, from this package's own exponential and logarithm (W. Kahan's corrections).
enum Elementary {
  /// log(1 + x), accurate for small x.
  static func log1p(_ x: Double) -> Double {
    let sum = 1 + x
    if sum == 1 { return x }
    let logarithm = VectorMath.logarithm(sum)
    // The rounding of 1 + x is known: the quotient takes it out again.
    return sum == .infinity || sum <= 0 ? logarithm : logarithm * (x / (sum - 1))
  }

  /// e^x − 1, accurate for small x.
  static func expm1(_ x: Double) -> Double {
    let exponential = VectorMath.exponential(x)
    if exponential == 1 { return x }
    let difference = exponential - 1
    // Beyond these the subtraction loses nothing, and the logarithm below could overflow or vanish.
    guard abs(x) < 1 else { return difference }
    return difference * (x / VectorMath.logarithm(exponential))
  }
}
