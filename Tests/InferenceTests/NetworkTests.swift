import Foundation
import Inference
import NumericsKit
import TestKit
import Testing

@Suite("A fit of a network")
struct NetworkTests {
  init() { BLAS.prepare() }

  private func problem(in folder: TemporaryFolder) throws -> Problem {
    var generator = SeededGenerator(seed: 4)
    var text = "a,b,y\n"
    for _ in 0..<300 {
      let a = Double(Int.random(in: -200...200, using: &generator)) / 100
      let b = Double(Int.random(in: -200...200, using: &generator)) / 100
      text += "\(a),\(b),\(abs(a) - 1 + 0.1 * Double.random(in: -1...1, using: &generator))\n"
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/train.csv"))
    let yaml = """
      model: {family: bnn_regression, response: y, hidden: 6, noise: 0.3, prior: {normal: {scale: 1}}}
      data: {train: train.csv, test: train.csv}
      mixture: {components: 2, initial: {uniform: {low: -1, high: 1, variance: 0.01}}}
      inference:
        metric: unit
        step_size: 0.0001
        iterations: 1000
        objective: {draws: 100, every: 250}
        prediction: {draws: 50}
      """
    return try Problem(Examples.build(yaml, folder: folder.path))
  }

  @Test("has its own biases and no column of ones")
  func parameters() throws {
    let folder = try TemporaryFolder()
    let problem = try problem(in: folder)
    #expect(problem.train?.manifest.columns == ["a", "b"])
    #expect(problem.target.dimension == 6 * 4 + 1 && problem.plan.problem.columns == 2)
    #expect(problem.target.parameterNames.first == "w1[1,a]" && problem.target.parameterNames.last == "b2")
  }

  @Test("finds |a| − 1, which no straight line does, and is scored by its error")
  func kink() throws {
    let folder = try TemporaryFolder()
    let problem = try problem(in: folder)
    var fit = try Fit(problem)
    var objectives: [Double] = []
    while let job = fit.next {
      let state = JobState.encode(fit.mixture)
      guard let row = try fit.take(evaluate(problem, job, state: state)) else { continue }
      objectives.append(row.objective.elbo)
    }
    let scores = try #require(fit.testScores)
    #expect(scores.accuracy == nil && scores.rows == 300)
    // The best straight line leaves the standard deviation of |a|, 0.58.
    #expect(try #require(scores.rmse) < 0.3, "\(objectives)")
    #expect(objectives.count == 5 && objectives[4] > objectives[0] + 1000)
  }
}
