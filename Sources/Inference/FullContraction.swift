import NumericsKit

/// What a gradient's tile gives for components with full covariances.
enum FullContraction {
  /// Sums over samples: for each component `Σ_s ∇` (d numbers), `Σ_s ∇ (x − m)ᵀ` (d², the gradient's coordinate first)
  /// and `Σ_s` of the value.
  ///
  /// - Parameters:
  ///   - values: `[components, samples]`; gradients and offsets `x − m`: `[components, samples, d]`.
  ///   - output: `[components, d + d² + 1]`.
  static func sum(
    _ tile: Tile, dimension: Int, values: UnsafePointer<Double>, gradients: UnsafePointer<Double>,
    offsets: UnsafePointer<Double>, into output: UnsafeMutablePointer<Double>
  ) {
    let count = tile.samples.count
    let width = dimension * (dimension + 1) + 1
    for place in 0..<tile.components.count {
      let sums = output + place * width
      let gradients = gradients + place * count * dimension
      let offsets = offsets + place * count * dimension
      sums.update(repeating: 0, count: dimension)
      for sample in 0..<count {
        for k in 0..<dimension { sums[k] += gradients[sample * dimension + k] }
      }
      BLAS.multiplyTransposed(
        gradients, leadingDimension: dimension, by: offsets, leadingDimension: dimension, rows: dimension,
        columns: dimension, inner: count, into: sums + dimension, leadingDimension: dimension)
      var value = 0.0
      for sample in 0..<count { value += values[place * count + sample] }
      sums[width - 1] = value
    }
  }
}
