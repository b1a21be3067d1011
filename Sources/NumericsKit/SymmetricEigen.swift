import COpenBLAS

/// The eigenvalues and eigenvectors of a real symmetric matrix, `A = Σ_k λ_k v_k v_kᵀ`, by LAPACK's
/// divide-and-conquer routine `dsyevd`. Call `BLAS.prepare()` first.
public struct SymmetricEigen: Sendable, Equatable {
  /// d.
  public let dimension: Int
  /// λ, ascending, `[d]`.
  public let values: [Double]
  /// Orthonormal eigenvectors, row-major `[d, d]`: row k belongs to `values[k]`. The entry of largest magnitude of
  /// each (the first of equals) is positive.
  public let vectors: [Double]

  /// Decomposes a row-major symmetric matrix `[d, d]`, of which only the lower triangle is read; nil when it has
  /// another size, when a number is not finite or when LAPACK finds no convergence.
  public init?(_ matrix: [Double], dimension: Int) {
    guard dimension >= 0, matrix.count == dimension * dimension, dimension <= Self.maximumDimension,
      matrix.allSatisfy(\.isFinite)
    else { return nil }
    self.dimension = dimension
    guard dimension > 0 else {
      values = []
      vectors = []
      return
    }
    var vectors = matrix
    var values = [Double](repeating: 0, count: dimension)
    guard Self.decompose(&vectors, &values, dimension), values.allSatisfy(\.isFinite) else { return nil }
    for k in 0..<dimension { Self.orient(&vectors, row: k, dimension) }
    self.values = values
    self.vectors = vectors
  }

  /// So that the sizes of LAPACK's workspace fit into its 32-bit integers.
  public static let maximumDimension = 30_000

  /// `Σ_k f(λ_k) v_k v_kᵀ`, row-major `[d, d]`, exactly symmetric.
  public func matrix(_ function: (Double) -> Double) -> [Double] { matrix(values: values.map(function)) }

  /// `Σ_k μ_k v_k v_kᵀ` for other eigenvalues μ `[d]` in the order of `values`, row-major `[d, d]`, exactly symmetric.
  public func matrix(values: [Double]) -> [Double] {
    let d = dimension
    var scaled = vectors
    for k in 0..<d {
      for j in 0..<d { scaled[k * d + j] *= values[k] }
    }
    var result = [Double](repeating: 0, count: d * d)
    guard d > 0 else { return result }
    var transposed = [Double](repeating: 0, count: d * d)
    for k in 0..<d {
      for j in 0..<d { transposed[j * d + k] = vectors[k * d + j] }
    }
    BLAS.multiply(
      transposed, leadingDimension: d, by: scaled, leadingDimension: d, rows: d, columns: d, inner: d,
      into: &result, leadingDimension: d)
    for i in 0..<d {
      for j in 0..<i {
        let mean = 0.5 * (result[i * d + j] + result[j * d + i])
        result[i * d + j] = mean
        result[j * d + i] = mean
      }
    }
    return result
  }

  /// Replaces the matrix by its eigenvectors; false when LAPACK reports a failure.
  private static func decompose(
    _ matrix: inout [Double], _ values: inout [Double], _ dimension: Int
  ) -> Bool {
    // LAPACK counts by columns: its upper triangle is our lower one, and its columns of vectors are our rows.
    var (order, info) = (blasint(dimension), blasint(0))
    var (workSize, integerSize) = (blasint(-1), blasint(-1))
    var (work, integers) = ([0.0], [blasint(0)])
    for _ in 0..<2 {
      // The first call asks for the sizes of the workspace.
      dsyevd_(
        "V", "U", &order, &matrix, &order, &values, &work, &workSize, &integers, &integerSize, &info, 1, 1)
      guard info == 0 else { return false }
      if workSize < 0 {
        guard let size = blasint(exactly: work[0]) else { return false }
        workSize = size
        integerSize = integers[0]
        work = [Double](repeating: 0, count: Int(workSize))
        integers = [blasint](repeating: 0, count: Int(integerSize))
      }
    }
    return true
  }

  /// Makes the entry of largest magnitude of one eigenvector positive.
  private static func orient(_ vectors: inout [Double], row: Int, _ dimension: Int) {
    let range = row * dimension..<(row + 1) * dimension
    var largest = range.lowerBound
    for index in range where abs(vectors[index]) > abs(vectors[largest]) { largest = index }
    guard vectors[largest] < 0 else { return }
    for index in range { vectors[index] = -vectors[index] }
  }
}
