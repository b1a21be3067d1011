import NumericsKit

/// A mixture of Gaussians in a plane, equally weighted: a fit of two parameters, or a projection of a larger one, which
/// is exact because a projected Gaussian is one.
package struct PlanarMixture {
  package struct Component {
    package var x: Double
    package var y: Double
    package var xx: Double
    package var xy: Double
    package var yy: Double

    package init(x: Double, y: Double, xx: Double, xy: Double, yy: Double) {
      (self.x, self.y, self.xx, self.xy, self.yy) = (x, y, xx, xy, yy)
    }
  }

  package let components: [Component]

  package init(components: [Component]) { self.components = components }

  package func density(_ x: Double, _ y: Double) -> Double {
    var sum = 0.0
    for c in components {
      let determinant = c.xx * c.yy - c.xy * c.xy
      guard determinant > 0 else { continue }
      let (dx, dy) = (x - c.x, y - c.y)
      let square = (c.yy * dx * dx - 2 * c.xy * dx * dy + c.xx * dy * dy) / determinant
      guard square < 100 else { continue }
      sum += VectorMath.exponential(-0.5 * square) / (6.283185307179586 * determinant.squareRoot())
    }
    return sum / Double(components.count)
  }

  /// The extent that holds all but a little of the mixture, along x and y.
  package var extent: (x: (Double, Double), y: (Double, Double)) {
    let across = Marginal(means: components.map(\.x), deviations: components.map { $0.xx.squareRoot() })
    let along = Marginal(means: components.map(\.y), deviations: components.map { $0.yy.squareRoot() })
    return ((across.quantile(0.002), across.quantile(0.998)), (along.quantile(0.002), along.quantile(0.998)))
  }

  /// A closed curve around a component, so many standard deviations from its mean.
  package func ellipse(_ index: Int, deviations: Double = 1, points: Int = 40) -> [(Double, Double)] {
    let c = components[index]
    // The Cholesky factor turns a circle into the ellipse.
    let a = c.xx.squareRoot()
    let b = c.xy / a
    let e = max(0, c.yy - b * b).squareRoot()
    return (0...points).map { step in
      let angle = 2 * Double.pi * Double(step % points) / Double(points)
      let (u, v) = (deviations * PlanarMixture.cosine(angle), deviations * PlanarMixture.sine(angle))
      return (c.x + a * u, c.y + b * u + e * v)
    }
  }

  /// By their series, which are short between 0 and 2π: enough for a drawing.
  private static func sine(_ x: Double) -> Double {
    let reduced = x > .pi ? x - 2 * .pi : x
    var (term, sum) = (reduced, reduced)
    for n in 1..<14 {
      term *= -reduced * reduced / Double(2 * n * (2 * n + 1))
      sum += term
    }
    return sum
  }
  private static func cosine(_ x: Double) -> Double {
    sine(x + .pi / 2 > 2 * .pi ? x - 1.5 * .pi : x + .pi / 2)
  }
}
