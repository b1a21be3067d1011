import NumericsKit

extension TileJob {
  /// The minibatch of a job and what it is compared with; nil for jobs that use all rows.
  /// - Throws: ``FitError`` when the coordinator sent a control variate that the run can't have.
  static func batch(
    of problem: Problem, _ plan: JobPlan, kind: JobKind, iteration: Int, variate: ControlVariate?
  ) throws -> (batch: [Int]?, variate: ControlVariate?) {
    guard variate == nil || problem.plan.reference != nil else {
      throw FitError(.software, "the coordinator sent a control variate, and this run has none")
    }
    guard kind == .gradient, plan.batchRows != nil else { return (nil, nil) }
    let noise = Noise(seed: problem.specification.inference.seed)
    return (Minibatch.draw(plan.drawnTiles, of: plan.rowTiles, iteration: iteration, noise: noise), variate)
  }

  /// The tile at a leaf of a block's tree.
  func tile(block: Int, leaf: Int) -> Tile { TileJob.tile(plan, batch: batch, block: block, leaf: leaf) }

  /// The tile at a leaf of a block's tree, where the gradient is estimated from a batch of row tiles or from all.
  static func tile(_ plan: JobPlan, batch: [Int]?, block: Int, leaf: Int) -> Tile {
    var tile = plan.tile(block: block, leaf: leaf)
    if let batch, tile.part != .base {
      tile.part = plan.tilePart(1 + batch[leaf % (1 + batch.count) - 1])
    }
    return tile
  }

  /// What sums over the batch's rows are multiplied by: M/m.
  var batchScale: Double { batch.map { Double(plan.rowTiles) / Double($0.count) } ?? 1 }
}
