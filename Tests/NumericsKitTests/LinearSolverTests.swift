import Foundation
import NumericsKit
import TestKit
import Testing

@Suite struct LinearSolverTests {
  init() { BLAS.prepare() }

  @Test("A matrix times its inverse is the identity, on either side", arguments: [1, 2, 5, 40, 150])
  func identity(dimension d: Int) throws {
    var generator = SeededGenerator(seed: 4)
    let matrix = (0..<d * d).map { _ in Double.random(in: -1...1, using: &generator) }
    let inverse = try #require(LinearSolver.invert(matrix, dimension: d)).inverse
    for i in 0..<d {
      for j in 0..<d {
        let right = (0..<d).reduce(0.0) { $0 + matrix[i * d + $1] * inverse[$1 * d + j] }
        let left = (0..<d).reduce(0.0) { $0 + inverse[i * d + $1] * matrix[$1 * d + j] }
        #expect(abs(right - (i == j ? 1 : 0)) < 1e-9 && abs(left - (i == j ? 1 : 0)) < 1e-9, "seed 4")
      }
    }
  }

  @Test("Inverse and log |det| are the known ones")
  func known() throws {
    // Rows are exchanged by the pivots; the determinant is −2.
    let swapped = try #require(LinearSolver.invert([0, 2, 1, 0], dimension: 2))
    #expect(swapped.inverse == [0, 1, 0.5, 0] && abs(swapped.logDeterminant - log(2)) < 1e-15)
    let general = try #require(LinearSolver.invert([1, 2, 3, 4], dimension: 2))
    for (value, expected) in zip(general.inverse, [-2, 1, 1.5, -0.5]) {
      #expect(abs(value - expected) < 1e-14)
    }
    #expect(abs(general.logDeterminant - log(2)) < 1e-14)
    let one = try #require(LinearSolver.invert([1, 0, 0, 0, 1, 0, 0, 0, 1], dimension: 3))
    #expect(one.inverse == [1, 0, 0, 0, 1, 0, 0, 0, 1] && one.logDeterminant == 0)
    let scaled = try #require(LinearSolver.invert([1e-200, 0, 0, 1e-200], dimension: 2))
    #expect(abs(scaled.logDeterminant + 400 * log(10)) < 1e-10, "the determinant itself would underflow")
  }

  @Test("Singular matrices, wild numbers and other sizes have no inverse")
  func none() {
    #expect(LinearSolver.invert([1, 2, 2, 4], dimension: 2) == nil)
    #expect(LinearSolver.invert([0], dimension: 1) == nil)
    #expect(LinearSolver.invert([0, 0, 0, 0], dimension: 2) == nil)
    #expect(
      LinearSolver.invert([1, 0, 0, 2024 * Double.leastNonzeroMagnitude], dimension: 2) == nil,
      "its inverse overflows")
    #expect(LinearSolver.invert([.nan], dimension: 1) == nil)
    #expect(LinearSolver.invert([1, .infinity, 0, 1], dimension: 2) == nil)
    #expect(LinearSolver.invert([1, 2, 3], dimension: 2) == nil)
    #expect(LinearSolver.invert([], dimension: 0) == nil)
  }
}
