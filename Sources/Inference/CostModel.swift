import NumericsKit

/// Estimated floating-point operations of a tile. Decides how work is cut and handed out, never a result.
public struct CostModel: Sendable {
  private let problem: ProblemSize

  public init(_ problem: ProblemSize) { self.problem = problem }

  /// Cost of a tile of a job.
  public func cost(of tile: Tile, kind: JobKind) -> Double {
    let samples =
      kind == .prediction
      ? Double(tile.samples.count) : Double(tile.components.count) * Double(tile.samples.count)
    switch tile.part {
    case .base: return base(samples: samples)
    case .rows(let rows): return self.rows(rows.count, samples: samples, kind: kind)
    }
  }

  /// The mixture's score costs one distance and one exponential for every component.
  func base(samples: Double) -> Double {
    let dimension = Double(problem.dimension)
    return samples * (Double(problem.components) * (4 * dimension + 25) + 60 * dimension)
  }

  /// Two matrix products for a gradient, one for values; and the link function for every logit.
  func rows(_ rows: Int, samples: Double, kind: JobKind) -> Double {
    let columns = Double(max(problem.columns, 1))
    let outputs = Double(max(1, problem.dimension / max(problem.columns, 1)))
    let products = kind == .gradient ? 4.0 : 2.0
    return samples * Double(rows) * outputs * (products * columns + 20)
  }
}
