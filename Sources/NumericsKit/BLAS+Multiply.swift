import COpenBLAS

/// A row-major matrix in memory that someone else owns, or its transpose.
public struct MatrixOperand<Scalar> {
  let pointer: UnsafePointer<Scalar>
  let leadingDimension: Int
  let isTransposed: Bool

  /// Takes rows of `leadingDimension` numbers each; with `transposed`, the product uses columns as rows.
  public init(_ pointer: UnsafePointer<Scalar>, leadingDimension: Int, transposed: Bool = false) {
    self.pointer = pointer
    self.leadingDimension = leadingDimension
    self.isTransposed = transposed
  }

  var order: CBLAS_TRANSPOSE { isTransposed ? CblasTrans : CblasNoTrans }
}

extension BLAS {
  /// Computes `C ← A B + beta C` in double precision: A `[rows, inner]`, B `[inner, columns]`, C `[rows, columns]`
  /// (shapes after transposition).
  @inline(__always)
  public static func multiply(
    _ a: MatrixOperand<Double>, _ b: MatrixOperand<Double>, rows: Int, columns: Int, inner: Int,
    beta: Double = 0, into c: UnsafeMutablePointer<Double>, leadingDimension: Int
  ) {
    cblas_dgemm(
      CblasRowMajor, a.order, b.order, blasint(rows), blasint(columns), blasint(inner), 1, a.pointer,
      blasint(a.leadingDimension), b.pointer, blasint(b.leadingDimension), beta, c, blasint(leadingDimension))
  }

  /// Computes `C ← A B + beta C` in single precision; arguments as for double precision.
  @inline(__always)
  public static func multiply(
    _ a: MatrixOperand<Float>, _ b: MatrixOperand<Float>, rows: Int, columns: Int, inner: Int,
    beta: Float = 0, into c: UnsafeMutablePointer<Float>, leadingDimension: Int
  ) {
    cblas_sgemm(
      CblasRowMajor, a.order, b.order, blasint(rows), blasint(columns), blasint(inner), 1, a.pointer,
      blasint(a.leadingDimension), b.pointer, blasint(b.leadingDimension), beta, c, blasint(leadingDimension))
  }
}
