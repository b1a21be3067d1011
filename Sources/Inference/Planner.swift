import NumericsKit
import Posteriors

/// Chooses how to cut a problem: by rows when there are many, by components and samples otherwise.
///
/// The choice depends on the problem alone, never on the number of workers, because it decides the order of
/// additions and with it the bits of the result.
public enum Planner {
  /// Samples (components × samples of each) that a tile has at most: enough to fill matrix products, few enough
  /// for their operands to stay in a core's cache.
  static let samplesPerTile = 512
  /// Samples that a tile has at least before another axis is cut.
  static let minimumSamplesPerTile = 64
  /// Rows that a tile starts with, and has at least.
  static let rowsPerTile = 4096
  static let minimumRowsPerTile = 128
  /// More tiles than this serve no cluster that we know, unless they are large.
  static let wantedTiles = 64
  static let manyTiles = 1024
  /// Tiles are not cut below this cost, in floating-point operations: some ten microseconds.
  static let smallestTileCost = 5e5
  /// Tiles above this cost (some milliseconds) are cut even when there are many.
  static let largestTileCost = 5e7
  /// Tiles are cut below this cost whatever their number: a second or so, far from the silence after which a
  /// worker is given up, because a worker is heard between tiles only.
  static let heaviestTileCost = 1e9
  /// Memory of one array of a tile's samples, at most.
  static let tileBytes = 32 << 20
  /// More tiles than this a block would make trees and messages long.
  static let maximumRowTiles = 4096

  /// The plan of a problem.
  public static func plan(_ problem: ProblemSize) -> Plan {
    let perComponent = max(2, ceilingDivision(problem.objectiveDraws, problem.components))
    return Plan(
      version: Plan.currentVersion, problem: problem,
      gradient: cut(problem, kind: .gradient, samples: problem.samples),
      objective: cut(problem, kind: .objective, samples: perComponent),
      prediction: problem.testRows > 0 ? predictionPlan(problem) : nil,
      curvature: problem.curvaturePairs > 0
        ? cut(problem, kind: .curvature, samples: problem.curvaturePairs) : nil,
      points: problem.searchPoints > 0 ? cut(problem, kind: .points, samples: 1) : nil,
      reference: problem.minibatch?.hasControlVariate == true
        ? cut(problem, kind: .reference, samples: 1) : nil)
  }

  private static func cut(_ problem: ProblemSize, kind: JobKind, samples: Int) -> JobPlan {
    let costs = CostModel(problem)
    let components = kind == .points ? problem.searchPoints : problem.components
    var plan = JobPlan(
      kind: kind, components: components, samples: samples, rows: problem.rows,
      unitWidth: JobPlan.unitWidth(kind, problem), factorization: problem.factorization,
      componentsPerBlock: max(1, min(components, samplesPerTile / samples, componentsOfSums(problem, kind))),
      samplesPerTile: min(samples, samplesPerTile),
      rowsPerTile: rowsPerTile(problem.rows, shard: problem.rowsPerShard, fewest: fewestRows(problem)))
    if kind == .gradient, let batch = problem.minibatch?.rows { cutBatch(&plan, rows: batch, problem) }
    while true {
      let samplesOfTile = plan.componentsPerBlock * plan.samplesPerTile
      let rowCost = costs.rows(
        min(plan.rowsPerTile, problem.rows), samples: Double(samplesOfTile), kind: kind)
      let baseCost = costs.base(samples: Double(samplesOfTile), kind: kind)
      let cost = max(rowCost, baseCost)
      let tiles = plan.blockCount * plan.tilesPerBlock
      // With many components the rows' tiles are light, and don't even out who has one heavy tile more.
      let worth =
        kind == .gradient && baseCost > rowCost ? evenTiles(plan, base: baseCost, rows: rowCost) : tiles
      let isCoarse =
        (worth < wantedTiles && cost > 2 * smallestTileCost)
        || (tiles < manyTiles && cost > largestTileCost)
      let isHeavy =
        cost > heaviestTileCost || samplesOfTile * problem.dimension * 8 > tileBytes
      guard isCoarse || isHeavy,
        halve(
          &plan, rowsMatter: rowCost >= baseCost, samplesOfTile: samplesOfTile, mustCut: isHeavy,
          fewestRows: fewestRows(problem))
      else { return plan }
    }
  }

  /// How many of a gradient's base tiles cost what all its tiles do, rounded up.
  private static func evenTiles(_ plan: JobPlan, base: Double, rows: Double) -> Int {
    let others = plan.blockCount * plan.tilesPerBlock - plan.baseTiles
    return plan.baseTiles + Int((Double(others) * rows / base).rounded(.up))
  }

  /// Components whose sums fit into a tile's memory: with full covariances they are larger than the samples.
  private static func componentsOfSums(_ problem: ProblemSize, _ kind: JobKind) -> Int {
    guard problem.fullCovariances, kind == .gradient else { return .max }
    return tileBytes / (8 * JobPlan.unitWidth(kind, problem))
  }

  /// Halves the axis that has most to give; false when none can be cut further.
  /// - Parameter mustCut: cut samples down to single ones if nothing else helps.
  private static func halve(
    _ plan: inout JobPlan, rowsMatter: Bool, samplesOfTile: Int, mustCut: Bool, fewestRows: Int
  ) -> Bool {
    let canCutRows = rowsMatter && plan.rows > 0 && plan.rowsPerTile > fewestRows
    if canCutRows, plan.rowsPerTile > 1024 || samplesOfTile <= minimumSamplesPerTile {
      plan.rowsPerTile /= 2
      return true
    }
    let fewest = mustCut ? 1 : 16
    let enoughSamples = samplesOfTile > minimumSamplesPerTile || (!canCutRows && samplesOfTile > fewest)
    // A tile with all places of a pair of blocks makes their permutations once.
    if enoughSamples, plan.factorization == .coordinates, plan.samplesPerTile > 2 {
      plan.samplesPerTile = 2 * ceilingDivision(plan.samplesPerTile, 4)
      return true
    }
    if enoughSamples, plan.componentsPerBlock > 1 {
      plan.componentsPerBlock = ceilingDivision(plan.componentsPerBlock, 2)
      return true
    }
    if enoughSamples, plan.samplesPerTile > fewest {
      plan.samplesPerTile = ceilingDivision(plan.samplesPerTile, 2)
      return true
    }
    guard canCutRows else { return false }
    plan.rowsPerTile /= 2
    return true
  }

  /// Rows that a tile is not cut below. With few sparse rows the transposition of all columns would take longer than
  /// the rows do: a power of two with which it takes at most a quarter.
  private static func fewestRows(_ problem: ProblemSize) -> Int {
    guard let stored = problem.nonzerosPerRow else { return minimumRowsPerTile }
    var rows = minimumRowsPerTile
    while Double(rows * stored) * 2 * CostModel.sparseProduct < 3 * CostModel.transposition
      * Double(problem.columns)
    { rows *= 2 }
    return rows
  }

  /// A power of two that divides a shard: tiles never cross shards.
  private static func rowsPerTile(_ rows: Int, shard: Int, fewest: Int = minimumRowsPerTile) -> Int {
    guard rows > 0 else { return 1 }
    var size = min(max(rowsPerTile, fewest), max(shard, 1))
    while size < shard, ceilingDivision(rows, size) > maximumRowTiles { size *= 2 }
    while size > minimumRowsPerTile, size / 2 >= rows { size /= 2 }
    return size
  }

  /// Every component gets equally many draws, or, with more components than draws, the same chance of one.
  private static func predictionPlan(_ problem: ProblemSize) -> JobPlan {
    let draws =
      problem.components <= problem.predictionDraws
      ? problem.components * ceilingDivision(problem.predictionDraws, problem.components)
      : problem.predictionDraws
    var plan = JobPlan(
      kind: .prediction, components: problem.components, samples: draws,
      rows: problem.testRows, unitWidth: JobPlan.unitWidth(.prediction, problem),
      factorization: problem.factorization,
      componentsPerBlock: problem.components, samplesPerTile: draws,
      rowsPerTile: min(
        rowsPerTile(problem.testRows, shard: problem.testRowsPerShard),
        problem.nonzerosPerRow == nil ? minimumRowsPerTile * 4 : rowsPerTile))
    let costs = CostModel(problem)
    while plan.rowsPerTile > 1,
      costs.rows(plan.rowsPerTile, samples: Double(draws), kind: .prediction) > heaviestTileCost
    { plan.rowsPerTile /= 2 }
    return plan
  }
}
