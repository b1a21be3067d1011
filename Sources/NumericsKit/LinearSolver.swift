import COpenBLAS

/// Systems of linear equations, by LAPACK's LU decomposition.
public enum LinearSolver {
  /// The inverse of a row-major matrix `[d, d]` and log |det|; nil when it is singular, not finite or of another size.
  public static func invert(_ matrix: [Double], dimension: Int) -> (
    inverse: [Double], logDeterminant: Double
  )? {
    guard dimension > 0, matrix.count == dimension * dimension, matrix.allSatisfy(\.isFinite) else {
      return nil
    }
    let order = blasint(dimension)
    // LAPACK counts by columns; the inverse of the transpose is the transpose of the inverse.
    var inverse = matrix
    var pivots = [blasint](repeating: 0, count: dimension)
    var info = blasint(0)
    dgetrf_([order], [order], &inverse, [order], &pivots, &info)
    guard info == 0 else { return nil }
    let logDeterminant = (0..<dimension).reduce(0.0) {
      $0 + VectorMath.logarithm(abs(inverse[$1 * dimension + $1]))
    }
    let size = blasint(64 * dimension)
    var work = [Double](repeating: 0, count: Int(size))
    dgetri_([order], &inverse, [order], pivots, &work, [size], &info)
    guard info == 0, inverse.allSatisfy(\.isFinite) else { return nil }
    return (inverse, logDeterminant)
  }
}
