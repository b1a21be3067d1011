import Datasets
import Mixtures
import NumericsKit
import Posteriors

/// One job as a worker computes it: the mixture of this iteration.
public final class TileJob: Sendable {
  public let kind: JobKind
  public let plan: JobPlan
  public let iteration: Int
  public let mixture: IsotropicMixture

  /// - Throws: ``FitError`` when the state is not that of this problem or the kind has no plan.
  public init(_ problem: Problem, kind rawKind: UInt8, iteration: Int, state: [UInt8]) throws {
    guard let kind = JobKind(rawValue: rawKind), let plan = problem.plan.job(kind) else {
      throw FitError(.software, "the coordinator asks for a job of kind \(rawKind), which this run has not")
    }
    let size = problem.plan.problem
    guard
      let mixture = JobState.decode(state, components: size.components, dimension: size.dimension)
    else {
      throw FitError(.software, "a state of \(state.count) bytes is not that of this run's mixture")
    }
    self.kind = kind
    self.plan = plan
    self.iteration = iteration
    self.mixture = mixture
  }
}

/// Computes the sums of tiles and of aligned subtrees of tiles. Belongs to one thread.
///
/// The samples of a tile are regenerated from the counter-based noise, so that only the mixture travels. For
/// each component a gradient tile gives `Σ_s ∇` (d numbers), `Σ_s (x − m)·∇` and `Σ_s` of the value, where the
/// value is `log q + V` on the base tile and the rows' part of `V` on the others: all linear, so
/// sums over tiles in the tree's order are the sums over everything.
public final class TileEvaluator {
  private let problem: Problem
  private let noise: Noise
  private let density: MixtureDensity
  private let workspace = DensityWorkspace()
  private var job: TileJob?

  /// Samples of the last tile: what they are, their offsets from the means and their positions.
  private var current: (components: Range<Int>, samples: Range<Int>)?
  private let offsets = Scratch()
  private let points = Scratch()
  private let values = Scratch()
  private let gradients = Scratch()
  private var levels: [Scratch] = []

  /// Called after each tile on the thread that computes: where a worker shows that its compute loop is alive. What
  /// it throws ends the computation.
  public var afterTile: (() throws -> Void)?

  public init(_ problem: Problem) {
    self.problem = problem
    noise = Noise(seed: problem.specification.inference.seed)
    density = MixtureDensity(
      componentCount: problem.plan.problem.components, dimension: problem.plan.problem.dimension)
  }

  /// Takes the job that the next tiles belong to.
  public func load(_ job: TileJob) {
    guard self.job !== job else { return }
    self.job = job
    current = nil
    job.mixture.means.withUnsafeBufferPointer { means in
      job.mixture.variances.withUnsafeBufferPointer { variances in
        guard let means = means.baseAddress, let variances = variances.baseAddress else { return }
        density.load(means: means, variances: variances)
      }
    }
  }

  /// The sums of one node of a block's tree.
  public func sums(block: Int, node: TreeNode) throws -> [Double] {
    guard let job else { throw FitError(.software, "work came before any job") }
    let tree = ReductionTree(leafCount: job.plan.tilesPerBlock)
    guard (0..<job.plan.blockCount).contains(block), tree.contains(node) else {
      throw FitError(.software, "the coordinator asks for a subtree that this run's plan has not")
    }
    let width = job.plan.width(ofBlock: block)
    while levels.count <= tree.height { levels.append(Scratch()) }
    var result = [Double](repeating: 0, count: width)
    try result.withUnsafeMutableBufferPointer { buffer in
      guard let output = buffer.baseAddress else { return }
      try accumulate(job, block: block, node: node, tree: tree, width: width, into: output)
    }
    return result
  }

  /// Left child, then right child added to it: the order that the canonical tree asks for.
  private func accumulate(
    _ job: TileJob, block: Int, node: TreeNode, tree: ReductionTree, width: Int,
    into output: UnsafeMutablePointer<Double>
  ) throws {
    guard job.kind != .empty else { return output.update(repeating: 0, count: width) }
    guard node.level > 0 else {
      try evaluate(job, job.plan.tile(block: block, leaf: node.index), into: output)
      try afterTile?()
      return
    }
    let left = TreeNode(level: node.level - 1, index: 2 * node.index)
    let right = TreeNode(level: node.level - 1, index: 2 * node.index + 1)
    try accumulate(job, block: block, node: left, tree: tree, width: width, into: output)
    guard tree.contains(right) else { return }
    let other = levels[node.level].pointer(count: width)
    try accumulate(job, block: block, node: right, tree: tree, width: width, into: other)
    for index in 0..<width { output[index] += other[index] }
  }

  private func evaluate(_ job: TileJob, _ tile: Tile, into output: UnsafeMutablePointer<Double>) throws {
    if job.kind == .prediction { return try predict(job, tile, into: output) }
    let dimension = problem.target.dimension
    let count = tile.components.count * tile.samples.count
    sample(job, tile)
    let points = points.pointer(count: count * dimension)
    let values = values.zeroed(count: count)
    let gradients = job.kind == .gradient ? gradients.zeroed(count: count * dimension) : nil
    switch tile.part {
    case .base:
      density.accumulate(points: points, count: count, logDensity: values, score: gradients)
      problem.target.accumulateBase(
        points: points, count: count, value: values, gradient: gradients, workspace: workspace)
    case .rows(let rows):
      try problem.train?.withRows(rows) { block in
        problem.target.accumulateRows(
          block, points: points, count: count, value: values, gradient: gradients, workspace: workspace)
      }
    }
    if let gradients {
      contract(tile, values: values, gradients: gradients, into: output)
    } else {
      output.update(from: values, count: count)
    }
  }

  /// Regenerates the tile's samples: `x = m + √ε z`.
  private func sample(_ job: TileJob, _ tile: Tile) {
    if let current, current.components == tile.components, current.samples == tile.samples { return }
    let dimension = problem.target.dimension
    let perComponent = tile.samples.count * dimension
    let offsets = offsets.pointer(count: tile.components.count * perComponent)
    let points = points.pointer(count: tile.components.count * perComponent)
    for (place, component) in tile.components.enumerated() {
      let offset = offsets + place * perComponent
      let point = points + place * perComponent
      noise.fillNormals(
        job.kind.stream, iteration: job.iteration, component: component, samples: tile.samples,
        dimension: dimension, into: offset)
      let deviation = job.mixture.variances[component].squareRoot()
      job.mixture.means.withUnsafeBufferPointer { means in
        for sample in 0..<tile.samples.count {
          for coordinate in 0..<dimension {
            let index = sample * dimension + coordinate
            offset[index] *= deviation
            point[index] = means[component * dimension + coordinate] + offset[index]
          }
        }
      }
    }
    current = (tile.components, tile.samples)
  }

  /// Sums over samples: `[components, d + 2]`.
  private func contract(
    _ tile: Tile, values: UnsafePointer<Double>, gradients: UnsafePointer<Double>,
    into output: UnsafeMutablePointer<Double>
  ) {
    let dimension = problem.target.dimension
    let samples = tile.samples.count
    let offsets = offsets.pointer(count: tile.components.count * samples * dimension)
    let products = levels[0].pointer(count: dimension)
    for place in 0..<tile.components.count {
      let sums = output + place * (dimension + 2)
      for coordinate in 0..<dimension {
        sums[coordinate] = 0
        products[coordinate] = 0
      }
      var value = 0.0
      for sample in place * samples..<(place + 1) * samples {
        let gradient = gradients + sample * dimension
        let offset = offsets + sample * dimension
        for coordinate in 0..<dimension {
          sums[coordinate] += gradient[coordinate]
          products[coordinate] += gradient[coordinate] * offset[coordinate]
        }
        value += values[sample]
      }
      var product = 0.0
      for coordinate in 0..<dimension { product += products[coordinate] }
      sums[dimension] = product
      sums[dimension + 1] = value
    }
  }

  /// Scores of test rows under draws from the mixture in which every component has the same weight.
  private func predict(_ job: TileJob, _ tile: Tile, into output: UnsafeMutablePointer<Double>) throws {
    guard case .rows(let rows) = tile.part, let test = problem.test else {
      throw FitError(.software, "this run has no test data to predict")
    }
    let dimension = problem.target.dimension
    let count = tile.samples.count
    let draws = points.pointer(count: count * dimension)
    if current == nil {
      for draw in 0..<count {
        let component = predictiveComponent(job, draw: draw, of: count)
        let target = draws + draw * dimension
        noise.fillNormals(
          job.kind.stream, iteration: job.iteration, component: component, samples: draw..<draw + 1,
          dimension: dimension, into: target)
        let deviation = job.mixture.variances[component].squareRoot()
        for coordinate in 0..<dimension {
          target[coordinate] =
            job.mixture.means[component * dimension + coordinate] + deviation * target[coordinate]
        }
      }
      current = (tile.components, tile.samples)
    }
    var scores = PredictiveScores()
    try test.withRows(rows) { block in
      problem.target.accumulateScores(block, draws: draws, count: count, into: &scores, workspace: workspace)
    }
    for (index, value) in scores.values.enumerated() { output[index] = value }
  }

  /// Which component a draw comes from: each equally often when there are enough draws (the planner makes their
  /// number a multiple of N), otherwise one drawn at random from each of `count` equal strata.
  private func predictiveComponent(_ job: TileJob, draw: Int, of count: Int) -> Int {
    let components = job.mixture.componentCount
    guard components > count else { return draw % components }
    var uniform = 0.0
    noise.fillUniforms(
      .prediction, iteration: job.iteration, component: 0, samples: draw..<draw + 1, dimension: 1,
      into: &uniform)
    let place = (Double(draw) + 1 - uniform) * Double(components) / Double(count)
    return min(Int(place), components - 1)
  }
}

/// Zeroable numbers of one thread that grow to the largest request.
private final class Scratch {
  private var memory = ScratchMemory()

  /// At least `count` numbers with unspecified values. Growing loses what was there.
  func pointer(count: Int) -> UnsafeMutablePointer<Double> { memory.reserve(count) }

  /// `count` zeros.
  func zeroed(count: Int) -> UnsafeMutablePointer<Double> {
    let pointer = pointer(count: count)
    pointer.update(repeating: 0, count: count)
    return pointer
  }
}
