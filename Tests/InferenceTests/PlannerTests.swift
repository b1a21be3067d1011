import Inference
import NumericsKit
import Posteriors
import TestKit
import Testing

@Suite("The plan")
struct PlannerTests {
  private func size(
    components: Int, dimension: Int, samples: Int = 10, objectiveDraws: Int = 1000,
    predictionDraws: Int = 1000,
    rows: Int = 0, shard: Int = 65536, testRows: Int = 0, columns: Int? = nil
  ) -> ProblemSize {
    ProblemSize(
      components: components, dimension: dimension, samples: samples, objectiveDraws: objectiveDraws,
      predictionDraws: predictionDraws, rows: rows, rowsPerShard: rows > 0 ? shard : 0, testRows: testRows,
      testRowsPerShard: testRows > 0 ? shard : 0, columns: rows > 0 ? columns ?? dimension : 0)
  }

  private func random(using generator: inout SeededGenerator) -> ProblemSize {
    func upTo(_ limit: Int) -> Int {
      // Small and large numbers alike.
      let exponent = Double.random(in: 0...1, using: &generator)
      var value = 1.0
      for _ in 0..<Int(exponent * 20) { value *= Double(limit) > value * 2 ? 2 : 1 }
      return min(limit, Int(value) + Int.random(in: 0...Int(value), using: &generator))
    }
    let hasData = Bool.random(using: &generator)
    let dimension = upTo(40)
    return size(
      components: upTo(60), dimension: dimension, samples: upTo(200), objectiveDraws: upTo(1500),
      predictionDraws: upTo(300), rows: hasData ? upTo(20_000) : 0,
      shard: 1 << Int.random(in: 4...14, using: &generator),
      testRows: hasData && Bool.random(using: &generator) ? upTo(3000) : 0)
  }

  @Test("sparse rows are not cut into tiles whose columns outweigh their numbers")
  func sparseRows() {
    var problem = size(components: 5, dimension: 10_000, rows: 20_000, shard: 32_768, testRows: 3000)
    let dense = Planner.plan(problem)
    problem.nonzerosPerRow = 50
    let sparse = Planner.plan(problem)
    #expect(dense.gradient.rowsPerTile <= 1024)
    #expect(sparse.gradient.rowsPerTile >= 2048 && sparse.gradient.rowsPerTile <= 32_768)
    for plan in [sparse.gradient, sparse.objective] { checkPartition(plan, shard: 32_768, "sparse") }
    let tile = sparse.gradient.tile(block: 0, leaf: 1)
    let cost = CostModel(problem).cost(of: tile, kind: .gradient)
    #expect(cost < 0.1 * CostModel(dense.problem).cost(of: tile, kind: .gradient))
    // Short shards are the limit of a tile.
    problem.rowsPerShard = 256
    #expect(Planner.plan(problem).gradient.rowsPerTile == 256)
  }

  @Test("a warm-up evaluates as much as ever where rows are few, and less where one gradient takes long")
  func warmUp() {
    var flights = size(components: 5, dimension: 59, rows: 260_579)
    flights.metric = .dense
    #expect(WarmUpSize.curvaturePairs(flights) == 48)  // Four frames of 59 directions over 5 components.
    #expect(WarmUpSize.searchPoints(flights) == 80)
    var tall = size(components: 3, dimension: 50, rows: 10_000_000)
    tall.metric = .dense
    #expect(WarmUpSize.curvaturePairs(tall) == 17)  // One whole frame.
    #expect(WarmUpSize.searchPoints(tall) == 9)
    tall.rows *= 100
    #expect(WarmUpSize.curvaturePairs(tall) == 17 && WarmUpSize.searchPoints(tall) == 8)
    let analytic = size(components: 20, dimension: 2)
    #expect(WarmUpSize.curvaturePairs(analytic) == 1 && WarmUpSize.searchPoints(analytic) == 320)
    var wide = size(components: 5, dimension: 1 << 20)
    wide.factorization = .coordinates
    #expect(WarmUpSize.searchPoints(wide) == 8)
  }

  /// Checks that the tiles of a job's blocks hold every (component, sample, base or row) exactly once.
  private func checkPartition(_ plan: JobPlan, shard: Int, _ comment: String) {
    // Tiles are products of ranges: count cells, and check that no two overlap by their corners.
    var corners: Set<Tile> = []
    var baseCells = 0
    var rowCells = 0
    var payload = 0
    for block in 0..<plan.blockCount {
      payload += plan.width(ofBlock: block)
      for leaf in 0..<plan.tilesPerBlock {
        let tile = plan.tile(block: block, leaf: leaf)
        if tile.components.isEmpty || tile.samples.isEmpty { Issue.record("an empty tile: \(comment)") }
        if plan.kind != .prediction, tile.components != plan.components(ofBlock: block) {
          Issue.record("a tile of other components than its block's: \(comment)")
        }
        if !corners.insert(tile).inserted { Issue.record("\(tile) comes twice: \(comment)") }
        let cells = tile.components.count * tile.samples.count
        switch tile.part {
        case .base: baseCells += cells
        case .rows(let rows):
          rowCells += cells * rows.count
          if rows.isEmpty || rows.lowerBound / shard != (rows.upperBound - 1) / shard {
            Issue.record("rows \(rows) with shards of \(shard): \(comment)")
          }
        }
        if tile.components.upperBound > plan.components || tile.samples.upperBound > plan.samples {
          Issue.record("\(tile) is out of bounds: \(comment)")
        }
      }
    }
    let all = plan.components * plan.samples
    #expect(baseCells == (plan.kind == .prediction || plan.kind == .rows ? 0 : all), "\(comment)")
    #expect(rowCells == all * plan.rows, "\(comment)")
    switch plan.kind {
    case .gradient, .empty: #expect(payload == plan.components * plan.unitWidth, "\(comment)")
    case .objective: #expect(payload == all, "\(comment)")
    case .prediction: #expect(payload == PredictiveScores.width, "\(comment)")
    case .curvature: #expect(payload == plan.unitWidth, "\(comment)")
    case .points, .reference: #expect(payload == plan.components * plan.unitWidth, "\(comment)")
    case .rows: #expect(payload == plan.rows * plan.unitWidth, "\(comment)")
    }
  }

  @Test("jobs of predictions hold every row once, in tiles of one shard, and are bounded")
  func predictedRows() {
    for testRows in [1, 1000, 65_536, 1_000_003] {
      for (shard, width, draws) in [(16_384, 5, nil), (1, 3, 400), (262_144, 5000, 20), (4096, 7, 100_000)]
        as [(Int, Int, Int?)]
      {
        let problem = ProblemSize(
          components: 3, dimension: 8, samples: 10, objectiveDraws: 3, predictionDraws: 3, rows: 0,
          rowsPerShard: 0, testRows: testRows, testRowsPerShard: shard, columns: 8)
        let plan = Planner.rows(problem, draws: draws, width: width)
        #expect(shard % plan.rowsPerTile == 0 && plan.rows % plan.rowsPerTile == 0)
        #expect(plan.rows * width <= max(1 << 20, plan.rowsPerTile * width) && plan.rows <= 65_536)
        let jobs = plan.jobs(rows: testRows)
        let rows = (0..<jobs).flatMap { Array(plan.rows(ofJob: $0, of: testRows)) }
        #expect(rows == Array(0..<testRows))
        checkPartition(plan, shard: shard, "\(plan)")
      }
    }
  }

  @Test("tiles hold every component, sample and row once, and don't cross shards")
  func partition() {
    var generator = SeededGenerator(seed: 12)
    for number in 0..<200 {
      let problem = random(using: &generator)
      let plan = Planner.plan(problem)
      let comment = "seed 12, problem \(number): \(problem)"
      #expect(plan == Planner.plan(problem))
      #expect(plan.version == Plan.currentVersion && plan.problem == problem)
      checkPartition(plan.gradient, shard: max(1, problem.rowsPerShard), comment)
      checkPartition(plan.objective, shard: max(1, problem.rowsPerShard), comment)
      #expect((plan.prediction != nil) == (problem.testRows > 0))
      if let prediction = plan.prediction {
        checkPartition(prediction, shard: problem.testRowsPerShard, comment)
        #expect(prediction.rows == problem.testRows && prediction.samples >= problem.predictionDraws)
        #expect(
          prediction.samples % problem.components == 0 || problem.components > prediction.samples,
          "\(comment)")
      }
      #expect(plan.gradient.samples == problem.samples && plan.gradient.rows == problem.rows)
      let draws = plan.objective.samples * problem.components
      #expect(draws >= problem.objectiveDraws && plan.objective.samples >= 2)
    }
  }

  @Test("no tile is so heavy or so large that its worker would fall silent or run out of memory")
  func heavyProblems() {
    let problems = [
      size(components: 1_000_000, dimension: 130), size(components: 100_000, dimension: 1000),
      size(components: 1, dimension: 65_536, samples: 1_000_000),
      size(components: 50, dimension: 3000, rows: 100_000_000, shard: 65_536, columns: 30),
      size(components: 5, dimension: 50, rows: 1_000_000_000, shard: 65_536),
    ]
    for problem in problems {
      let plan = Planner.plan(problem)
      let costs = CostModel(problem)
      for job in [plan.gradient, plan.objective] {
        for leaf in 0..<min(2, job.tilesPerBlock) {
          let tile = job.tile(block: 0, leaf: leaf)
          let samples = tile.components.count * tile.samples.count
          #expect(costs.cost(of: tile, kind: job.kind) <= 1e9 || samples == 1, "\(problem)")
          #expect(samples * problem.dimension * 8 <= 32 << 20, "\(problem)")
        }
      }
    }
  }

  @Test("tiles of every block overlap nowhere, cell by cell")
  func cells() {
    for problem in [
      size(
        components: 7, dimension: 3, samples: 9, objectiveDraws: 50, predictionDraws: 5, rows: 300,
        shard: 128, testRows: 70),
      size(components: 60, dimension: 40, samples: 100, rows: 1000, shard: 256),
    ] {
      for plan in [Planner.plan(problem).gradient, Planner.plan(problem).objective] {
        var seen = [UInt8](repeating: 0, count: plan.components * plan.samples * (1 + plan.rows))
        for block in 0..<plan.blockCount {
          for leaf in 0..<plan.tilesPerBlock {
            let tile = plan.tile(block: block, leaf: leaf)
            let places =
              switch tile.part {
              case .base: 0..<1
              case .rows(let rows): rows.lowerBound + 1..<rows.upperBound + 1
              }
            for component in tile.components {
              for sample in tile.samples {
                for place in places {
                  seen[(component * plan.samples + sample) * (1 + plan.rows) + place] += 1
                }
              }
            }
          }
        }
        #expect(seen.allSatisfy { $0 == 1 })
      }
    }
  }

  @Test("many rows are cut by rows, many components with few rows by components, many samples by samples")
  func axes() {
    let tall = Planner.plan(size(components: 5, dimension: 54, rows: 1_000_000)).gradient
    #expect(tall.blockCount == 1 && tall.samplesPerTile == tall.samples)
    #expect(tall.tilesPerBlock > 200)
    let wide = Planner.plan(size(components: 10_000, dimension: 30, rows: 284, shard: 512)).gradient
    #expect(wide.blockCount > 100 && wide.rowsPerTile >= 128)
    let analytic = Planner.plan(size(components: 1, dimension: 1000, samples: 100_000)).gradient
    #expect(analytic.blockCount == 1 && analytic.tilesPerBlock > 50)
    let tiny = Planner.plan(size(components: 2, dimension: 2)).gradient
    #expect(tiny.blockCount == 1 && tiny.tilesPerBlock == 1)
  }

  @Test("known problems keep their plans: another plan gives other bits")
  func golden() {
    func cut(_ plan: JobPlan?) -> [Int] {
      guard let plan else { return [] }
      return [
        plan.samples, plan.componentsPerBlock, plan.samplesPerTile, plan.rowsPerTile, plan.blockCount,
        plan.tilesPerBlock,
      ]
    }
    let breastCancer = Planner.plan(
      size(components: 5, dimension: 30, rows: 284, shard: 65536, testRows: 285))
    let flights = Planner.plan(
      size(components: 5, dimension: 59, objectiveDraws: 100, rows: 260_579, testRows: 65_145))
    let manyComponents = Planner.plan(size(components: 200, dimension: 30, rows: 284, testRows: 285))
    let wine = Planner.plan(size(components: 5, dimension: 39, rows: 89, columns: 13))
    let analytic = Planner.plan(size(components: 20, dimension: 2))
    let plans = [breastCancer, flights, manyComponents, wine, analytic]
    let cuts: [[[Int]]] = plans.map { [cut($0.gradient), cut($0.objective), cut($0.prediction)] }
    // Of gradient, objective and prediction: samples, components of a block, samples of a tile, rows of a tile,
    // blocks, tiles of a block.
    let golden: [[[Int]]] = [
      [[10, 5, 10, 128, 1, 4], [200, 1, 50, 128, 20, 4], [1000, 5, 1000, 512, 1, 1]],
      [[10, 5, 10, 2048, 1, 129], [20, 5, 20, 2048, 1, 129], [1000, 5, 1000, 512, 1, 128]],
      [[10, 4, 10, 512, 50, 2], [5, 4, 5, 512, 50, 2], [1000, 200, 1000, 512, 1, 1]],
      [[10, 5, 10, 128, 1, 2], [200, 1, 50, 128, 20, 2], []],
      [[10, 20, 10, 1, 1, 1], [50, 10, 50, 1, 2, 1], []],
    ]
    #expect(cuts == golden)
  }
}
