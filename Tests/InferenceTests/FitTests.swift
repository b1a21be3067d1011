import Foundation
import Inference
import Mixtures
import NumericsKit
import Specification
import TestKit
import Testing

@Suite("The course of a fit")
struct FitTests {
  private func zeros(_ plan: JobPlan, _ value: Double = 0) -> [[Double]] {
    (0..<plan.blockCount).map { [Double](repeating: value, count: plan.width(ofBlock: $0)) }
  }

  @Test("evaluates first, then as often as asked, at the end, and predicts last")
  func order() throws {
    let folder = try TemporaryFolder()
    let problem = try Problem(Examples.logistic(in: folder, iterations: 5).setup)
    var fit = try Fit(problem)
    var jobs: [FitJob] = []
    var rows: [Int] = []
    while let job = fit.next {
      jobs.append(job)
      let plan = try #require(problem.plan.job(job.kind))
      if let row = try fit.take(zeros(plan, job.kind == .prediction ? 8 : 0)) { rows.append(row.iteration) }
    }
    let kinds: [(JobKind, Int)] = [
      (.objective, 0), (.gradient, 0), (.gradient, 1), (.objective, 2), (.gradient, 2), (.gradient, 3),
      (.objective, 4), (.gradient, 4), (.objective, 5), (.prediction, 5),
    ]
    #expect(jobs == kinds.map { FitJob(kind: $0.0, iteration: $0.1) })
    #expect(rows == [0, 2, 4, 5])
    #expect(try fit.take([]) == nil)
    // Sums of 8 rows: 8 nats in all, 8 correct.
    #expect(fit.testScores?.rows == 8 && fit.testScores?.accuracy == 1 && fit.testScores?.rmse == nil)
    #expect(fit.testScores?.logPredictiveDensity == 1)
  }

  @Test("initial means are uniform in the box, variances equal, all from the seed")
  func initialMixture() throws {
    let problem = try Problem(Examples.analytic(components: 400))
    let mixture = try Fit(problem).mixture
    #expect(mixture.means.count == 1200 && mixture.means.allSatisfy { $0 >= -2 && $0 <= 3 })
    #expect(mixture.variances == [Double](repeating: 0.8, count: 400))
    let mean = mixture.means.reduce(0, +) / 1200
    let spread = mixture.means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1200
    let meanError: Double = 5 * (25.0 / 12 / 1200).squareRoot()
    let spreadError: Double = 125 * (1.0 / 180 / 1200).squareRoot()
    // A uniform variable on [−2, 3] has mean 0.5 and variance 25/12; five standard errors.
    #expect(abs(mean - 0.5) < meanError)
    #expect(abs(spread - 25.0 / 12) < spreadError)
    #expect(Set(mixture.means).count == 1200)
    #expect(try Fit(problem).mixture == mixture)
  }

  @Test("the objective is minus the mean of component means, with the standard error of a stratified sample")
  func objective() {
    // Component 1: 1, 2, 3, 6 (mean 3, variance 14/3); component 2: 0, 0, 4, 4 (mean 2, variance 16/3).
    let estimate = ObjectiveEstimate(integrands: [1, 2, 3, 6, 0, 0, 4, 4], components: 2)
    #expect(estimate.elbo == -2.5)
    let expected = ((14.0 / 3 / 4 + 16.0 / 3 / 4) / 4).squareRoot()
    #expect(abs(estimate.standardError - expected) < 1e-15)
    #expect(ObjectiveEstimate(integrands: [3, 3], components: 1).standardError == 0)
    #expect(ObjectiveEstimate(integrands: [3, .nan], components: 1).elbo.isNaN)
  }

  @Test("a step is the rule's step with g = Σ∇/B and h = Σ(x − m)·∇/(B d ε), and the trace says so")
  func step() throws {
    let problem = try Problem(Examples.analytic())
    var fit = try Fit(problem)
    _ = try fit.take(zeros(problem.plan.objective))
    let before = fit.mixture
    let plan = problem.plan.gradient
    var sums = zeros(plan)
    for block in sums.indices {
      for index in sums[block].indices { sums[block][index] = Double(index + 1) / 10 }
    }
    _ = try fit.take(sums)
    var gradient = MixtureGradient(mean: [], variance: [])
    for i in 0..<3 {
      let numbers = (0..<5).map { Double(i * 5 + $0 + 1) / 10 }
      gradient.mean += numbers.prefix(3).map { $0 / 7 }
      gradient.variance.append(numbers[3] / (7 * 3 * 0.8))
    }
    #expect(plan.blockCount == 1)
    let expected = try UpdateRule.ibw.step(before, gradient: gradient, stepSize: 0.05)
    #expect(zip(fit.mixture.means, expected.means).allSatisfy { abs($0 - $1) < 1e-14 })
    #expect(zip(fit.mixture.variances, expected.variances).allSatisfy { abs($0 - $1) < 1e-14 })
    #expect(fit.iteration == 1 && fit.lastStepSize == 0.05)
    _ = try fit.take(sums)
    let row = try #require(try fit.take(zeros(problem.plan.objective)))
    let norm = (gradient.mean.reduce(0) { $0 + $1 * $1 } / 3).squareRoot()
    #expect(abs((row.gradientNorm ?? 0) - norm) < 1e-14)
    #expect(row.iteration == 2 && row.stepSize == 0.05)
    #expect(
      row.varianceMinimum == fit.mixture.variances.min() && row.varianceMaximum == fit.mixture.variances.max()
    )
    // The target is normalised: KL is minus the ELBO.
    #expect(row.kl == -row.objective.elbo)
  }

  @Test(
    "a divergence goes back to the best state with a quarter of the step; only many are an error, which names them"
  )
  func divergence() throws {
    let problem = try Problem(Examples.analytic(iterations: 100))
    var fit = try Fit(problem)
    let start = fit.mixture
    _ = try fit.take(zeros(problem.plan.objective))
    _ = try fit.take(zeros(problem.plan.gradient))
    var sums = zeros(problem.plan.gradient)
    sums[0][5 + 1] = .infinity
    _ = try fit.take(sums)
    #expect(fit.mixture == start && fit.iteration == 2)
    let note = try #require(fit.notes.first)
    for part in ["diverged at iteration 2", "component 2", "0.05", "iteration 0", "a quarter of the step"] {
      #expect(note.contains(part), "\(note)")
    }
    do {
      for _ in 0..<100 {
        guard let job = fit.next else { break }
        _ = try fit.take(job.kind == .gradient ? sums : zeros(problem.plan.objective))
      }
      Issue.record("nothing was thrown")
    } catch let error as FitError {
      #expect(error.code == .diverged)
      for part in ["diverged at iteration", "13th time", "component 2", "smaller inference.step_size"] {
        #expect(error.message.contains(part), "\(error.message)")
      }
    }
    var other = try Fit(problem)
    var values = zeros(problem.plan.objective)
    values[0][3] = .nan
    #expect(throws: FitError.self) { try other.take(values) }
  }

  @Test("an ELBO that collapses is a divergence, noise is none")
  func collapse() throws {
    let problem = try Problem(Examples.analytic(iterations: 100))
    var fit = try Fit(problem)
    let start = fit.mixture
    _ = try fit.take(zeros(problem.plan.objective, 100))
    for _ in 0..<2 { _ = try fit.take(zeros(problem.plan.gradient, 0.1)) }
    #expect(try fit.take(zeros(problem.plan.objective, 110)) != nil && fit.notes.isEmpty)
    #expect(fit.mixture != start)
    for _ in 0..<2 { _ = try fit.take(zeros(problem.plan.gradient, 0.1)) }
    #expect(try fit.take(zeros(problem.plan.objective, 200)) == nil)
    #expect(fit.mixture == start && fit.iteration == 4)
    #expect(fit.notes.first?.contains("the ELBO fell from -100.0 to -200.0") == true)
  }

  @Test("the interval of evaluations is the one asked for, or makes them cheap")
  func interval() throws {
    let setup = try Examples.analytic()
    var settings = try Problem(setup).specification.inference
    #expect(Fit.objectiveInterval(settings, plan: setup.plan) == 2)
    settings.objectiveInterval = nil
    settings.iterations = 100_000
    #expect(Fit.objectiveInterval(settings, plan: setup.plan) == 1000)
    settings.iterations = 10
    // 20 draws a component against 7 samples: ten times their ratio.
    #expect(Fit.objectiveInterval(settings, plan: setup.plan) == 29)
  }

  @Test("the digest is the SHA-256 of means, then variances, as little-endian float64")
  func digest() throws {
    let fit = try Fit(Problem(Examples.analytic()))
    #expect(fit.stateDigest == Digest.of(JobState.encode(fit.mixture)))
  }

  @Test("one, two, three and four workers give the same final bits")
  func sameDigest() throws {
    let folder = try TemporaryFolder()
    for setup in [
      try Examples.logistic(in: folder, rows: 300).setup, try Examples.analytic(components: 12, samples: 20),
    ] {
      let problem = try Problem(setup)
      var digests: Set<String> = []
      for workers in 1...4 {
        var fit = try Fit(problem)
        while let job = fit.next {
          let sums = try evaluate(
            problem, job, state: fit.state, metric: fit.context?.metric, workers: workers,
            pieces: 2 * workers - 1,
            seed: UInt64(workers))
          _ = try fit.take(sums)
        }
        #expect(fit.iteration == 4)
        digests.insert(fit.stateDigest.description)
      }
      #expect(digests.count == 1)
    }
  }

  @Test("a fit gets closer to its target")
  func improves() throws {
    let problem = try Problem(Examples.analytic(components: 8, objectiveDraws: 800, iterations: 200))
    var fit = try Fit(problem)
    var rows: [TraceRow] = []
    while let job = fit.next {
      let sums = try evaluate(problem, job, state: fit.state, metric: fit.context?.metric)
      if let row = try fit.take(sums) { rows.append(row) }
    }
    let first = try #require(rows.first?.kl)
    let last = try #require(rows.last)
    #expect(first > 0.5 && (last.kl ?? 1) < 0.3 * first)
    #expect((last.kl ?? -1) > -5 * last.objective.standardError)
  }
}
