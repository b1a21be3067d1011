import Foundation
import Inference
import NumericsKit
import Testing

@Suite("A fit of a mean and a noise scale to one observation")
struct NoiseScaleTests {
  init() { BLAS.prepare() }

  private func problem(in folder: TemporaryFolder) throws -> Problem {
    try Data("y\n1.0\n".utf8).write(to: URL(fileURLWithPath: folder.path + "/one.csv"))
    let yaml = """
      model:
        family: linear
        response: y
        features: []
        prior: {normal: {scale: 10}}
        noise: {half_normal: {scale: 10}}
      data: {train: one.csv, test: one.csv}
      mixture: {components: 5, initial: {uniform: {low: -2, high: 2, variance: 0.5}}}
      inference:
        step_size: 0.03
        iterations: 3000
        objective: {draws: 2000, every: 1000}
        prediction: {draws: 100}
      """
    return try Problem(Examples.build(yaml, folder: folder.path))
  }

  @Test("has a mean and a log scale")
  func parameters() throws {
    let folder = try TemporaryFolder()
    let problem = try problem(in: folder)
    #expect(problem.train?.manifest.columns == ["intercept"] && problem.train?.manifest.rows == 1)
    #expect(problem.target.parameterNames == ["intercept", "log_noise"])
    #expect(problem.plan.problem.dimension == 2 && problem.plan.problem.columns == 1)
  }

  @Test("comes near the log evidence known by quadrature, from below")
  func evidence() throws {
    let folder = try TemporaryFolder()
    let problem = try problem(in: folder)
    var fit = try Fit(problem)
    var objectives: [Double] = []
    while let job = fit.next {
      let sums = try evaluate(problem, job, state: fit.state, metric: fit.context?.metric)
      guard let row = try fit.take(sums) else { continue }
      objectives.append(row.objective.elbo)
    }
    let scores = try #require(fit.testScores)
    #expect(scores.rows == 1 && scores.accuracy == nil && scores.rmse?.isFinite == true)
    #expect(scores.logPredictiveDensity.isFinite)
    let last = try #require(objectives.last)
    // SciPy: see cluster/examples/one-observation.yaml.
    #expect(last < -3.461277949570 + 0.05 && last > -3.461277949570 - 0.5, "\(objectives)")
  }
}
