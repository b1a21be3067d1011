import CKernels
import NumericsKit

/// Sparse designs: predictors and gradient are sums over the stored numbers alone.
extension DesignSweep {
  /// Rows of a block, and numbers of its predictors, at most. Blocks are large: for each, all coefficients are transposed.
  private static let sparseBlockRows = 64...8192
  private static let sparseBlockNumbers = 1 << 21

  /// Sweeps sparse rows; adds `Σ_b R_b X_b` to `gradient` `[vectors, columns]`.
  ///
  /// Vectors are taken sixteen at a time, transposed, so that each stored number meets their coefficients side by side.
  func accumulate(
    _ sparse: SparseRows, gradient: UnsafeMutablePointer<Double>?, residual: (Block<Double>) -> Void
  ) {
    defer { withExtendedLifetime(workspace) {} }
    guard rows.count > 0, vectors > 0 else { return }
    let columns = rows.columns
    let atOnce = Int(ISOMIX_SLAB_VECTORS)
    let fitting = Self.sparseBlockNumbers / vectors
    let size = min(
      rows.count, min(max(fitting, Self.sparseBlockRows.lowerBound), Self.sparseBlockRows.upperBound))
    let slab = workspace.slab.reserve(atOnce * columns)
    let predictors = workspace.predictors.reserve(vectors * size)
    for start in stride(from: 0, to: rows.count, by: size) {
      let count = min(size, rows.count - start)
      let block = sparse.rows(from: start)
      for first in stride(from: 0, to: vectors, by: atOnce) {
        let some = min(atOnce, vectors - first)
        isomix_to_slab(coefficients + first * columns, some, columns, slab)
        block.multiply(slab, rows: count, vectors: some, rows.precision, into: predictors + first * count)
      }
      residual(
        Block(
          predictors: predictors, responses: rows.responses + start, count: count, start: start,
          upcoming: nil, upcomingBytes: 0))
      guard let gradient else { continue }
      for first in stride(from: 0, to: vectors, by: atOnce) {
        let some = min(atOnce, vectors - first)
        slab.update(repeating: 0, count: atOnce * columns)
        block.add(predictors + first * count, rows: count, vectors: some, rows.precision, to: slab)
        isomix_add_slab(slab, some, columns, gradient + first * columns)
      }
    }
  }
}

extension SparseRows {
  /// Writes the products of a slab's vectors with rows: `[vectors, rows]`.
  fileprivate func multiply(
    _ slab: UnsafePointer<Double>, rows: Int, vectors: Int, _ precision: Precision,
    into predictors: UnsafeMutablePointer<Double>
  ) {
    switch precision {
    case .float64:
      isomix_sparse_product(
        offsets, places, numbers.assumingMemoryBound(to: Double.self), rows, slab, vectors, predictors)
    case .float32:
      isomix_sparse_product_float(
        offsets, places, numbers.assumingMemoryBound(to: Float.self), rows, slab, vectors, predictors)
    }
  }

  /// Adds rows times residuals `[vectors, rows]` to a slab's vectors.
  fileprivate func add(
    _ residuals: UnsafePointer<Double>, rows: Int, vectors: Int, _ precision: Precision,
    to slab: UnsafeMutablePointer<Double>
  ) {
    switch precision {
    case .float64:
      isomix_sparse_gradient(
        offsets, places, numbers.assumingMemoryBound(to: Double.self), rows, residuals, vectors, slab)
    case .float32:
      isomix_sparse_gradient_float(
        offsets, places, numbers.assumingMemoryBound(to: Float.self), rows, residuals, vectors, slab)
    }
  }
}
