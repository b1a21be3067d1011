import Foundation
import Inference
import Mixtures
import NumericsKit
import Posteriors
import Specification
import TestKit
import Testing

@Suite("Sums of tiles")
struct TileEvaluatorTests {
  @Test(
    "of an analytic target are sums over the samples of ∇, (u − m)·∇ and log q + V, written out",
    arguments: Metric.Kind.allCases)
  func analyticTarget(metric: Metric.Kind) throws {
    try WrittenOut.check(
      Examples.analytic(metric: metric.rawValue), seed: 5, metric: metric, WrittenOut.analytic)
  }

  @Test(
    "of a logistic regression are those of its prior and its rows, written out",
    arguments: Metric.Kind.allCases)
  func logisticTarget(metric: Metric.Kind) throws {
    let folder = try TemporaryFolder()
    let (setup, rows) = try Examples.logistic(in: folder, metric: metric.rawValue)
    try WrittenOut.check(setup, seed: 3, metric: metric) { WrittenOut.logistic(rows, $0) }
  }

  @Test(
    "mirror sample 2p in sample 2p + 1, and take a sample from its place in Sobol's sequence, however tiles cut them",
    arguments: [Sampling.antithetic, .sobol], Metric.Kind.allCases)
  func dependentSamples(sampling: Sampling, metric: Metric.Kind) throws {
    for (samples, perTile) in [(7, 7), (7, 3), (7, 1), (8, 5), (1, 1), (2, 1)] {
      var setup = try Examples.analytic(
        samples: samples, metric: metric.rawValue, sampling: sampling.rawValue)
      setup.plan.gradient.samplesPerTile = perTile
      try WrittenOut.check(setup, seed: 5, metric: metric, sampling: sampling, WrittenOut.analytic)
    }
  }

  @Test("are the same when their deviates were made before the state came", arguments: Sampling.allCases)
  func deviatesMadeAhead(sampling: Sampling) throws {
    var setup = try Examples.analytic(samples: 7, sampling: sampling.rawValue)
    setup.plan.gradient.samplesPerTile = 3
    let problem = try Problem(setup)
    var mixture = try Fit(problem).mixture
    let evaluator = TileEvaluator(problem)
    #expect(!evaluator.prepareNext())
    var made = 0
    for iteration in [4, 5, 6, 9] {
      // Another state each time.
      mixture.means[iteration % 3] += 0.1
      mixture.variances[iteration % 3] *= 1.1
      let job = try TileJob(
        problem, kind: JobKind.gradient.rawValue, iteration: iteration, state: JobState.encode(mixture))
      let found = evaluator.tilesPrepared
      let fresh = TileEvaluator(problem)
      evaluator.load(job)
      fresh.load(job)
      for block in 0..<job.plan.blockCount {
        let root = ReductionTree(leafCount: job.plan.tilesPerBlock).root
        #expect(try evaluator.sums(block: block, node: root) == fresh.sums(block: block, node: root))
      }
      // Nothing was made for iterations 4 and 9.
      #expect(evaluator.tilesPrepared - found == (iteration == 5 || iteration == 6 ? made : 0))
      #expect(fresh.tilesPrepared == 0)
      made = 0
      while evaluator.prepareNext() { made += 1 }
      #expect(made >= 3)
    }
  }

  @Test("predictive scores average the likelihood over draws, not its logarithm")
  func prediction() throws {
    let folder = try TemporaryFolder()
    let (setup, rows) = try Examples.logistic(in: folder)
    let problem = try Problem(setup)
    let mixture = try Fit(problem).mixture
    let sums = try evaluate(problem, FitJob(kind: .prediction, iteration: 4), state: JobState.encode(mixture))
    let draws = (0..<9).map { draw -> [Double] in
      let component = draw % 3
      let z = WrittenOut.normals(.prediction, seed: 3, iteration: 4, component: component, sample: draw, d: 3)
      return (0..<3).map {
        mixture.means[component * 3 + $0] + mixture.variances[component].squareRoot() * z[$0]
      }
    }
    var density = 0.0
    var correct = 0.0
    for row in rows {
      let ones = draws.map { theta in 1 / (1 + exp(-zip(row.x, theta).reduce(0) { $0 + $1.0 * $1.1 })) }
      let one = ones.reduce(0, +) / 9
      density += log(row.y == 1 ? one : 1 - one)
      correct += (one >= 0.5) == (row.y == 1) ? 1 : 0
    }
    #expect(sums.count == 1 && sums[0][0] == Double(rows.count) && sums[0][2] == correct && sums[0][3] == 0)
    #expect(WrittenOut.close(sums[0][1], density))
  }

  @Test("predictive draws give every component the same weight, whatever the number of draws")
  func predictionWeights() throws {
    let folder = try TemporaryFolder()
    var (setup, _) = try Examples.logistic(in: folder)
    let problemSize = setup.plan.problem
    for asked in [3, 4, 10, 100, 1000] {
      var size = problemSize
      size.predictionDraws = asked
      setup.plan = Planner.plan(size)
      let draws = try #require(setup.plan.prediction).samples
      #expect(draws >= asked && draws < asked + size.components && draws % size.components == 0)
    }
    var size = problemSize
    size.predictionDraws = 2
    setup.plan = Planner.plan(size)
    #expect(setup.plan.prediction?.samples == 2, "more components than draws: as many as were asked for")
  }

  @Test("have the same bits however tiles are cut and whoever computes them in which order")
  func sameBits() throws {
    let folder = try TemporaryFolder()
    let logistic = try Examples.logistic(in: folder, rows: 700).setup
    // Cut into many small tiles, as a large problem would be.
    var fine = logistic
    fine.plan.gradient.rowsPerTile = 64
    fine.plan.gradient.samplesPerTile = 2
    fine.plan.gradient.componentsPerBlock = 2
    fine.plan.objective.rowsPerTile = 64
    fine.plan.objective.samplesPerTile = 4
    fine.plan.prediction?.rowsPerTile = 32
    for setup in [logistic, fine, try Examples.analytic(components: 40, samples: 30)] {
      let problem = try Problem(setup)
      let state = JobState.encode(try Fit(problem).mixture)
      for kind in [JobKind.gradient, .objective, .prediction] where setup.plan.job(kind) != nil {
        let job = FitJob(kind: kind, iteration: 2)
        let whole = try evaluate(problem, job, state: state).map { $0.map(\.bitPattern) }
        for seed in 1...6 as ClosedRange<UInt64> {
          let parts = try evaluate(
            problem, job, state: state, workers: Int(seed), pieces: 1 + Int(seed), seed: seed)
          #expect(parts.map { $0.map(\.bitPattern) } == whole, "\(kind), seed \(seed)")
        }
      }
    }
  }

  @Test("another cut is another order of additions, which is why the plan is part of a fit")
  func cutMatters() throws {
    let folder = try TemporaryFolder()
    let logistic = try Examples.logistic(in: folder, rows: 700).setup
    var fine = logistic
    fine.plan.gradient.rowsPerTile = 64
    fine.plan.gradient.samplesPerTile = 2
    let job = FitJob(kind: .gradient, iteration: 2)
    let state = JobState.encode((try Fit(Problem(logistic))).mixture)
    let coarseSums = try evaluate(Problem(logistic), job, state: state)[0]
    let fineSums = try evaluate(Problem(fine), job, state: state)[0]
    #expect(coarseSums != fineSums)
    for (coarse, fine) in zip(coarseSums, fineSums) {
      #expect(abs(coarse - fine) <= 1e-9 * max(1, abs(coarse)))
    }
  }
}
