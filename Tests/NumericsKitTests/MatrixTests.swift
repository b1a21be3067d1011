import Foundation
import NumericsKit
import Testing

@Suite struct MatrixTests {
  init() { BLAS.prepare() }

  @Test("Products agree with a triple loop, plain and transposed, with rows longer than used")
  func products() {
    let (rows, columns, inner) = (5, 7, 3)
    let (strideA, strideB, strideC) = (inner + 2, 9, columns + 1)
    let a = (0..<rows * strideA).map { sin(Double($0)) }
    let b = (0..<9 * strideB).map { cos(Double($0)) }
    for transposed in [false, true] {
      var c = [Double](repeating: 2, count: rows * strideC)
      var single = [Float](repeating: 2, count: rows * strideC)
      BLAS.multiply(
        a, leadingDimension: strideA, by: b, leadingDimension: strideB, transposed: transposed, rows: rows,
        columns: columns,
        inner: inner, beta: 0.5, into: &c, leadingDimension: strideC)
      BLAS.multiply(
        a.map { Float($0) }, leadingDimension: strideA, by: b.map { Float($0) }, leadingDimension: strideB,
        transposed: transposed, rows: rows,
        columns: columns, inner: inner, beta: 0.5, into: &single, leadingDimension: strideC)
      for i in 0..<rows {
        for j in 0..<columns {
          var expected = 1.0
          for k in 0..<inner {
            expected += a[i * strideA + k] * (transposed ? b[j * strideB + k] : b[k * strideB + j])
          }
          #expect(abs(c[i * strideC + j] - expected) < 1e-14)
          #expect(abs(Double(single[i * strideC + j]) - expected) < 1e-6)
        }
        #expect(c[i * strideC + columns] == 2, "numbers between rows stay")
      }
    }
  }

  @Test("A Cholesky factor multiplies back to the matrix, solves it and has its determinant")
  func cholesky() throws {
    let matrix = [4, 2, 0.6, 2, 5, 1, 0.6, 1, 3]
    let factor = try #require(CholeskyFactor(matrix, dimension: 3))
    for i in 0..<3 {
      for j in 0..<3 {
        let entry = (0..<3).reduce(0.0) { $0 + factor.lower[i * 3 + $1] * factor.lower[j * 3 + $1] }
        #expect(abs(entry - matrix[i * 3 + j]) < 1e-15)
      }
    }
    var solution = [1.0, -2, 0.5]
    factor.solve(&solution)
    for (row, expected) in [1.0, -2, 0.5].enumerated() {
      let product = (0..<3).reduce(0.0) { $0 + matrix[row * 3 + $1] * solution[$1] }
      #expect(abs(product - expected) < 1e-14)
    }
    // 4(15 − 1) − 2(6 − 0.6) + 0.6(2 − 3).
    #expect(abs(factor.logDeterminant - log(44.6)) < 1e-14)
  }

  @Test("A matrix that is not positive definite has no Cholesky factor")
  func indefinite() {
    #expect(CholeskyFactor([1, 2, 2, 1], dimension: 2) == nil)
    #expect(CholeskyFactor([0], dimension: 1) == nil)
    #expect(CholeskyFactor([.nan], dimension: 1) == nil)
    #expect(CholeskyFactor([1, 0], dimension: 2) == nil)
  }
}
