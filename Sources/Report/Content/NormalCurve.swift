import NumericsKit

/// The standard normal distribution.
package enum NormalCurve {
  /// φ(z).
  package static func density(_ z: Double) -> Double {
    0.3989422804014327 * VectorMath.exponential(-0.5 * z * z)
  }

  /// Φ(z), within 1e-15 or so: the rational approximation and the continued fraction of G. West, "Better approximations
  /// to cumulative normal functions", Wilmott 2005, after Hart.
  package static func cumulative(_ z: Double) -> Double {
    let x = abs(z)
    guard x < 37 else { return z > 0 ? 1 : 0 }
    let e = VectorMath.exponential(-0.5 * x * x)
    let tail: Double
    if x < 7.07106781186547 {
      let numerator = horner(
        x,
        [
          3.52624965998911e-02, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871,
          221.213596169931, 220.206867912376,
        ])
      let denominator = horner(
        x,
        [
          8.83883476483184e-02, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674,
          637.333633378831, 793.826512519948, 440.413735824752,
        ])
      tail = e * numerator / denominator
    } else {
      let fraction = x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))))
      tail = e / fraction / 2.506628274631
    }
    return z > 0 ? 1 - tail : tail
  }

  private static func horner(_ x: Double, _ coefficients: [Double]) -> Double {
    coefficients.reduce(0) { $0 * x + $1 }
  }

  /// Φ⁻¹(p) by Newton's steps from a rough start, for plots.
  package static func quantile(_ p: Double) -> Double {
    guard p > 0, p < 1 else { return p <= 0 ? -.infinity : .infinity }
    var (low, high) = (-38.0, 38.0)
    var z = 0.0
    for _ in 0..<100 {
      let error = cumulative(z) - p
      if error > 0 { high = z } else { low = z }
      let step = error / max(density(z), 1e-300)
      let next = z - step
      let moved = next > low && next < high ? next : (low + high) / 2
      if abs(moved - z) < 1e-13 * max(1, abs(z)) { return moved }
      z = moved
    }
    return z
  }
}
