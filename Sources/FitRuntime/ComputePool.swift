import Coordination
import Inference
import Mixtures
import NumericsKit
import Wire

/// Computes assignments on T threads: the caller's and T − 1 helpers.
///
/// One thread calls `compute`; the subtrees of an assignment are split along the same canonical tree, so that the
/// number of threads changes nothing but the time.
final class ComputePool {
  private let problem: Problem
  private let helpers: HelperThreads
  private var job: (key: JobKey, job: TileJob)?
  private var context: (number: UInt64, epoch: UInt64, metric: Metric, variate: ControlVariate?)?
  private let evaluator: TileEvaluator
  private let afterTile: () throws -> Void

  /// - Parameters:
  ///   - progress: counts tiles over all threads.
  ///   - afterTile: called on the caller's thread after each of its tiles, and now and then while it waits for
  ///     the helpers; what it throws ends `compute`.
  init(
    problem: Problem, threads: Int, progress: ProgressCounter, afterTile: @escaping () throws -> Void
  ) {
    self.problem = problem
    self.afterTile = afterTile
    evaluator = TileEvaluator(problem)
    evaluator.afterTile = {
      progress.add(1)
      try afterTile()
    }
    helpers = HelperThreads(problem: problem, count: threads - 1, counter: progress)
  }

  deinit { helpers.stop() }

  /// The sums of an assignment's subtrees, as little-endian float64 numbers in their order.
  /// - Throws: ``DatasetError`` when data have changed, ``FitError`` when the assignment makes no sense, and what
  ///   `afterTile` throws.
  func compute(_ computation: Computation) throws -> [UInt8] {
    let job = try tileJob(computation)
    var tasks: [(block: Int, node: TreeNode)] = []
    for subtree in computation.subtrees {
      guard subtree.level < 48, subtree.index < 1 << 48 else {
        throw FitError(.software, "the coordinator asks for a subtree that this run's plan has not")
      }
      tasks.append((Int(subtree.block), TreeNode(level: Int(subtree.level), index: Int(subtree.index))))
    }
    let values = helpers.count == 0 ? try serial(job, tasks) : try parallel(job, tasks)
    return Float64Bytes.encode(values)
  }

  /// Does a little of what the next iteration will need, while there is nothing else to do; false when nothing is left.
  ///
  /// With several threads it is not known which of them will get which tiles.
  func prepareNext() -> Bool { helpers.count == 0 && evaluator.prepareNext() }

  /// The job that a computation belongs to; a new one comes with its state.
  private func tileJob(_ computation: Computation) throws -> TileJob {
    if let bytes = computation.contextBytes {
      let (metric, variate) = try JobContext.decode(
        bytes, components: problem.plan.problem.components, dimension: problem.target.dimension)
      context = (computation.context, computation.job.epoch, metric, variate)
    }
    if let state = computation.state {
      let (metric, variate) = try sharedContext(of: computation)
      let new = try TileJob(
        problem, kind: computation.jobKind, iteration: computation.iteration, state: state, metric: metric,
        variate: variate)
      job = (computation.job, new)
    }
    guard let job, job.key == computation.job else {
      throw FitError(.software, "work of job \(computation.job.number) came without its state")
    }
    return job.job
  }

  /// The coordinates and the control variate of a computation's job; nil where it needs none.
  private func sharedContext(of computation: Computation) throws -> (Metric?, ControlVariate?) {
    guard computation.context != 0 else { return (nil, nil) }
    guard let context, context.number == computation.context, context.epoch == computation.job.epoch else {
      throw FitError(.software, "work of job \(computation.job.number) came without its context")
    }
    return (context.metric, context.variate)
  }

  private func serial(_ job: TileJob, _ tasks: [(block: Int, node: TreeNode)]) throws -> [[Double]] {
    evaluator.load(job)
    return try tasks.map { try evaluator.sums(block: $0.block, node: $0.node) }
  }

  private func parallel(_ job: TileJob, _ tasks: [(block: Int, node: TreeNode)]) throws -> [[Double]] {
    let tree = ReductionTree(leafCount: job.plan.tilesPerBlock)
    for task in tasks where !tree.contains(task.node) {
      throw FitError(.software, "the coordinator asks for a subtree that this run's plan has not")
    }
    let pieces = ComputePool.split(tasks, tree: tree, atLeast: 4 * (helpers.count + 1))
    let batch = Batch(job: job, pieces: pieces.map { (block: tasks[$0.task].block, node: $0.node) })
    try helpers.run(batch, with: evaluator, whileWaiting: afterTile)
    let results = try batch.results()
    return tasks.indices.map { task in
      var sum = SubtreeSum(tree: tree, root: tasks[task].node)
      for (index, piece) in pieces.enumerated() where piece.task == task {
        sum.insert(results[index], at: piece.node)
      }
      return sum.result ?? []
    }
  }

  /// Splits nodes into their children until there are enough pieces or no node has children.
  private static func split(_ tasks: [(block: Int, node: TreeNode)], tree: ReductionTree, atLeast count: Int)
    -> [(task: Int, node: TreeNode)]
  {
    var pieces = tasks.indices.map { (task: $0, node: tasks[$0].node) }
    while pieces.count < count, pieces.contains(where: { $0.node.level > 0 }) {
      let level = pieces.reduce(0) { max($0, $1.node.level) }
      pieces = pieces.flatMap { piece -> [(task: Int, node: TreeNode)] in
        guard piece.node.level == level, level > 0 else { return [piece] }
        let left = TreeNode(level: level - 1, index: 2 * piece.node.index)
        let right = TreeNode(level: level - 1, index: 2 * piece.node.index + 1)
        return tree.contains(right) ? [(piece.task, left), (piece.task, right)] : [(piece.task, left)]
      }
    }
    return pieces
  }
}
