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
  /// V and ∇V of the analytic example, written out.
  private func analytic(_ x: [Double]) -> Double {
    let weights = [0.3, 0.7]
    let means = [[-1, 0.5, 2], [1, -0.5, 0]]
    let covariances = [
      [[1, 0.3, 0], [0.3, 2, 0.1], [0, 0.1, 0.5]], [[0.5, 0, 0], [0, 1, 0], [0, 0, 2]],
    ]
    var density = 0.0
    for k in 0..<2 {
      let s = covariances[k]
      let r = (0..<3).map { x[$0] - means[k][$0] }
      // The adjugate of a symmetric 3 × 3 matrix.
      let c00 = s[1][1] * s[2][2] - s[1][2] * s[1][2]
      let c01 = s[0][2] * s[1][2] - s[0][1] * s[2][2]
      let c02 = s[0][1] * s[1][2] - s[0][2] * s[1][1]
      let c11 = s[0][0] * s[2][2] - s[0][2] * s[0][2]
      let c12 = s[0][1] * s[0][2] - s[0][0] * s[1][2]
      let c22 = s[0][0] * s[1][1] - s[0][1] * s[0][1]
      let determinant = s[0][0] * c00 + s[0][1] * c01 + s[0][2] * c02
      let diagonal = c00 * r[0] * r[0] + c11 * r[1] * r[1] + c22 * r[2] * r[2]
      let off = c01 * r[0] * r[1] + c02 * r[0] * r[2] + c12 * r[1] * r[2]
      let form = (diagonal + 2 * off) / determinant
      density += weights[k] * exp(-0.5 * form) / sqrt(pow(2 * .pi, 3) * determinant)
    }
    return -log(density)
  }

  private func logistic(_ rows: [(x: [Double], y: Double)], _ theta: [Double]) -> Double {
    var value = 0.0
    for parameter in theta { value += parameter * parameter / 8 + 0.5 * log(2 * .pi * 4) }
    for row in rows {
      let logit = zip(row.x, theta).reduce(0) { $0 + $1.0 * $1.1 }
      value += log(1 + exp(logit)) - row.y * logit
    }
    return value
  }

  /// A central difference of fourth order.
  private func gradient(_ value: ([Double]) -> Double, _ x: [Double]) -> [Double] {
    x.indices.map { index in
      func at(_ step: Double) -> Double {
        var point = x
        point[index] += step
        return value(point)
      }
      let h = 1e-3
      return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    }
  }

  /// log q of the mixture, written out.
  private func logDensity(_ mixture: IsotropicMixture, _ x: [Double]) -> Double {
    var density = 0.0
    let d = mixture.dimension
    for i in 0..<mixture.componentCount {
      let squares = (0..<d).reduce(0.0) { $0 + pow(x[$1] - mixture.means[i * d + $1], 2) }
      let variance = mixture.variances[i]
      density += exp(-0.5 * squares / variance) / pow(2 * .pi * variance, Double(d) / 2)
    }
    return log(density / Double(mixture.componentCount))
  }

  private func normals(
    _ stream: NoiseStream, seed: UInt64, iteration: Int, component: Int, sample: Int, d: Int
  )
    -> [Double]
  {
    [Double](unsafeUninitializedCapacity: d) { buffer, count in
      Noise(seed: seed).fillNormals(
        stream, iteration: iteration, component: component, samples: sample..<sample + 1, dimension: d,
        into: buffer.baseAddress!)
      count = d
    }
  }

  private func close(_ left: Double, _ right: Double, _ scale: Double = 1) -> Bool {
    abs(left - right) <= 1e-7 * max(scale, abs(right))
  }

  /// Compares gradient and objective sums with sums over samples, one after the other, of `value`.
  private func check(_ setup: FitSetup, seed: UInt64, _ value: @escaping ([Double]) -> Double) throws {
    let problem = try Problem(setup)
    var mixture = Fit(problem).mixture
    mixture.variances = mixture.variances.indices.map { 0.3 + 0.2 * Double($0) }
    let d = mixture.dimension
    let iteration = 3
    let state = JobState.encode(mixture)
    let integrand = { (x: [Double]) in logDensity(mixture, x) + value(x) }

    let plan = setup.plan.gradient
    let sums = try evaluate(problem, FitJob(kind: .gradient, iteration: iteration), state: state)
    #expect(sums.count == plan.blockCount)
    for block in 0..<plan.blockCount {
      #expect(sums[block].count == plan.width(ofBlock: block))
      for (place, i) in plan.components(ofBlock: block).enumerated() {
        var expected = [Double](repeating: 0, count: d + 2)
        for sample in 0..<plan.samples {
          let z = normals(.gradient, seed: seed, iteration: iteration, component: i, sample: sample, d: d)
          let offset = z.map { $0 * mixture.variances[i].squareRoot() }
          let x = (0..<d).map { mixture.means[i * d + $0] + offset[$0] }
          let g = gradient(integrand, x)
          for k in 0..<d {
            expected[k] += g[k]
            expected[d] += g[k] * offset[k]
          }
          expected[d + 1] += integrand(x)
        }
        let found = Array(sums[block][place * (d + 2)..<(place + 1) * (d + 2)])
        for k in 0..<d + 2 { #expect(close(found[k], expected[k], 10), "component \(i), number \(k)") }
      }
    }

    let objective = setup.plan.objective
    let values = try evaluate(problem, FitJob(kind: .objective, iteration: iteration), state: state)
    for block in 0..<objective.blockCount {
      var number = 0
      for i in objective.components(ofBlock: block) {
        for sample in objective.samples(ofObjectiveBlock: block) {
          let z = normals(.objective, seed: seed, iteration: iteration, component: i, sample: sample, d: d)
          let x = (0..<d).map { mixture.means[i * d + $0] + mixture.variances[i].squareRoot() * z[$0] }
          #expect(close(values[block][number], integrand(x)))
          number += 1
        }
      }
      #expect(number == values[block].count)
    }

    let empty = try evaluate(problem, FitJob(kind: .empty, iteration: iteration), state: state)
    #expect(empty.map(\.count) == sums.map(\.count) && empty.joined().allSatisfy { $0 == 0 })
  }

  @Test("of an analytic target are sums over the samples of ∇, (x − m)·∇ and log q + V, written out")
  func analyticTarget() throws { try check(Examples.analytic(), seed: 5, analytic) }

  @Test("of a logistic regression are those of its prior and its rows, written out")
  func logisticTarget() throws {
    let folder = try TemporaryFolder()
    let (setup, rows) = try Examples.logistic(in: folder)
    try check(setup, seed: 3) { logistic(rows, $0) }
  }

  @Test("predictive scores average the likelihood over draws, not its logarithm")
  func prediction() throws {
    let folder = try TemporaryFolder()
    let (setup, rows) = try Examples.logistic(in: folder)
    let problem = try Problem(setup)
    let mixture = Fit(problem).mixture
    let sums = try evaluate(problem, FitJob(kind: .prediction, iteration: 4), state: JobState.encode(mixture))
    let draws = (0..<9).map { draw -> [Double] in
      let component = draw % 3
      let z = normals(.prediction, seed: 3, iteration: 4, component: component, sample: draw, d: 3)
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
    #expect(close(sums[0][1], density))
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
      let state = JobState.encode(Fit(problem).mixture)
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
    let state = JobState.encode(Fit(try Problem(logistic)).mixture)
    let coarseSums = try evaluate(Problem(logistic), job, state: state)[0]
    let fineSums = try evaluate(Problem(fine), job, state: state)[0]
    #expect(coarseSums != fineSums)
    for (coarse, fine) in zip(coarseSums, fineSums) {
      #expect(abs(coarse - fine) <= 1e-9 * max(1, abs(coarse)))
    }
  }
}
