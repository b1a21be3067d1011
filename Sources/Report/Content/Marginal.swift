import NumericsKit

/// The marginal distribution of one parameter under a mixture of equally weighted Gaussians: exact.
package struct Marginal: Sendable {
  package let means: [Double]
  package let deviations: [Double]

  package init(means: [Double], deviations: [Double]) {
    (self.means, self.deviations) = (means, deviations)
  }

  package var mean: Double { means.reduce(0) { $0 + $1 / Double(means.count) } }

  package var standardDeviation: Double {
    let centre = mean
    return zip(means, deviations).reduce(0) {
      let offset = $1.0 - centre
      return $0 + ($1.1 * $1.1 + offset * offset) / Double(means.count)
    }.squareRoot()
  }

  /// One component's density times its weight.
  package func density(_ component: Int, at x: Double) -> Double {
    let s = deviations[component]
    return NormalCurve.density((x - means[component]) / s) / s / Double(means.count)
  }

  package func density(at x: Double) -> Double { means.indices.reduce(0) { $0 + density($1, at: x) } }

  package func cumulative(at x: Double) -> Double {
    means.indices.reduce(0) { $0 + NormalCurve.cumulative((x - means[$1]) / deviations[$1]) }
      / Double(means.count)
  }

  /// The quantile at a probability in (0, 1): Newton's steps, kept inside a bracket that shrinks.
  package func quantile(_ p: Double) -> Double {
    var (low, high) = (Double.infinity, -Double.infinity)
    for (m, s) in zip(means, deviations) { (low, high) = (min(low, m - 9 * s), max(high, m + 9 * s)) }
    let (centre, spread) = (mean, standardDeviation)
    var x = min(max(centre + spread * NormalCurve.quantile(p), low), high)
    for _ in 0..<200 {
      let error = cumulative(at: x) - p
      if abs(error) < 1e-10 { return x }
      if error > 0 { high = x } else { low = x }
      let next = x - error / max(density(at: x), 1e-300)
      x = next > low && next < high ? next : (low + high) / 2
      if high - low <= 1e-12 * max(abs(low), abs(high)) { return x }
    }
    return x
  }
}
