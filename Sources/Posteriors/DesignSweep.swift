import CKernels
import NumericsKit

/// Walks the rows of a design matrix in blocks that stay in cache: predictors `Θ X_bᵀ`, residuals in place, then
/// the gradient `R X_b`.
///
/// What happens between the products is the family's: closures that turn predictors `[vectors, rows]` of a block
/// into residuals.
struct DesignSweep {
  let rows: RowBlock
  /// Row-major `[vectors, columns]`.
  let coefficients: UnsafePointer<Double>
  let vectors: Int
  let workspace: DensityWorkspace

  /// A block's predictors and its part of the design should fill this much of the second-level cache.
  static let blockBytes = 256 * 1024
  /// Fewer rows leave the matrix product too little to do; more give nothing.
  static let blockRows = 64...512

  /// How many rows a block has: a multiple of 16, from the matrices' sizes and precision alone.
  static func rowsPerBlock(vectors: Int, columns: Int, bytesPerNumber: Int) -> Int {
    let fitting = blockBytes / (max(1, vectors + columns) * bytesPerNumber) / 16 * 16
    return min(max(fitting, blockRows.lowerBound), blockRows.upperBound)
  }

  /// A block's predictors `[vectors, count]`, to be turned into residuals, and its responses `[count]`.
  struct Block<Scalar> {
    let predictors: UnsafeMutablePointer<Scalar>
    let responses: UnsafePointer<Double>
    let count: Int
    /// The block's first row.
    let start: Int
    /// The design's rows of the next block, nil at the last, and their bytes.
    let upcoming: UnsafeRawPointer?
    let upcomingBytes: Int
  }

  /// The rows of the block that starts at `start`, for prefetching.
  private func upcoming(from start: Int, size: Int) -> (pointer: UnsafeRawPointer?, byteCount: Int) {
    guard start < rows.count else { return (nil, 0) }
    let rowBytes = rows.columns * rows.precision.byteCount
    return (rows.features + start * rowBytes, min(size, rows.count - start) * rowBytes)
  }

  /// Sweeps a design matrix in double precision, or a sparse one; adds `Σ_b R_b X_b` to `gradient` `[vectors, columns]`.
  func accumulate(
    gradient: UnsafeMutablePointer<Double>?, residual: (Block<Double>) -> Void
  ) {
    defer { withExtendedLifetime(workspace) {} }
    if let sparse = rows.sparse { return accumulate(sparse, gradient: gradient, residual: residual) }
    let columns = rows.columns
    let size = min(rows.count, Self.rowsPerBlock(vectors: vectors, columns: columns, bytesPerNumber: 8))
    let features = rows.features.assumingMemoryBound(to: Double.self)
    let predictors = workspace.predictors.reserve(vectors * size)
    for start in stride(from: 0, to: rows.count, by: max(1, size)) {
      let count = min(size, rows.count - start)
      let design = features + start * columns
      BLAS.multiply(
        coefficients, leadingDimension: columns, by: design, leadingDimension: columns, transposed: true,
        rows: vectors, columns: count,
        inner: columns, into: predictors, leadingDimension: count)
      let next = upcoming(from: start + count, size: size)
      residual(
        Block(
          predictors: predictors, responses: rows.responses + start, count: count, start: start,
          upcoming: next.pointer,
          upcomingBytes: next.byteCount))
      guard let gradient else { continue }
      BLAS.multiply(
        predictors, leadingDimension: count, by: design, leadingDimension: columns,
        rows: vectors, columns: columns, inner: count, beta: 1, into: gradient, leadingDimension: columns)
    }
  }

  /// Sweeps a design matrix in single precision: products in single precision, each block's gradient added to
  /// the double precision `gradient`.
  func accumulateSingle(
    gradient: UnsafeMutablePointer<Double>?, residual: (Block<Float>) -> Void
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let columns = rows.columns
    let size = min(rows.count, Self.rowsPerBlock(vectors: vectors, columns: columns, bytesPerNumber: 4))
    let features = rows.features.assumingMemoryBound(to: Float.self)
    let predictors = workspace.predictors.reserve(vectors * size, of: Float.self)
    let single = workspace.singleCoefficients.reserve(vectors * columns, of: Float.self)
    isomix_to_floats(coefficients, vectors * columns, single)
    let blockGradient = workspace.singleGradient.reserve(vectors * columns, of: Float.self)
    for start in stride(from: 0, to: rows.count, by: max(1, size)) {
      let count = min(size, rows.count - start)
      let design = features + start * columns
      BLAS.multiply(
        single, leadingDimension: columns, by: design, leadingDimension: columns, transposed: true,
        rows: vectors, columns: count,
        inner: columns, into: predictors, leadingDimension: count)
      let next = upcoming(from: start + count, size: size)
      residual(
        Block(
          predictors: predictors, responses: rows.responses + start, count: count, start: start,
          upcoming: next.pointer,
          upcomingBytes: next.byteCount))
      guard let gradient else { continue }
      BLAS.multiply(
        predictors, leadingDimension: count, by: design, leadingDimension: columns,
        rows: vectors, columns: columns, inner: count, into: blockGradient, leadingDimension: columns)
      isomix_add_floats(blockGradient, vectors * columns, gradient)
    }
  }

  /// Visits predictors in double precision, whatever the design's precision, block by block.
  func visitPredictors(_ visit: (Block<Double>) -> Void) {
    switch rows.productPrecision {
    case .float64: accumulate(gradient: nil, residual: visit)
    case .float32:
      accumulateSingle(gradient: nil) { block in
        let wide = workspace.converted.reserve(vectors * block.count)
        isomix_to_doubles(block.predictors, vectors * block.count, wide)
        visit(
          Block(
            predictors: wide, responses: block.responses, count: block.count, start: block.start,
            upcoming: block.upcoming,
            upcomingBytes: block.upcomingBytes))
      }
    }
  }
}
