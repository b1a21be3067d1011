import Foundation
import Inference
import Mixtures
import NumericsKit
import Specification
import TestKit
import Testing

@Suite("A fit with full covariances")
struct FullCovarianceTests {
  init() { BLAS.prepare() }

  private func analytic(iterations: Int = 6, components: Int = 12, sampling: String = "independent") throws
    -> FitSetup
  {
    try Examples.build(
      Examples.target + """
        mixture: {components: \(components), initial: {uniform: {low: -2, high: 3, variance: 0.8}}}
        inference:
          algorithm: bw
          samples: 20
          sampling: \(sampling)
          step_size: 0.05
          iterations: \(iterations)
          seed: 5
          objective: {draws: 60, every: 2}
          diagnosis: {draws: 60}
        """, folder: "/")
  }

  private func logistic(in folder: TemporaryFolder) throws -> FitSetup {
    _ = try Examples.logistic(in: folder, rows: 300)
    return try Examples.build(
      """
      model: {family: logistic, response: y, prior: {normal: {scale: 2}}}
      data: {train: train.csv, test: train.csv, standardize: false}
      mixture: {components: 3, initial: prior}
      inference: {algorithm: bw, samples: 6, iterations: 6, seed: 3, objective: {draws: 30}, prediction: {draws: 9}}
      """, folder: folder.path)
  }

  /// Runs a fit from where it stands; nil for `until` runs to its end.
  private func run(
    _ fit: inout Fit, _ problem: Problem, workers: Int = 1, until iteration: Int? = nil
  ) throws {
    while let job = fit.next, fit.iteration < iteration ?? .max {
      _ = try fit.take(
        evaluate(
          problem, job, state: fit.state, workers: workers, pieces: 2 * workers - 1, seed: UInt64(workers)))
    }
  }

  @Test(
    "of one component becomes a Gaussian target: KL goes to 0",
    arguments: ["step_size: 0.1", "step_size: auto", "step_size: auto, sampling: independent"])
  func gaussianTarget(settings: String) throws {
    let problem = try Problem(
      Examples.build(
        """
        model: {family: gaussian, mean: [1, -2, 0.5], covariance: [[2, 0.9, -0.3], [0.9, 1, 0.2], [-0.3, 0.2, 0.6]]}
        mixture: {components: 1}
        inference: {algorithm: bw, samples: 10, iterations: 2500, \(settings)}
        """, folder: "/"))
    #expect(problem.specification.inference.metric == .unit)
    var fit = try Fit(problem)
    try run(&fit, problem)
    let full = try #require(fit.fullMixture)
    #expect(zip(full.means, [1, -2, 0.5]).allSatisfy { abs($0 - $1) < 1e-7 })
    let expected = [2, 0.9, -0.3, 0.9, 1, 0.2, -0.3, 0.2, 0.6]
    #expect(zip(full.covariances, expected).allSatisfy { abs($0 - $1) < 1e-7 }, "\(full.covariances)")
    #expect(abs(try #require(fit.lastRow?.kl)) < 1e-7)
    #expect(abs(fit.mixture.variances[0] - 1.2) < 1e-7)
  }

  @Test("the sums are those of G, G (x − m)ᵀ and log q + V over m + F z, written out")
  func sums() throws {
    let setup = try analytic(components: 2)
    let problem = try Problem(setup)
    var fit = try Fit(problem)
    try run(&fit, problem, until: 3)
    let full = try #require(fit.fullMixture)
    let state = JobState.encode(fit.mixture, factors: fit.factors)
    let sums = try evaluate(problem, FitJob(kind: .gradient, iteration: 3), state: state)
    let density = FullMixtureDensity(componentCount: 2, dimension: 3)
    density.load(means: full.means, factors: full.factors)
    let plan = setup.plan.gradient
    #expect(plan.unitWidth == 3 + 9 + 1)
    var numbers = 0
    for block in 0..<plan.blockCount {
      for (place, i) in plan.components(ofBlock: block).enumerated() {
        var expected = [Double](repeating: 0, count: 13)
        for sample in 0..<20 {
          var z = [0.0, 0, 0]
          Noise(seed: 5).fillNormals(
            .gradient, iteration: 3, component: i, samples: sample..<sample + 1, dimension: 3, into: &z)
          let factor = full.factors[9 * i..<9 * i + 9].map { $0 }
          let offset = (0..<3).map { row in (0..<3).reduce(0.0) { $0 + factor[3 * row + $1] * z[$1] } }
          let x = (0..<3).map { full.means[3 * i + $0] + offset[$0] }
          var (value, g) = (0.0, [0.0, 0, 0])
          density.accumulate(points: x, count: 1, logDensity: &value, score: &g)
          problem.target.accumulateBase(
            points: x, count: 1, value: &value, gradient: &g, workspace: .init())
          for k in 0..<3 {
            expected[k] += g[k]
            for j in 0..<3 { expected[3 + 3 * k + j] += g[k] * offset[j] }
          }
          expected[12] += value
        }
        for k in 0..<13 {
          #expect(abs(sums[block][place * 13 + k] - expected[k]) < 1e-10 * max(1, abs(expected[k])))
          numbers += 1
        }
      }
    }
    #expect(numbers == 26)
  }

  @Test("one and three workers give the same bits", arguments: ["independent", "antithetic", "sobol"])
  func sameBits(sampling: String) throws {
    let folder = try TemporaryFolder()
    for setup in [try analytic(sampling: sampling), try logistic(in: folder)] {
      let problem = try Problem(setup)
      var digests: Set<String> = []
      for workers in [1, 3] {
        var fit = try Fit(problem)
        let start = fit.stateDigest
        try run(&fit, problem, workers: workers)
        #expect(fit.iteration == 6 && fit.judgement != nil && fit.stateDigest != start)
        digests.insert(fit.stateDigest.description + fit.factors.map(\.bitPattern.description).joined())
      }
      #expect(digests.count == 1)
    }
  }

  @Test("the digest is the SHA-256 of means, then covariances")
  func digest() throws {
    let problem = try Problem(analytic())
    var fit = try Fit(problem)
    try run(&fit, problem)
    let full = try #require(fit.fullMixture)
    #expect(fit.stateDigest == Digest.of(Float64Bytes.encode([full.means, full.covariances])))
  }

  @Test("a fit restored from a snapshot goes on to the same bits, and one without factors is refused")
  func resume() throws {
    let problem = try Problem(analytic())
    var whole = try Fit(problem)
    try run(&whole, problem)
    var first = try Fit(problem)
    try run(&first, problem, until: 3)
    var second = try Fit(problem)
    try second.restore(first.snapshot)
    #expect(second.iteration == 3 && second.fullMixture == first.fullMixture)
    try run(&second, problem)
    #expect(second.stateDigest == whole.stateDigest && second.snapshot == whole.snapshot)
    var isotropic = try Fit(Problem(Examples.analytic()))
    #expect(throws: FitError.self) { try isotropic.restore(first.snapshot) }
    var altered = first.snapshot
    let place = try #require(altered.numbers.firstIndex(of: first.factors))
    for factors in [[], first.factors.map { -$0 }, first.factors + [0]] {
      altered.numbers[place] = factors
      #expect(throws: FitError.self) { try second.restore(altered) }
    }
  }

  @Test("a divergence goes back to the best state, covariances and all")
  func divergence() throws {
    let problem = try Problem(analytic(iterations: 100))
    var fit = try Fit(problem)
    try run(&fit, problem, until: 1)
    let start = try Fit(problem).factors
    #expect(fit.factors != start)
    let plan = problem.plan.gradient
    var sums = (0..<plan.blockCount).map { [Double](repeating: 0, count: plan.width(ofBlock: $0)) }
    sums[0][4] = .nan
    _ = try fit.take(sums)
    #expect(fit.notes.first?.contains("component 1") == true && fit.factors == start)
  }

  @Test("a fit that is found to have diverged at its end is its best state, covariances and all")
  func lateDivergence() throws {
    let problem = try Problem(analytic())
    var fit = try Fit(problem)
    var best: (elbo: Double, fit: FullMixture)?
    while let job = fit.next, fit.ending == nil {
      let row = try fit.take(evaluate(problem, job, state: fit.state))
      if let row, row.objective.elbo > best?.elbo ?? -.infinity {
        best = (row.objective.elbo, try #require(fit.fullMixture))
      }
    }
    let last = try #require(fit.fullMixture)
    let plan = problem.plan.objective
    _ = try fit.take((0..<plan.blockCount).map { [Double](repeating: .nan, count: plan.width(ofBlock: $0)) })
    let now = try #require(fit.fullMixture)
    #expect(now == best?.fit && now != last)
    try run(&fit, problem)
    #expect(fit.judgement?.objective.elbo.isFinite == true)
  }

  @Test("states and jobs have factors, and those without are refused")
  func states() throws {
    let problem = try Problem(analytic(components: 2))
    let fit = try Fit(problem)
    #expect(fit.state.count == 8 * (2 * 3 + 2 + 2 * 9))
    let job = try TileJob(problem, kind: 1, iteration: 0, state: fit.state)
    #expect(job.factors == fit.factors && job.mixture == fit.mixture)
    #expect(throws: FitError.self) {
      try TileJob(problem, kind: 1, iteration: 0, state: JobState.encode(fit.mixture))
    }
    var setup = try analytic(components: 2)
    setup.plan.problem.fullCovariances = false
    setup.plan.gradient.unitWidth = 5
    setup.plan.objective.unitWidth = 5
    #expect(throws: FitError.self) { try Problem(setup) }
  }

  @Test("covariances that are too large are refused")
  func limits() throws {
    for (dimension, components, part) in [(1001, 1, "up to 1000 parameters"), (500, 600, "at most 536 fit")] {
      let mean = [String](repeating: "0", count: dimension).joined(separator: ", ")
      do {
        _ = try Examples.build(
          """
          model: {family: gaussian, mean: [\(mean)], covariance: 1}
          mixture: {components: \(components)}
          inference: {algorithm: bw}
          """, folder: "/")
        Issue.record("nothing was thrown")
      } catch let error as FitError {
        #expect(error.code == .badInput && error.message.contains(part), "\(error)")
      }
    }
    let plan = Planner.plan(
      ProblemSize(
        components: 100, dimension: 1000, samples: 10, objectiveDraws: 1000, predictionDraws: 1, rows: 0,
        rowsPerShard: 0, testRows: 0, testRowsPerShard: 0, columns: 0, fullCovariances: true))
    #expect(plan.gradient.width(ofBlock: 0) * 8 <= 32 << 20)
  }
}
