import CKernels
import NumericsKit

/// A block of rows on its way through a network with one hidden layer, one parameter vector at a time.
///
/// The inner products of a block, `[units, rows]`, are made, used forwards and backwards and forgotten while they are
/// in the second-level cache.
struct NetworkBlock {
  let layer: HiddenLayer
  /// Row-major `[count, columns]`.
  let design: UnsafePointer<Double>
  let responses: UnsafePointer<Double>
  let count: Int
  /// `W1 Xᵀ` of the parameter vector that predicted last, `[units, count]`.
  private let products: UnsafeMutablePointer<Double>

  /// Visits the blocks of rows in order, in double precision whatever the design's.
  ///
  /// - Parameter predictions: vectors whose predictions for a block are held at once.
  static func visit(
    _ rows: RowBlock, layer: HiddenLayer, predictions: Int, workspace: DensityWorkspace,
    _ body: (NetworkBlock) -> Void
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let columns = layer.columns
    let size = min(
      rows.count,
      DesignSweep.rowsPerBlock(
        vectors: max(layer.units, predictions), columns: columns, bytesPerNumber: 8))
    let products = workspace.predictors.reserve(layer.units * size)
    for start in stride(from: 0, to: rows.count, by: max(1, size)) {
      let count = min(size, rows.count - start)
      let design: UnsafePointer<Double>
      switch rows.precision {
      case .float64: design = rows.features.assumingMemoryBound(to: Double.self) + start * columns
      case .float32:
        let wide = workspace.converted.reserve(size * columns)
        isomix_to_doubles(
          rows.features.assumingMemoryBound(to: Float.self) + start * columns, count * columns, wide)
        design = UnsafePointer(wide)
      }
      body(
        NetworkBlock(
          layer: layer, design: design, responses: rows.responses + start, count: count, products: products))
    }
  }

  /// Writes the network's outputs `f(x_j; θ)` to `predictions` `[count]`.
  func predict(_ point: UnsafePointer<Double>, into predictions: UnsafeMutablePointer<Double>) {
    BLAS.multiply(
      point, leadingDimension: layer.columns, by: design, leadingDimension: layer.columns, transposed: true,
      rows: layer.units, columns: count, inner: layer.columns, into: products, leadingDimension: count)
    isomix_relu_forward(products, point + layer.weightCount, layer.units, count, predictions)
  }

  /// Adds `Σ_j residual_j ∇f(x_j; θ)` to `gradient` `[d]`, by back-propagation. Follows `predict` with the same
  /// vector, whose inner products it consumes.
  func propagate(
    _ residuals: UnsafePointer<Double>, point: UnsafePointer<Double>,
    into gradient: UnsafeMutablePointer<Double>
  ) {
    isomix_relu_backward(
      products, point + layer.weightCount, residuals, layer.units, count, gradient + layer.weightCount)
    BLAS.multiply(
      products, leadingDimension: count, by: design, leadingDimension: layer.columns, rows: layer.units,
      columns: layer.columns, inner: count, beta: 1, into: gradient, leadingDimension: layer.columns)
  }
}
