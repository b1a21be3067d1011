import NumericsKit
import Testing

@Suite struct SymmetricEigenTests {
  init() { BLAS.prepare() }

  private func random(_ d: Int) -> [Double] {
    var matrix = [Double](repeating: 0, count: d * d)
    Noise(seed: 5).fillNormals(
      .benchmark, iteration: 0, component: 0, samples: 0..<d, dimension: d, into: &matrix)
    for i in 0..<d {
      for j in 0..<i { matrix[j * d + i] = matrix[i * d + j] }
    }
    return matrix
  }

  @Test("Vectors are orthonormal and multiply back to the matrix", arguments: [1, 2, 3, 30, 200])
  func reconstruction(dimension d: Int) throws {
    let matrix = random(d)
    let eigen = try #require(SymmetricEigen(matrix, dimension: d))
    let again = eigen.matrix { $0 }
    #expect(zip(again, matrix).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 <= $1 })
    for k in 0..<d {
      for l in 0...k {
        let product = (0..<d).reduce(0.0) { $0 + eigen.vectors[k * d + $1] * eigen.vectors[l * d + $1] }
        #expect(abs(product - (k == l ? 1 : 0)) < 1e-13)
      }
      let row = eigen.vectors[k * d..<(k + 1) * d]
      #expect(row.max() == row.map { abs($0) }.max(), "the largest entry is positive")
    }
    let trace = (0..<d).reduce(0.0) { $0 + matrix[$1 * d + $1] }
    #expect(abs(eigen.values.reduce(0, +) - trace) < 1e-11)
    #expect(eigen == SymmetricEigen(matrix, dimension: d))
  }

  @Test("The chain of springs has the eigenvalues 2 − 2 cos(kπ/(d + 1))")
  func springs() throws {
    let d = 5
    let matrix = (0..<d * d).map { index -> Double in
      switch abs(index / d - index % d) {
      case 0: 2
      case 1: -1
      default: 0
      }
    }
    let eigen = try #require(SymmetricEigen(matrix, dimension: d))
    let root = 3.0.squareRoot()
    for (value, expected) in zip(eigen.values, [2 - root, 1, 2, 3, 2 + root]) {
      #expect(abs(value - expected) < 1e-14)
    }
  }

  @Test("Only the lower triangle is read, and of equal entries the first is positive")
  func triangle() throws {
    let eigen = try #require(SymmetricEigen([1, 99, 2, 1], dimension: 2))
    #expect(abs(eigen.values[0] + 1) < 1e-15 && abs(eigen.values[1] - 3) < 1e-15)
    #expect(eigen.vectors[2] > 0 && eigen.vectors[3] > 0)
    let inverse = eigen.matrix { 1 / $0 }
    for (value, expected) in zip(inverse, [-1.0 / 3, 2.0 / 3, 2.0 / 3, -1.0 / 3]) {
      #expect(abs(value - expected) < 1e-15)
    }
  }

  @Test("Zero and diagonal matrices are their own decomposition")
  func diagonal() throws {
    #expect(try #require(SymmetricEigen([-3], dimension: 1)).values == [-3])
    #expect(try #require(SymmetricEigen([-3], dimension: 1)).vectors == [1])
    #expect(try #require(SymmetricEigen([0, 0, 0, 0], dimension: 2)).values == [0, 0])
    let eigen = try #require(SymmetricEigen([3, 0, 0, 0, 1, 0, 0, 0, 2], dimension: 3))
    #expect(eigen.values == [1, 2, 3])
    #expect(eigen.vectors == [0, 1, 0, 0, 0, 1, 1, 0, 0])
    #expect(try #require(SymmetricEigen([], dimension: 0)).values.isEmpty)
  }

  @Test("A matrix of another size or with wild numbers has no decomposition")
  func invalid() {
    #expect(SymmetricEigen([1, 2], dimension: 2) == nil)
    #expect(SymmetricEigen([.nan], dimension: 1) == nil)
    #expect(SymmetricEigen([1, 0, .infinity, 1], dimension: 2) == nil)
    #expect(SymmetricEigen([], dimension: -1) == nil)
  }
}
