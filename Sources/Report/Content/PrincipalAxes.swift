import NumericsKit

/// The two directions along which a mixture varies most, each parameter measured in its own standard deviations.
package struct PrincipalAxes {
  /// Unit vectors in units of standard deviations, `[2][d]`.
  package let directions: [[Double]]
  /// Share of the total variance, `[2]`.
  package let shares: [Double]
  package let mean: [Double]
  package let deviations: [Double]

  /// Up to here by LAPACK, beyond by iteration.
  private static let largestMatrix = 300
  private static let iterations = 60

  /// Nil for fewer than two dimensions, or when nothing varies.
  package init?(_ shape: MixtureShape) {
    let d = shape.dimension
    guard d >= 2 else { return nil }
    self.mean = shape.mean
    self.deviations = (0..<d).map { max(shape.marginal($0).standardDeviation, .leastNormalMagnitude) }
    let (mean, deviations) = (self.mean, self.deviations)
    func product(_ rows: [[Double]]) -> [[Double]] {
      let scaled = rows.map { row in (0..<d).map { row[$0] / deviations[$0] } }
      return shape.covarianceProduct(scaled, mean: mean).map { row in (0..<d).map { row[$0] / deviations[$0] }
      }
    }
    if d <= PrincipalAxes.largestMatrix {
      let identity = (0..<d).map { k in (0..<d).map { $0 == k ? 1.0 : 0 } }
      guard let eigen = SymmetricEigen(product(identity).flatMap { $0 }, dimension: d) else { return nil }
      directions = [1, 2].map { Array(eigen.vectors[(d - $0) * d..<(d - $0 + 1) * d]) }
      shares = [1, 2].map { eigen.values[d - $0] / Double(d) }
    } else {
      // Subspace iteration from fixed directions.
      var block = [Double](repeating: 0, count: 4 * d)
      Noise(seed: 1).fillNormals(
        .draws, iteration: 5, component: 0, samples: 0..<4, dimension: d, into: &block)
      var rows = PrincipalAxes.orthonormal((0..<4).map { Array(block[$0 * d..<($0 + 1) * d]) })
      for _ in 0..<PrincipalAxes.iterations { rows = PrincipalAxes.orthonormal(product(rows)) }
      // The best axes within the subspace (Rayleigh and Ritz), which neighbouring eigenvalues would mix.
      let images = product(rows)
      let inner: [Double] = rows.flatMap { row in images.map { PrincipalAxes.product(row, $0) } }
      guard let eigen = SymmetricEigen(inner, dimension: rows.count) else { return nil }
      let basis = rows
      directions = PrincipalAxes.orthonormal(
        [1, 2].map { axis in
          let weights = eigen.vectors[
            (basis.count - axis) * basis.count..<(basis.count - axis + 1) * basis.count]
          return (0..<d).map { k in zip(weights, basis).reduce(0) { $0 + $1.0 * $1.1[k] } }
        })
      shares = [1, 2].map { eigen.values[basis.count - $0] / Double(d) }
    }
    guard shares.allSatisfy(\.isFinite) else { return nil }
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// Gram and Schmidt's procedure; the entry of largest magnitude of each row is made positive.
  private static func orthonormal(_ rows: [[Double]]) -> [[Double]] {
    var result: [[Double]] = []
    for row in rows {
      var row = row
      for other in result {
        let along = product(row, other)
        for k in row.indices { row[k] -= along * other[k] }
      }
      let length = max(row.reduce(0) { $0 + $1 * $1 }.squareRoot(), .leastNormalMagnitude)
      let largest = row.indices.max { abs(row[$0]) < abs(row[$1]) } ?? 0
      let factor = (row[largest] < 0 ? -1 : 1) / length
      result.append(row.map { $0 * factor })
    }
    return result
  }

  /// The parameters that a direction is made of most, with their signed weights.
  package func loadings(_ axis: Int, names: [String], most: Int = 3) -> [(name: String, weight: Double)] {
    let direction = directions[axis]
    let order = direction.indices.sorted {
      abs(direction[$0]) != abs(direction[$1]) ? abs(direction[$0]) > abs(direction[$1]) : $0 < $1
    }
    return order.prefix(most).map { (names[$0], direction[$0]) }
  }
}
