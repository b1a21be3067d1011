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
