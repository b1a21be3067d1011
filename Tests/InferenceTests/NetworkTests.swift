import Foundation
import Inference
import NumericsKit
import Posteriors
import TestKit
import Testing

@Suite("A fit of a network")
struct NetworkTests {
  init() { BLAS.prepare() }

  private func problem(in folder: TemporaryFolder, model: String = "hidden: 6, noise: 0.3") throws -> Problem
  {
    var generator = SeededGenerator(seed: 4)
    var text = "a,b,y\n"
    for _ in 0..<300 {
      let a = Double(Int.random(in: -200...200, using: &generator)) / 100
      let b = Double(Int.random(in: -200...200, using: &generator)) / 100
      text += "\(a),\(b),\(abs(a) - 1 + 0.1 * Double.random(in: -1...1, using: &generator))\n"
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/train.csv"))
    let yaml = """
      model: {family: bnn_regression, response: y, \(model), prior: {normal: {scale: 1}}}
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

  @Test(
    "of one layer of rectified units has the plan that its dimension gives; deeper ones have one of their own"
  )
  func plans() throws {
    let folder = try TemporaryFolder()
    let known = try problem(in: folder).plan.problem
    let learned = try problem(in: folder, model: "hidden: 6, noise: {half_normal: {scale: 1}}").plan.problem
    #expect(known.rowOperations == nil && learned.rowOperations == nil)
    let deep = try problem(in: folder, model: "hidden: [50, 20], noise: 0.3, activation: tanh").plan
    #expect(deep.problem.rowOperations == RowOperations(products: 100 + 1000 + 20, functions: 71))
    let tile = deep.gradient.tile(block: 0, leaf: 1)
    guard case .rows(let rows) = tile.part else {
      Issue.record("no tile of rows")
      return
    }
    let samples = Double(tile.components.count * tile.samples.count)
    let change =
      deep.problem.metric == .dense
      ? 2 * samples * Double(deep.problem.dimension * deep.problem.dimension) : 0
    let cost = samples * Double(rows.count) * (4 * 1120 + 20 * 71) + change
    #expect(CostModel(deep.problem).cost(of: tile, kind: .gradient) == cost)
  }

  @Test("is planned in a file that readers without its costs understand")
  func planFile() throws {
    let folder = try TemporaryFolder()
    let plan = try problem(in: folder).plan
    let bytes = try JSONEncoder().encode(plan)
    #expect(!String(decoding: bytes, as: UTF8.self).contains("rowOperations"))
    #expect(try JSONDecoder().decode(Plan.self, from: bytes) == plan)
    let deep = try problem(in: folder, model: "hidden: [5, 2], noise: 0.3").plan
    #expect(try JSONDecoder().decode(Plan.self, from: JSONEncoder().encode(deep)) == deep)
  }

  @Test("of classes takes two of them for one output, three for three")
  func classes() throws {
    let folder = try TemporaryFolder()
    for (names, dimension) in [(["no", "yes"], 4 * 3 + 5), (["a", "b", "c"], 4 * 3 + 15)] {
      let rows = (0..<30).map { "\($0 % 7),\($0 % 5),\(names[$0 % names.count])" }
      let file = "train-\(names.count).csv"
      try Data(("a,b,y\n" + rows.joined(separator: "\n") + "\n").utf8).write(
        to: URL(fileURLWithPath: folder.path + "/" + file))
      let problem = try Problem(
        Examples.build(
          "model: {family: bnn_classification, response: y, hidden: 4}\ndata: {train: \(file)}\n"
            + "mixture: {components: 2}", folder: folder.path))
      #expect(problem.target.dimension == dimension && problem.train?.manifest.columns == ["a", "b"])
      #expect(problem.target.predictedResponse == .classes(names))
    }
  }
}
