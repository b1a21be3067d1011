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
    case .base: return base(samples: samples, kind: kind)
    case .rows(let rows): return self.rows(rows.count, samples: samples, kind: kind)
    }
  }

  /// The mixture's score costs one distance and one exponential for every component; with full covariances two
  /// triangular solves.
  func base(samples: Double, kind: JobKind) -> Double {
    let dimension = Double(problem.dimension)
    let scored = kind == .curvature || kind == .points ? 0 : Double(problem.components)
    let distance = problem.fullCovariances ? 2 * dimension * dimension : 4 * dimension
    return samples * (scored * (distance + 25) + evaluations(kind) * 60 * dimension) + change(samples, kind)
  }

  /// Two matrix products for a gradient, one for values; and the link function for every logit.
  ///
  /// A network has `hidden (columns + 2) + 1` parameters, so d/columns exceeds its hidden units by the factor
  /// 1 + 2/columns, which pays for the passes over them: measured, an estimated operation takes 0.4 to 0.8 times as
  /// long as one of a softmax with as many classes (10 and 54 columns).
  func rows(_ rows: Int, samples: Double, kind: JobKind) -> Double {
    rowEvaluations(rows, samples: samples, kind: kind) * evaluations(kind) + change(samples, kind)
  }

  /// A curvature takes each gradient twice, at a sample and at its mirror image.
  private func evaluations(_ kind: JobKind) -> Double { kind == .curvature ? 2 : 1 }

  /// What the change of coordinates costs, or the spread of full covariances, and outer products.
  private func change(_ samples: Double, _ kind: JobKind) -> Double {
    guard problem.metric == .dense || problem.fullCovariances, kind != .points else { return 0 }
    return samples * Double(problem.dimension * problem.dimension) * (kind == .curvature ? 4 : 2)
  }

  private func rowEvaluations(_ rows: Int, samples: Double, kind: JobKind) -> Double {
    let columns = Double(max(problem.columns, 1))
    let outputs = Double(max(1, problem.dimension / max(problem.columns, 1)))
    let products = kind == .objective || kind == .prediction ? 2.0 : 4.0
    return samples * Double(rows) * outputs * (products * columns + 20)
  }
}
