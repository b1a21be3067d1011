import NumericsKit

extension Metric {
  /// `L Lᵀ`, the covariance in θ of a component of variance 1: row-major `[d, d]` (dense), or its diagonal `[d]`.
  public var shape: [Double] {
    guard kind == .dense else { return scales.map { $0 * $0 } }
    var result = [Double](repeating: 0, count: dimension * dimension)
    BLAS.multiply(
      factor, leadingDimension: dimension, by: factor, leadingDimension: dimension, transposed: true,
      rows: dimension, columns: dimension, inner: dimension, into: &result, leadingDimension: dimension)
    return result
  }
}
