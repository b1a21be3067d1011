import NumericsKit

/// The 2-Wasserstein distance between Gaussians with full covariances (Bures–Wasserstein distance; Dowson and
/// Landau, J. Multivariate Analysis 12, 1982).
public enum GaussianDistance {
  /// `W₂²(N(m, C), N(m', C')) = ‖m − m'‖² + tr(C + C' − 2 (C^½ C' C^½)^½)`.
  ///
  /// Nil when sizes don't match or a number is not finite. Covariances are row-major `[d, d]`, symmetric (the lower
  /// triangle counts) and may be singular; eigenvalues below zero, rounding errors, count as zero.
  public static func squared(
    mean: [Double], covariance: [Double], toMean otherMean: [Double], covariance otherCovariance: [Double]
  ) -> Double? {
    let d = mean.count
    // Of a covariance with itself it is known exactly.
    let isSame =
      covariance == otherCovariance && covariance.count == d * d && covariance.allSatisfy(\.isFinite)
    guard otherMean.count == d,
      let overlap = isSame ? trace(covariance, d) : overlap(covariance, otherCovariance, dimension: d)
    else { return nil }
    let spread = trace(covariance, d) + trace(otherCovariance, d) - 2 * overlap
    let distance = squaredEuclidean(mean, 0, otherMean, 0, d) + max(0, spread)
    return distance.isFinite ? distance : nil
  }

  /// `tr (C^½ C' C^½)^½` of two covariances, row-major `[d, d]`; nil when sizes don't match or a number is not finite.
  ///
  /// For multiples `ε C` and `ε' C'` it is `√(ε ε')` times as large: one value serves all pairs of components of
  /// two mixtures whose components share a shape.
  public static func overlap(_ first: [Double], _ second: [Double], dimension d: Int) -> Double? {
    guard first.count == d * d, second.count == d * d, let eigen = SymmetricEigen(first, dimension: d) else {
      return nil
    }
    guard d > 0 else { return 0 }
    let root = eigen.matrix { max(0, $0).squareRoot() }
    var mirrored = second
    for i in 0..<d {
      for j in 0..<i { mirrored[j * d + i] = mirrored[i * d + j] }
    }
    var half = [Double](repeating: 0, count: d * d)
    var product = half
    BLAS.multiply(
      root, leadingDimension: d, by: mirrored, leadingDimension: d, rows: d, columns: d, inner: d,
      into: &half, leadingDimension: d)
    BLAS.multiply(
      half, leadingDimension: d, by: root, leadingDimension: d, rows: d, columns: d, inner: d,
      into: &product, leadingDimension: d)
    guard let inner = SymmetricEigen(product, dimension: d) else { return nil }
    return inner.values.reduce(0) { $0 + max(0, $1).squareRoot() }
  }

  static func trace(_ matrix: [Double], _ d: Int) -> Double {
    (0..<d).reduce(0) { $0 + matrix[$1 * d + $1] }
  }

  /// The squared distance between row i of one matrix and row j of another, both `[…, d]`.
  static func squaredEuclidean(
    _ first: [Double], _ i: Int, _ second: [Double], _ j: Int, _ d: Int
  ) -> Double {
    (0..<d).reduce(0) {
      let difference = first[i * d + $1] - second[j * d + $1]
      return $0 + difference * difference
    }
  }
}
