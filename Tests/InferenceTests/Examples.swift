import Foundation
import Inference
import Mixtures
import NumericsKit
import Specification
import TestKit
import Testing

/// Small fits to be evaluated.
enum Examples {
  static let target = """
    model:
      family: gaussian_mixture
      weights: [0.3, 0.7]
      means: [[-1, 0.5, 2], [1, -0.5, 0]]
      covariances: [[[1, 0.3, 0], [0.3, 2, 0.1], [0, 0.1, 0.5]], [0.5, 1, 2]]

    """

  static func analytic(
    components: Int = 3, samples: Int = 7, objectiveDraws: Int = 60, iterations: Int = 4,
    metric: String = "unit", sampling: String = "independent", inference: String = ""
  ) throws -> FitSetup {
    try build(
      target + """
        mixture: {components: \(components), initial: {uniform: {low: -2, high: 3, variance: 0.8}}}
        inference:
          metric: \(metric)
          sampling: \(sampling)
          diagnosis: {draws: 0}
          samples: \(samples)
          step_size: 0.05
          iterations: \(iterations)
          seed: 5
          objective: {draws: \(objectiveDraws), every: 2}
        \(inference)
        """, folder: "/")
  }

  static func build(_ yaml: String, folder: String) throws -> FitSetup {
    let specification = try FitSpecification(yaml: yaml, source: "fit.yaml", folder: folder)
    return try ProblemBuilder(cacheFolder: folder + "/cache", progress: { _ in }).build(specification)
  }

  /// A logistic regression on a small table, with the rows as the test knows them.
  static func logistic(
    in folder: TemporaryFolder, rows: Int = 40, iterations: Int = 4, metric: String = "unit",
    inference: String = ""
  ) throws -> (setup: FitSetup, rows: [(x: [Double], y: Double)]) {
    var generator = SeededGenerator(seed: 8)
    var text = "a,b,y\n"
    var known: [(x: [Double], y: Double)] = []
    for _ in 0..<rows {
      let a = Double(Int.random(in: -200...200, using: &generator)) / 100
      let b = Double(Int.random(in: -200...200, using: &generator)) / 100
      let y = a - b + Double.random(in: -1...1, using: &generator) > 0 ? 1.0 : 0.0
      known.append(([1, a, b], y))
      text += "\(a),\(b),\(Int(y))\n"
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/train.csv"))
    let yaml = """
      model: {family: logistic, response: y, prior: {normal: {scale: 2}}}
      data: {train: train.csv, test: train.csv, standardize: false}
      mixture: {components: 3, initial: {uniform: {low: -1, high: 1, variance: 0.5}}}
      inference:
        metric: \(metric)
        sampling: independent
        diagnosis: {draws: 0}
        samples: 5
        step_size: 0.02
        iterations: \(iterations)
        seed: 3
        objective: {draws: 30, every: 2}
        prediction: {draws: 9}
      \(inference)
      """
    return (try build(yaml, folder: folder.path), known)
  }
}

/// A folder of its own for a test, removed with it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "isomix-inference-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Evaluates a job by `workers` evaluators that take random subtrees in random order.
func evaluate(
  _ problem: Problem, _ job: FitJob, state: [UInt8], metric: Metric? = nil, variate: ControlVariate? = nil,
  workers: Int = 1, pieces: Int = 1, seed: UInt64 = 1
) throws -> [[Double]] {
  var generator = SeededGenerator(seed: seed)
  let tileJob = try TileJob(
    problem, kind: job.kind.rawValue, iteration: job.iteration, state: state, metric: metric,
    variate: variate)
  let evaluators = (0..<workers).map { _ in TileEvaluator(problem) }
  for evaluator in evaluators { evaluator.load(tileJob) }
  let tree = ReductionTree(leafCount: tileJob.plan.tilesPerBlock)
  var tasks: [(block: Int, node: TreeNode)] = []
  for block in 0..<tileJob.plan.blockCount {
    let cuts = (1..<pieces).map { _ in Int.random(in: 0...tree.leafCount, using: &generator) }
    let bounds = ([0, tree.leafCount] + cuts).sorted()
    for (first, end) in zip(bounds, bounds.dropFirst()) {
      tasks += tree.cover(first..<end).map { (block, $0) }
    }
  }
  tasks.shuffle(using: &generator)
  var reducers = (0..<tileJob.plan.blockCount).map { _ in TreeReducer(tree: tree) }
  for task in tasks {
    let evaluator = evaluators.randomElement(using: &generator) ?? evaluators[0]
    reducers[task.block].insert(try evaluator.sums(block: task.block, node: task.node), at: task.node)
  }
  return reducers.compactMap(\.result)
}
