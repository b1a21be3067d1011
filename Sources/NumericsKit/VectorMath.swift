import CKernels

/// Elementary functions over arrays by this package's own vectorised kernels (no libm).
public enum VectorMath {
  /// log 2π.
  public static let logTwoPi = 1.8378770664093454836

  /// Replaces each number by its exponential (within 1.1 ulp).
  public static func exponentiate(_ values: UnsafeMutablePointer<Double>, count: Int) {
    isomix_exp(values, values, count)
  }

  /// Replaces each number by its natural logarithm (within 1 ulp); −∞ at 0, NaN below.
  public static func takeLogarithms(_ values: UnsafeMutablePointer<Double>, count: Int) {
    isomix_log(values, values, count)
  }

  /// Replaces each number by its hyperbolic tangent (within 3 ulp).
  public static func takeHyperbolicTangents(_ values: UnsafeMutablePointer<Double>, count: Int) {
    isomix_tanh(values, values, count)
  }

  /// e^x by the same kernel.
  public static func exponential(_ value: Double) -> Double {
    var value = value
    exponentiate(&value, count: 1)
    return value
  }

  /// ln x by the same kernel.
  public static func logarithm(_ value: Double) -> Double {
    var value = value
    takeLogarithms(&value, count: 1)
    return value
  }

  /// e^x and its derivative; from x = 200 on both go on along the tangent, so that they stay finite.
  public static func boundedExponential(_ x: Double) -> (value: Double, slope: Double) {
    let argument = [x]
    var value = 0.0
    var slope = 0.0
    isomix_bounded_exp(argument, &value, &slope, 1)
    return (value, slope)
  }

  /// Σ values².
  public static func sumOfSquares(_ values: UnsafePointer<Double>, count: Int) -> Double {
    isomix_sum_of_squares(values, count)
  }

  /// Adds factor × values to `output`.
  public static func add(
    _ factor: Double, times values: UnsafePointer<Double>, count: Int,
    to output: UnsafeMutablePointer<Double>
  ) {
    isomix_add_scaled(factor, values, count, output)
  }

  /// `log((1/rows) Σ_r exp(matrix[r, j]))` for every column of a row-major matrix `[rows, columns]`.
  public static func columnLogMeanExp(
    _ matrix: UnsafePointer<Double>, rows: Int, columns: Int, into output: UnsafeMutablePointer<Double>
  ) {
    isomix_column_log_mean_exp(matrix, rows, columns, output)
  }
}
