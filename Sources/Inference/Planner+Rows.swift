import Posteriors

extension Planner {
  /// Rows of one job of predictions, at most: what is in memory at once.
  static let rowsPerJob = 65_536
  /// Numbers of one job's results, at most, unless a single tile has more.
  static let numbersPerJob = 1 << 20
  /// Rows of a tile of predictions, at most.
  static let predictedRowsPerTile = 1024

  /// Cuts predictions into jobs of consecutive rows, and those into tiles that don't cross shards.
  /// - Parameter width: numbers of a row.
  public static func rows(_ problem: ProblemSize, draws: Int?, width: Int) -> JobPlan {
    var plan = JobPlan(
      kind: .rows, components: problem.components, samples: draws ?? 1, rows: rowsPerJob,
      unitWidth: width, factorization: problem.factorization, componentsPerBlock: problem.components,
      samplesPerTile: draws ?? 1,
      rowsPerTile: min(predictedRowsPerTile, problem.testRowsPerShard))
    let costs = CostModel(problem)
    while plan.rowsPerTile > 1,
      plan.rowsPerTile * width > numbersPerJob / 4
        || costs.cost(of: plan.tile(block: 0, leaf: 0), kind: .rows) > heaviestTileCost / 4
    { plan.rowsPerTile /= 2 }
    while plan.rows > plan.rowsPerTile, plan.rows * width > numbersPerJob { plan.rows /= 2 }
    return plan
  }
}

extension JobPlan {
  /// Jobs that predictions of so many rows take.
  public func jobs(rows count: Int) -> Int { ceilingDivision(count, rows) }

  /// The rows of one job of predictions.
  public func rows(ofJob job: Int, of count: Int) -> Range<Int> { job * rows..<min((job + 1) * rows, count) }
}
