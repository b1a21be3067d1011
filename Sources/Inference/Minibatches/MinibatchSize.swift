import Specification

/// As much of a spec's minibatch as a plan depends on.
public struct MinibatchSize: Sendable, Hashable, Codable {
  /// Rows of a batch, about.
  public var rows: Int
  public var hasControlVariate: Bool

  public init(rows: Int, hasControlVariate: Bool) {
    self.rows = rows
    self.hasControlVariate = hasControlVariate
  }

  /// Nil for nil.
  init?(_ specification: MinibatchSpecification?) {
    guard let specification else { return nil }
    self.init(rows: specification.rows, hasControlVariate: specification.hasControlVariate)
  }
}

extension Plan {
  /// Whether gradients and reference points are cut as the problem's minibatch asks, and nothing else is.
  var hasConsistentBatches: Bool {
    gradient.batchRows == problem.minibatch?.rows
      && [objective, prediction, curvature, points, reference].allSatisfy { $0?.batchRows == nil }
      && (reference != nil) == (problem.minibatch?.hasControlVariate ?? false)
      && (reference?.kind ?? .reference) == .reference && (reference?.rows ?? problem.rows) == problem.rows
      && (reference?.samples ?? 1) == 1
  }
}

extension Planner {
  /// Tiles that a batch has at least, so that there is work for several threads.
  private static let fewestBatchTiles = 4
  /// Where the search for a tile's size begins.
  private static let mostBatchTiles = 16
  /// Fewer rows leave a matrix product nothing to do.
  private static let smallestBatchTile = 16

  /// Sizes the row tiles of a gradient for batches: small enough that a batch has several, large enough to be worth
  /// handing out. Rows are shuffled, so that those of one tile are as good a sample as any.
  static func cutBatch(_ plan: inout JobPlan, rows: Int, _ problem: ProblemSize) {
    let costs = CostModel(problem)
    let samples = Double(plan.componentsPerBlock * plan.samplesPerTile)
    let shard = max(1, problem.rowsPerShard)
    var size = 1
    while 2 * size <= min(rows, shard),
      2 * size <= max(smallestBatchTile, min(rows / mostBatchTiles, rowsPerTile))
    { size *= 2 }
    while 2 * size <= min(rows / fewestBatchTiles, shard, rowsPerTile),
      costs.rows(size, samples: samples, kind: .gradient) < smallestTileCost
    { size *= 2 }
    plan.rowsPerTile = size
    plan.batchRows = rows
  }
}
