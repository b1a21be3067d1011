import CKernels
import NumericsKit

/// A block of rows on its way through a network, one parameter vector at a time.
///
/// The activations of a block, `[hidden units, rows]`, are made, used forwards and backwards and forgotten while they
/// are in the second-level cache.
struct NetworkBlock {
  let shape: NetworkShape
  /// Row-major `[count, columns]`.
  let design: UnsafePointer<Double>
  let responses: UnsafePointer<Double>
  let count: Int
  /// Index of the block's first row.
  let start: Int
  /// The activations of the parameter vector that predicted last, layer after layer, `[hidden units, count]`. With a
  /// single output the last layer's are what its kernels leave there.
  private let activations: UnsafeMutablePointer<Double>
  /// Derivatives by the products of two layers, `[2, widest layer, count]`.
  private let derivatives: UnsafeMutablePointer<Double>

  /// Visits the blocks of rows in order, dense and in double precision whatever the design's.
  ///
  /// - Parameter held: numbers for each row that the visitor holds at once.
  static func visit(
    _ rows: RowBlock, shape: NetworkShape, held: Int, workspace: DensityWorkspace,
    _ body: (NetworkBlock) -> Void
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let columns = shape.columns
    let vectors = max(shape.hiddenUnits + (shape.outputs > 1 ? shape.outputs : 0), held)
    let size = min(
      rows.count, DesignSweep.rowsPerBlock(vectors: vectors, columns: columns, bytesPerNumber: 8))
    let activations = workspace.predictors.reserve(shape.hiddenUnits * size)
    let derivatives = workspace.derivatives.reserve(2 * shape.widest * size)
    for start in stride(from: 0, to: rows.count, by: max(1, size)) {
      let count = min(size, rows.count - start)
      let design: UnsafePointer<Double>
      if rows.sparse == nil, rows.precision == .float64 {
        design = rows.features.assumingMemoryBound(to: Double.self) + start * columns
      } else {
        let wide = workspace.converted.reserve(size * columns)
        rows.writeDense(start..<start + count, into: wide)
        design = UnsafePointer(wide)
      }
      body(
        NetworkBlock(
          shape: shape, design: design, responses: rows.responses + start, count: count, start: start,
          activations: activations, derivatives: derivatives))
    }
  }

  /// Writes the network's outputs `f(x_j; θ)` to `predictions` `[outputs, count]`.
  func predict(_ point: UnsafePointer<Double>, into predictions: UnsafeMutablePointer<Double>) {
    for (index, layer) in shape.hidden.enumerated() {
      let products = self.activations(index)
      if index == 0 {
        BLAS.multiply(
          point, leadingDimension: layer.inputs, by: design, leadingDimension: layer.inputs, transposed: true,
          rows: layer.units, columns: count, inner: layer.inputs, into: products, leadingDimension: count)
      } else {
        BLAS.multiply(
          point + layer.weights, leadingDimension: layer.inputs, by: self.activations(index - 1),
          leadingDimension: count, rows: layer.units, columns: count, inner: layer.inputs, into: products,
          leadingDimension: count)
      }
      if shape.outputs > 1 || index + 1 < shape.hidden.count {
        activate(products, layer, point)
      } else {
        finish(products, layer, point, into: predictions)
      }
    }
    guard shape.outputs > 1 else { return }
    let output = shape.output
    BLAS.multiply(
      point + output.weights, leadingDimension: output.inputs, by: activations(shape.hidden.count - 1),
      leadingDimension: count, rows: output.units, columns: count, inner: output.inputs, into: predictions,
      leadingDimension: count)
    isomix_add_biases(predictions, point + output.biases, output.units, count)
  }

  /// Adds `Σ_j Σ_c residual_cj ∇f_c(x_j; θ)` to `gradient` `[d]`, by back-propagation. Follows `predict` with the same
  /// vector, whose activations it may consume.
  func propagate(
    _ residuals: UnsafePointer<Double>, point: UnsafePointer<Double>,
    into gradient: UnsafeMutablePointer<Double>
  ) {
    let last = shape.hidden.count - 1
    var current = lastDerivatives(residuals, point: point, into: gradient)
    for index in stride(from: last, through: 0, by: -1) {
      let layer = shape.hidden[index]
      guard index > 0 else {
        BLAS.multiply(
          current, leadingDimension: count, by: design, leadingDimension: layer.inputs, rows: layer.units,
          columns: layer.inputs, inner: count, beta: 1, into: gradient, leadingDimension: layer.inputs)
        return
      }
      let below = activations(index - 1)
      BLAS.multiply(
        current, leadingDimension: count, by: below, leadingDimension: count, transposed: true,
        rows: layer.units, columns: layer.inputs, inner: count, beta: 1, into: gradient + layer.weights,
        leadingDimension: layer.inputs)
      // Never where the derivatives that it is made from are: those lie in the other half, or in the activations.
      let next = derivatives + (index & 1) * shape.widest * count
      BLAS.multiplyTransposed(
        point + layer.weights, leadingDimension: layer.inputs, by: current, leadingDimension: count,
        rows: layer.inputs, columns: count, inner: layer.units, into: next, leadingDimension: count)
      pull(below, next, shape.hidden[index - 1], gradient)
      current = UnsafePointer(next)
    }
  }

  /// The derivatives by the last hidden layer's products, `[units, count]`; adds those by the output's weights and biases
  /// and by the layer's biases to the gradient.
  private func lastDerivatives(
    _ residuals: UnsafePointer<Double>, point: UnsafePointer<Double>,
    into gradient: UnsafeMutablePointer<Double>
  ) -> UnsafePointer<Double> {
    let last = shape.hidden.count - 1
    let layer = shape.hidden[last]
    let output = shape.output
    let activations = activations(last)
    guard shape.outputs > 1 else {
      let parameters = point + layer.biases
      switch shape.activation {
      case .relu:
        isomix_relu_backward(activations, parameters, residuals, layer.units, count, gradient + layer.biases)
      case .tanh:
        isomix_tanh_backward(activations, parameters, residuals, layer.units, count, gradient + layer.biases)
      }
      return UnsafePointer(activations)
    }
    BLAS.multiply(
      residuals, leadingDimension: count, by: activations, leadingDimension: count, transposed: true,
      rows: output.units, columns: output.inputs, inner: count, beta: 1, into: gradient + output.weights,
      leadingDimension: output.inputs)
    isomix_add_row_sums(residuals, output.units, count, gradient + output.biases)
    let derivatives = derivatives + ((last + 1) & 1) * shape.widest * count
    BLAS.multiplyTransposed(
      point + output.weights, leadingDimension: output.inputs, by: residuals, leadingDimension: count,
      rows: output.inputs, columns: count, inner: output.units, into: derivatives, leadingDimension: count)
    pull(activations, derivatives, layer, gradient)
    return UnsafePointer(derivatives)
  }

  /// The activations of a hidden layer, `[units, count]`.
  private func activations(_ layer: Int) -> UnsafeMutablePointer<Double> {
    activations + shape.unitsBefore[layer] * count
  }

  private func activate(
    _ products: UnsafeMutablePointer<Double>, _ layer: NetworkShape.Layer, _ point: UnsafePointer<Double>
  ) {
    switch shape.activation {
    case .relu: isomix_relu_activate(products, point + layer.biases, layer.units, count)
    case .tanh: isomix_tanh_activate(products, point + layer.biases, layer.units, count)
    }
  }

  /// The last hidden layer and a single output, which lies behind the layer's biases.
  private func finish(
    _ products: UnsafeMutablePointer<Double>, _ layer: NetworkShape.Layer, _ point: UnsafePointer<Double>,
    into predictions: UnsafeMutablePointer<Double>
  ) {
    switch shape.activation {
    case .relu: isomix_relu_forward(products, point + layer.biases, layer.units, count, predictions)
    case .tanh: isomix_tanh_forward(products, point + layer.biases, layer.units, count, predictions)
    }
  }

  private func pull(
    _ activations: UnsafePointer<Double>, _ derivatives: UnsafeMutablePointer<Double>,
    _ layer: NetworkShape.Layer, _ gradient: UnsafeMutablePointer<Double>
  ) {
    switch shape.activation {
    case .relu: isomix_relu_pull(activations, derivatives, layer.units, count, gradient + layer.biases)
    case .tanh: isomix_tanh_pull(activations, derivatives, layer.units, count, gradient + layer.biases)
    }
  }
}
