import COpenBLAS

// Operands are parameters, not values of a matrix type: an array passed for a pointer lives to the end of the
// call, while a pointer stored in a value would dangle at once.
extension BLAS {
  /// Computes `C ← A B + beta C` in double precision for row-major matrices: A `[rows, inner]`, B
  /// `[inner, columns]` (or its transpose `[columns, inner]` in memory), C `[rows, columns]`. Leading dimensions are
  /// the numbers from the start of one row in memory to the next.
  @inline(__always)
  public static func multiply(
    _ a: UnsafePointer<Double>, leadingDimension aStride: Int, by b: UnsafePointer<Double>,
    leadingDimension bStride: Int, transposed: Bool = false, rows: Int, columns: Int, inner: Int,
    beta: Double = 0, into c: UnsafeMutablePointer<Double>, leadingDimension cStride: Int
  ) {
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns),
      blasint(inner), 1, a, blasint(aStride), b, blasint(bStride), beta, c, blasint(cStride))
  }

  /// Computes `C ← A B + beta C` in single precision; arguments as for double precision.
  @inline(__always)
  public static func multiply(
    _ a: UnsafePointer<Float>, leadingDimension aStride: Int, by b: UnsafePointer<Float>,
    leadingDimension bStride: Int, transposed: Bool = false, rows: Int, columns: Int, inner: Int,
    beta: Float = 0, into c: UnsafeMutablePointer<Float>, leadingDimension cStride: Int
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns),
      blasint(inner), 1, a, blasint(aStride), b, blasint(bStride), beta, c, blasint(cStride))
  }
}

extension BLAS {
  /// Computes `C ← Aᵀ B + beta C` in double precision for row-major matrices: A `[inner, rows]`, B
  /// `[inner, columns]`, C `[rows, columns]`.
  @inline(__always)
  public static func multiplyTransposed(
    _ a: UnsafePointer<Double>, leadingDimension aStride: Int, by b: UnsafePointer<Double>,
    leadingDimension bStride: Int, rows: Int, columns: Int, inner: Int, beta: Double = 0,
    into c: UnsafeMutablePointer<Double>, leadingDimension cStride: Int
  ) {
    cblas_dgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, blasint(rows), blasint(columns), blasint(inner), 1, a,
      blasint(aStride), b, blasint(bStride), beta, c, blasint(cStride))
  }
}
