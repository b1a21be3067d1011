import Posteriors

/// A noisy ring in the plane: `V(x) = (‖x‖ − radius)² / (2 width²)`, not normalised.
struct Ring: PointDensity {
  let dimension = 2
  let parameterNames = ["x", "y"]
  private let radius: Double
  private let precision: Double

  init(radius: Double, width: Double) throws {
    guard radius > 0, width > 0 else {
      throw PosteriorError(code: .range, message: "a ring's radius and width must be positive")
    }
    self.radius = radius
    precision = 1 / (width * width)
  }

  func evaluate(_ x: UnsafeBufferPointer<Double>, gradient: UnsafeMutableBufferPointer<Double>?) -> Double {
    // + − × ÷ and √ give the same bits everywhere.
    let distance = (x[0] * x[0] + x[1] * x[1]).squareRoot()
    let excess = distance - radius
    if let gradient, distance > 0 {
      for k in 0..<2 { gradient[k] = precision * excess * x[k] / distance }
    }
    return 0.5 * precision * excess * excess
  }
}
