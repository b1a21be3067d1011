import Foundation
import NumericsKit
import Testing

@Suite struct VectorMathTests {
  private func ulps(_ value: Double, _ expected: Double) -> Double {
    value == expected ? 0 : abs(value - expected) / expected.ulp
  }

  private func exponentials(_ values: [Double]) -> [Double] {
    var output = values
    VectorMath.exponentiate(&output, count: output.count)
    return output
  }

  private func logarithms(_ values: [Double]) -> [Double] {
    var output = values
    VectorMath.takeLogarithms(&output, count: output.count)
    return output
  }

  @Test("The exponential is within one unit in the last place of libm's over the whole range")
  func exponential() {
    let inputs = (0..<200_001).map { -708 + 1417.7 * Double($0) / 200_000 }
    for (x, value) in zip(inputs, exponentials(inputs)) { #expect(ulps(value, exp(x)) <= 1) }
  }

  @Test("The exponential underflows gradually, overflows to infinity and keeps NaN")
  func exponentialExtremes() {
    let values = exponentials([-720, -744, -746, -1e9, 710, 1e300, .infinity, -.infinity, 0, -0.0])
    #expect(abs(values[0] - exp(-720)) <= 2 * Double.leastNonzeroMagnitude)
    #expect(abs(values[1] - exp(-744)) <= 2 * Double.leastNonzeroMagnitude)
    #expect(Array(values[2...]) == [0, 0, .infinity, .infinity, .infinity, 0, 1, 1])
    #expect(exponentials([.nan])[0].isNaN)
  }

  @Test("The logarithm is within one unit in the last place of libm's, also next to 1 and for subnormals")
  func logarithm() {
    let near = (0..<20_001).map { 0.5 + 1.5 * Double($0) / 20_000 }
    let far = (-1073...1023).map { 1.234 * exp2(Double($0)) }
    let inputs = near + far + [Double.leastNormalMagnitude, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
    for (x, value) in zip(inputs, logarithms(inputs)) { #expect(ulps(value, log(x)) <= 1, "\(x)") }
  }

  @Test("The logarithm of 0 is −∞, of ∞ is ∞, of negative numbers and NaN is NaN")
  func logarithmExtremes() {
    let values = logarithms([0, -0.0, .infinity, -1, .nan, -.infinity])
    #expect(Array(values[0..<3]) == [-.infinity, -.infinity, .infinity])
    #expect(values[3...].allSatisfy { $0.isNaN })
  }

  private func tangents(_ values: [Double]) -> [Double] {
    var output = values
    VectorMath.takeHyperbolicTangents(&output, count: output.count)
    return output
  }

  /// NumPy's, written by cluster/examples/reference/network_reference.py.
  static let tangents: [(Double, Double)] = [
    (1e-300, 1e-300), (1e-10, 1e-10), (1e-05, 9.999999999666668e-06), (0.01, 0.00999966667999946),
    (0.1, 0.09966799462495582), (0.17, 0.1683810458708147), (0.18, 0.17808086811733018),
    (0.3, 0.2913126124515909), (0.5, 0.46211715726000974), (0.54, 0.49298796667532435),
    (0.55, 0.5005202111902353), (0.7, 0.6043677771171634), (1.0, 0.7615941559557649),
    (1.3, 0.8617231593133063), (2.0, 0.9640275800758169), (3.0, 0.9950547536867305),
    (5.0, 0.9999092042625951), (10.0, 0.9999999958776927), (15.0, 0.9999999999998128), (19.0, 1.0),
    (30.0, 1.0),
  ]

  @Test("The hyperbolic tangent is within three units in the last place of NumPy's and libm's")
  func tangent() {
    for (x, expected) in Self.tangents { #expect(ulps(tangents([x])[0], expected) <= 3, "\(x)") }
    let even: [Double] = (0..<200_001).map { -25 + 50 * Double($0) / 200_000 }
    let small: [Double] = (0..<300).map { exp2(-Double($0)) }
    let inputs = even + small
    for (x, value) in zip(inputs, tangents(inputs)) { #expect(ulps(value, tanh(x)) <= 3, "\(x)") }
  }

  @Test("The hyperbolic tangent is odd, ends at ±1 and keeps NaN and the sign of 0")
  func tangentExtremes() {
    #expect(tangents([.infinity, -.infinity, 1e300, -800, 0]) == [1, -1, 1, -1, 0])
    #expect(tangents([-0.0])[0].sign == .minus && tangents([.nan])[0].isNaN)
    #expect(tangents([.leastNonzeroMagnitude])[0] == .leastNonzeroMagnitude)
    let inputs = (0..<67).map { sin(Double($0)) * 3 }
    let values = tangents(inputs)
    #expect(tangents(inputs.map { -$0 }) == values.map { -$0 })
    for (x, value) in zip(inputs, values) { #expect(tangents([x])[0] == value) }
  }

  @Test("An element's result does not depend on where it stands in an array")
  func position() {
    let inputs = (0..<67).map { sin(Double($0)) * 30 }
    let together = exponentials(inputs)
    for (x, value) in zip(inputs, together) { #expect(VectorMath.exponential(x) == value) }
    let magnitudes = inputs.map { abs($0) }
    for (x, value) in zip(magnitudes, logarithms(magnitudes)) { #expect(VectorMath.logarithm(x) == value) }
  }

  @Test("log-mean-exp by columns is exact far outside the range of the exponential")
  func logMeanExp() {
    let columns = 19
    let matrix = (0..<3 * columns).map { index in
      Double(index % columns - 9) * 1000 + Double(index / columns)
    }
    var output = [Double](repeating: 0, count: columns)
    VectorMath.columnLogMeanExp(matrix, rows: 3, columns: columns, into: &output)
    let expected = log((1 + exp(1.0) + exp(2.0)) / 3)
    for column in 0..<columns { #expect(abs(output[column] - Double(column - 9) * 1000 - expected) < 3e-12) }
    var impossible = 0.0
    VectorMath.columnLogMeanExp([-Double.infinity, -.infinity], rows: 2, columns: 1, into: &impossible)
    #expect(impossible == -.infinity)
  }

  @Test("Sums of squares and scaled additions agree with plain loops at every length")
  func vectorSums() {
    for count in [0, 1, 15, 16, 17, 100] {
      let values = (0..<count).map { cos(Double($0)) }
      let expected = values.reduce(0) { $0 + $1 * $1 }
      #expect(abs(VectorMath.sumOfSquares(values, count: count) - expected) < 1e-13)
      var sums = values
      VectorMath.add(0.5, times: values, count: count, to: &sums)
      for (sum, value) in zip(sums, values) { #expect(abs(sum - 1.5 * value) < 1e-15) }
    }
  }
}
