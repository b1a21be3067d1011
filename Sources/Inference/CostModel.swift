import NumericsKit

/// Estimated floating-point operations of a tile. Decides how work is cut and handed out, never a result.
public struct CostModel: Sendable {
  private let problem: ProblemSize

  /// What one evaluation of somebody else's code is taken to cost, in floating-point operations: some tenths of a
  /// millisecond. It may be a microsecond or a second; a measured cost would make the plan, and with it the bits, depend on
  /// the machine. So tiles are small: sixteen samples, unless there are very many.
  public static let foreignEvaluation = 1e6

  /// Times that a stored number of a sparse row takes, against one of a dense row.
  static let sparseProduct = 4.0
  /// Operations for every column of a coefficient vector, whatever the rows: it is transposed for sparse rows, and so is
  /// its gradient. Measured, as the number above, against the dense matrix product.
  static let transposition = 50.0

  public init(_ problem: ProblemSize) { self.problem = problem }

  /// Cost of a tile of a job.
  public func cost(of tile: Tile, kind: JobKind) -> Double {
    let samples =
      kind == .rows
      ? Double(max(tile.samples.count, 16 * tile.components.count))
      : kind == .prediction
        ? Double(tile.samples.count) : Double(tile.components.count) * Double(tile.samples.count)
    switch tile.part {
    case .base: return base(samples: samples, kind: kind)
    case .rows(let rows): return self.rows(rows.count, samples: samples, kind: kind)
    }
  }

  /// One gradient over all rows, and a pair of them for a curvature.
  var gradientOverRows: Double { rows(problem.rows, samples: 1, kind: .points) }
  var pairOverRows: Double { rows(problem.rows, samples: 1, kind: .curvature) }

  /// The mixture's score costs one distance and one exponential for every component; with full covariances two
  /// triangular solves; with a mixture for each coordinate, that for each of them.
  func base(samples: Double, kind: JobKind) -> Double {
    let dimension = Double(problem.dimension)
    if problem.factorization == .coordinates, kind != .points {
      return samples * dimension * (12 * Double(problem.components) + 60)
    }
    let unscored: [JobKind] = [.curvature, .points, .rows, .reference]
    let scored = unscored.contains(kind) ? 0 : Double(problem.components)
    let distance = problem.fullCovariances ? 2 * dimension * dimension : 4 * dimension
    return samples
      * (scored * (distance + 25) + evaluations(kind) * (problem.evaluationCost ?? 60 * dimension))
      + change(samples, kind)
  }

  /// Two matrix products for a gradient, one for values; and the link function for every logit.
  ///
  /// A network has `hidden (columns + 2) + 1` parameters, so d/columns exceeds its hidden units by the factor
  /// 1 + 2/columns, which pays for the passes over them: measured, an estimated operation takes 0.4 to 0.8 times as
  /// long as one of a softmax with as many classes (10 and 54 columns).
  /// Networks of other shapes say what they cost (``RowOperations``): an estimated operation takes 1.6 to 2.4 times as long
  /// as in the paper's network, so about as long as one of a softmax.
  func rows(_ rows: Int, samples: Double, kind: JobKind) -> Double {
    rowEvaluations(rows, samples: samples, kind: kind) * evaluations(kind) + change(samples, kind)
  }

  /// A curvature takes each gradient twice, at a sample and at its mirror image.
  private func evaluations(_ kind: JobKind) -> Double { kind == .curvature ? 2 : 1 }

  /// What the change of coordinates costs, or the spread of full covariances, and outer products.
  private func change(_ samples: Double, _ kind: JobKind) -> Double {
    guard problem.metric == .dense || problem.fullCovariances, kind != .points, kind != .reference
    else { return 0 }
    return samples * Double(problem.dimension * problem.dimension) * (kind == .curvature ? 4 : 2)
  }

  private func rowEvaluations(_ rows: Int, samples: Double, kind: JobKind) -> Double {
    if let cost = problem.evaluationCost { return samples * Double(rows) * cost }
    let passes = kind == .objective || kind == .prediction || kind == .rows ? 1.0 : 2.0
    if problem.nonzerosPerRow == nil, let operations = problem.rowOperations {
      return samples * Double(rows)
        * (2 * passes * Double(operations.products) + 20 * Double(operations.functions))
    }
    let columns = Double(max(problem.columns, 1))
    let outputs = Double(max(1, problem.dimension / max(problem.columns, 1)))
    if let stored = problem.nonzerosPerRow {
      let products = CostModel.sparseProduct * 2 * passes * Double(stored)
      return samples * outputs
        * (Double(rows) * (products + 20) + passes * CostModel.transposition * columns)
    }
    return samples * Double(rows) * outputs * (2 * passes * columns + 20)
  }
}
