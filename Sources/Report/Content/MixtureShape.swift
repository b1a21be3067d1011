import Mixtures
import NumericsKit
import Reporting

/// A fitted mixture with what its plots need: the components' spreads along any coordinate or direction.
package struct MixtureShape {
  package let fitted: FittedMixture
  package let metric: Metric
  /// Standard deviations of each coordinate for a component of variance 1, `[d]`.
  private let scales: [Double]
  package var count: Int { fitted.components }
  package var dimension: Int { fitted.dimension }
  /// Whether each coordinate has a mixture of its own, so that no component has a place in all of them.
  package var isFactorized: Bool { fitted.factorization == .coordinates }

  /// - Throws: ``ReportingError`` when the metric can't be used.
  package init(_ fitted: FittedMixture) throws {
    self.fitted = fitted
    metric = try fitted.coordinates()
    scales = metric.scales
  }

  /// The marginal distribution of a coordinate.
  package func marginal(_ k: Int) -> Marginal {
    let deviations: [Double]
    if let factors = fitted.covarianceFactors {
      deviations = factors.map { $0[k].reduce(0) { $0 + $1 * $1 }.squareRoot() }
    } else if let variances = fitted.coordinateVariances {
      deviations = variances.map { $0[k].squareRoot() }
    } else {
      deviations = fitted.variances.map { $0.squareRoot() * scales[k] }
    }
    return Marginal(means: fitted.means.map { $0[k] }, deviations: deviations)
  }

  /// The covariance of a component along two directions `[2][d]`: `(xx, xy, yy)`. Not for mixtures of coordinates, which
  /// have no such components.
  package func covariance(of component: Int, along directions: [[Double]]) -> (Double, Double, Double) {
    let rows: [[Double]]
    if let factors = fitted.covarianceFactors {
      let f = factors[component]
      rows = directions.map { direction in
        var row = [Double](repeating: 0, count: dimension)
        for k in 0..<dimension where direction[k] != 0 {
          for j in 0...k { row[j] += direction[k] * f[k][j] }
        }
        return row
      }
    } else {
      let deviation = fitted.variances[component].squareRoot()
      let turned = metric.gradients(of: directions.flatMap { $0 }, count: directions.count)
      rows = directions.indices.map { index in
        turned[index * dimension..<(index + 1) * dimension].map { $0 * deviation }
      }
    }
    func product(_ a: Int, _ b: Int) -> Double { zip(rows[a], rows[b]).reduce(0) { $0 + $1.0 * $1.1 } }
    return (product(0, 0), product(0, 1), product(1, 1))
  }

  /// `Cov θ · x` for rows x `[count][d]`: of the mixture as a whole.
  package func covarianceProduct(_ rows: [[Double]], mean: [Double]) -> [[Double]] {
    if isFactorized {
      // Coordinates are independent.
      let variances = (0..<dimension).map { k in
        let deviation = marginal(k).standardDeviation
        return deviation * deviation
      }
      return rows.map { row in zip(variances, row).map { $0 * $1 } }
    }
    let weight = 1 / Double(count)
    var result = rows.map { _ in [Double](repeating: 0, count: dimension) }
    if let factors = fitted.covarianceFactors {
      for f in factors {
        for r in rows.indices {
          var inner = [Double](repeating: 0, count: dimension)
          for k in 0..<dimension { for j in 0...k { inner[j] += f[k][j] * rows[r][k] } }
          for k in 0..<dimension {
            var sum = 0.0
            for j in 0...k { sum += f[k][j] * inner[j] }
            result[r][k] += weight * sum
          }
        }
      }
    } else {
      let variance = fitted.variances.reduce(0) { $0 + $1 * weight }
      let flat = rows.flatMap { $0 }
      let spread = metric.directions(of: metric.gradients(of: flat, count: rows.count), count: rows.count)
      for r in rows.indices {
        for k in 0..<dimension { result[r][k] = variance * spread[r * dimension + k] }
      }
    }
    for m in fitted.means {
      for r in rows.indices {
        var along = 0.0
        for k in 0..<dimension { along += (m[k] - mean[k]) * rows[r][k] }
        for k in 0..<dimension { result[r][k] += weight * along * (m[k] - mean[k]) }
      }
    }
    return result
  }

  /// The mean of the mixture, `[d]`.
  package var mean: [Double] {
    var sum = [Double](repeating: 0, count: dimension)
    for m in fitted.means { for k in 0..<dimension { sum[k] += m[k] / Double(count) } }
    return sum
  }
}
