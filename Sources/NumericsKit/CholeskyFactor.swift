/// The lower triangular L with `Σ = L Lᵀ` of a symmetric positive definite matrix.
public struct CholeskyFactor: Sendable, Equatable {
  public let dimension: Int
  /// L, row-major `[d, d]`; zero above the diagonal.
  public let lower: [Double]
  /// 1 / L_kk, `[d]`.
  public let inverseDiagonal: [Double]

  /// Factors a row-major symmetric matrix `[d, d]`; nil unless it is positive definite in floating point.
  ///
  /// Only the lower triangle is read.
  public init?(_ matrix: [Double], dimension: Int) {
    guard matrix.count == dimension * dimension else { return nil }
    var lower = [Double](repeating: 0, count: matrix.count)
    var inverse = [Double](repeating: 0, count: dimension)
    for row in 0..<dimension {
      for column in 0...row {
        var entry = matrix[row * dimension + column]
        for k in 0..<column { entry -= lower[row * dimension + k] * lower[column * dimension + k] }
        if column < row {
          lower[row * dimension + column] = entry * inverse[column]
        } else {
          guard entry > 0, entry.isFinite else { return nil }
          let root = entry.squareRoot()
          lower[row * dimension + row] = root
          inverse[row] = 1 / root
        }
      }
    }
    self.dimension = dimension
    self.lower = lower
    self.inverseDiagonal = inverse
  }

  /// log det Σ.
  public var logDeterminant: Double {
    (0..<dimension).reduce(0) { $0 + 2 * VectorMath.logarithm(lower[$1 * dimension + $1]) }
  }

  /// Replaces b by `L⁻¹ b`.
  public func solveLower(_ vector: inout [Double]) {
    for row in 0..<dimension {
      var entry = vector[row]
      for k in 0..<row { entry -= lower[row * dimension + k] * vector[k] }
      vector[row] = entry * inverseDiagonal[row]
    }
  }

  /// Replaces b by `L⁻ᵀ b`.
  public func solveUpper(_ vector: inout [Double]) {
    for row in (0..<dimension).reversed() {
      let entry = vector[row] * inverseDiagonal[row]
      vector[row] = entry
      for k in 0..<row { vector[k] -= lower[row * dimension + k] * entry }
    }
  }

  /// Replaces b by `Σ⁻¹ b`.
  public func solve(_ vector: inout [Double]) {
    solveLower(&vector)
    solveUpper(&vector)
  }
}
