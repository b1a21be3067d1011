import NumericsKit

/// The generalised Pareto distribution of excesses x ≥ 0, with distribution function `1 − (1 + k x/σ)^(−1/k)`.
struct GeneralizedPareto: Sendable, Equatable {
  /// k; the moments of order below 1/k are finite.
  let shape: Double
  /// σ.
  let scale: Double

  /// Weight of the prior that pulls k towards ``priorShape``, in observations (Vehtari et al. 2024, appendix G).
  private static let priorCount = 10.0
  private static let priorShape = 0.5
  /// Zhang and Stephens' constants: where the grid lies, and its smallest size.
  private static let gridScale = 3.0
  private static let smallestGrid = 30
  /// Points of the grid with less weight are left out.
  private static let negligibleWeight = 10 * Double.ulpOfOne

  /// Fits by the empirical Bayes estimate of Zhang and Stephens (Technometrics 51, 2009) and shrinks k to
  /// `(n k + 10 · ½)/(n + 10)`; nil when the excesses admit no fit.
  ///
  /// - Parameter excesses: n > 0 numbers in ascending order.
  init?(fittedTo excesses: [Double]) {
    let count = Double(excesses.count)
    guard let largest = excesses.last, largest > 0 else { return nil }
    let quartile = excesses[max(0, Int(count / 4 + 0.5) - 1)]
    guard quartile > 0 else { return nil }

    let gridSize = Self.smallestGrid + Int(count.squareRoot())
    let grid = (0..<gridSize).map { index -> Double in
      let ratio = Double(gridSize) / (Double(index) + 0.5)
      return (1 - ratio.squareRoot()) / (Self.gridScale * quartile) + 1 / largest
    }
    let profile = grid.map { b -> Double in
      let k = Self.meanLog(excesses, b)
      return count * (VectorMath.logarithm(-b / k) - k - 1)
    }
    guard let best = profile.max(), best.isFinite else { return nil }
    var weights = profile.map { VectorMath.exponential($0 - best) }
    let total = weights.reduce(0, +)
    weights = weights.map { $0 / total >= Self.negligibleWeight ? $0 / total : 0 }
    let kept = weights.reduce(0, +)
    let b = zip(grid, weights).reduce(0) { $0 + $1.0 * ($1.1 / kept) }
    let k = Self.meanLog(excesses, b)
    shape = (count * k + Self.priorCount * Self.priorShape) / (count + Self.priorCount)
    scale = -k / b
    guard shape.isFinite, scale.isFinite, scale > 0 else { return nil }
  }

  /// The quantile at a probability in (0, 1): `σ ((1 − p)^(−k) − 1)/k`.
  func quantile(_ probability: Double) -> Double {
    let logTail = Elementary.log1p(-probability)
    guard abs(shape) >= .ulpOfOne else { return -scale * logTail }
    return scale * Elementary.expm1(-shape * logTail) / shape
  }

  /// `mean_s log(1 − b x_s)`.
  private static func meanLog(_ excesses: [Double], _ b: Double) -> Double {
    excesses.reduce(0) { $0 + Elementary.log1p(-b * $1) } / Double(excesses.count)
  }
}
