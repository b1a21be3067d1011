import Datasets
import Mixtures
import NumericsKit
import Posteriors

/// Computes the sums of tiles and of aligned subtrees of tiles. Belongs to one thread.
///
/// The samples of a tile are regenerated from the counter-based noise, so that only the mixture travels. For
/// each component a gradient tile gives `Σ_s ∇` (d numbers), `Σ_s (x − m)·∇` and `Σ_s` of the value, where the
/// value is `log q + V` on the base tile and the rows' part of `V` on the others (full covariances: `Σ_s ∇ (x − m)ᵀ`
/// for the second; coordinates with mixtures of their own: ``coordinateGradient(_:_:into:)``): all linear, so
/// sums over tiles in the tree's order are the sums over everything.
public final class TileEvaluator {
  let problem: Problem
  let samples: TileSamples
  private let density: MixtureDensity
  private let fullDensity: FullMixtureDensity?
  private let coordinateDensity: CoordinateMixtureDensity?
  private let workspace = DensityWorkspace()
  /// The target when its code is somebody else's and it may reject points.
  private let foreign: (any ForeignDensity)?
  private var job: TileJob?
  let values = Scratch()
  let gradients = Scratch()
  private let scores = Scratch()
  private let partial = Scratch()
  let referenceGradients = Scratch()
  private var levels: [Scratch] = []
  private lazy var predictor = RowPredictor(problem, samples: samples, workspace: workspace)

  /// Called after each tile on the thread that computes: where a worker shows that its compute loop is alive. What
  /// it throws ends the computation.
  public var afterTile: (() throws -> Void)?

  public init(_ problem: Problem) {
    self.problem = problem
    foreign = problem.target as? any ForeignDensity
    samples = TileSamples(
      noise: Noise(seed: problem.specification.inference.seed),
      sampling: problem.specification.inference.sampling, dimension: problem.target.dimension)
    density = MixtureDensity(
      componentCount: problem.plan.problem.components, dimension: problem.plan.problem.dimension)
    fullDensity =
      problem.plan.problem.fullCovariances
      ? FullMixtureDensity(
        componentCount: problem.plan.problem.components, dimension: problem.plan.problem.dimension) : nil
    coordinateDensity =
      problem.plan.problem.factorization == .coordinates
      ? CoordinateMixtureDensity(
        componentCount: problem.plan.problem.components, dimension: problem.plan.problem.dimension) : nil
  }

  /// Takes the job that the next tiles belong to.
  public func load(_ job: TileJob) {
    guard self.job !== job else { return }
    self.job = job
    samples.forget()
    guard ![.points, .curvature, .rows, .reference].contains(job.kind) else { return }
    if let fullDensity { return fullDensity.load(means: job.mixture.means, factors: job.factors) }
    if let coordinateDensity { return coordinateDensity.load(job.mixture) }
    job.mixture.means.withUnsafeBufferPointer { means in
      job.mixture.variances.withUnsafeBufferPointer { variances in
        guard let means = means.baseAddress, let variances = variances.baseAddress else { return }
        density.load(means: means, variances: variances)
      }
    }
  }

  /// Does something for the next iteration that does not depend on its state: the deviates of one more tile like those that
  /// were computed last. Changes no bits.
  ///
  /// - Returns: false when there is nothing to do.
  public func prepareNext() -> Bool { job.map { samples.prepareNext($0) } ?? false }

  /// Tiles whose deviates had been made by ``prepareNext()``.
  package var tilesPrepared: Int { samples.foundAhead }

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
      try evaluate(job, job.tile(block: block, leaf: node.index), into: output)
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
    switch job.kind {
    case .empty: break
    case .gradient where coordinateDensity != nil: try coordinateGradient(job, tile, into: output)
    case .gradient: try gradient(job, tile, into: output)
    case .objective: try objective(job, tile, into: output)
    case .curvature: try curvature(job, tile, into: output)
    case .points, .reference: try values(job, tile, into: output)
    case .prediction: try predict(job, tile, into: output)
    case .rows: try predictor.predict(job, tile, into: output)
    }
  }

  /// Adds a tile's part of V and of its gradient at positions `[count, d]`.
  func evaluateTarget(
    _ part: Tile.Part, _ positions: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?
  ) throws {
    switch part {
    case .base:
      problem.target.accumulateBase(
        points: positions, count: count, value: value, gradient: gradient, workspace: workspace)
    case .rows(let rows):
      if let foreign {
        foreign.accumulateShards(
          rows, points: positions, count: count, value: value, gradient: gradient, workspace: workspace)
      }
      try problem.train?.withRows(rows) { block in
        problem.target.accumulateRows(
          block, points: positions, count: count, value: value, gradient: gradient, workspace: workspace)
      }
    }
  }

  /// Leaves samples that the target rejects out of all sums.
  ///
  /// - Returns: their places.
  @discardableResult
  func dropRejected(
    count: Int, values: UnsafeMutablePointer<Double>, gradients: UnsafeMutablePointer<Double>
  ) -> [Int] {
    guard foreign != nil else { return [] }
    let rejected = (0..<count).filter { values[$0] == .infinity }
    for row in rejected { drop(row, values, gradients) }
    return rejected
  }

  private func drop(
    _ row: Int, _ values: UnsafeMutablePointer<Double>, _ gradients: UnsafeMutablePointer<Double>
  ) {
    let dimension = problem.target.dimension
    values[row] = 0
    (gradients + row * dimension).update(repeating: 0, count: dimension)
  }

  /// Sums of the integrand in the metric's coordinates. What comes from V is summed in θ first: `Σ Lᵀ∇V = Lᵀ Σ∇V`, and
  /// `(u − m)·Lᵀ∇V = (θ − θ(m))·∇V`.
  private func gradient(_ job: TileJob, _ tile: Tile, into output: UnsafeMutablePointer<Double>) throws {
    let dimension = problem.target.dimension
    let count = tile.components.count * tile.samples.count
    samples.make(job, tile)
    let values = values.zeroed(count: count)
    let gradients = gradients.zeroed(count: count * dimension)
    guard !job.metric.isUnit else {
      if tile.part == .base { addDensity(count: count, logDensity: values, score: gradients) }
      try evaluateTarget(tile.part, samples.positions, count: count, value: values, gradient: gradients)
      dropRejected(count: count, values: values, gradients: gradients)
      try weigh(job, tile, values: values, gradients: gradients)
      guard job.factors.isEmpty else {
        return FullContraction.sum(
          tile, dimension: dimension, values: values, gradients: gradients, offsets: samples.offsets,
          into: output)
      }
      return contract(
        tile, values: values, gradients: gradients, offsets: samples.offsets, into: output)
    }
    try evaluateTarget(tile.part, samples.positions, count: count, value: values, gradient: gradients)
    let rejected = dropRejected(count: count, values: values, gradients: gradients)
    try weigh(job, tile, values: values, gradients: gradients)
    contract(tile, values: values, gradients: gradients, offsets: samples.shifts, into: output)
    pull(job.metric, tile, output)
    guard tile.part == .base else { return }
    let scores = scores.zeroed(count: count * dimension)
    let densities = self.values.zeroed(count: count)
    density.accumulate(points: samples.points, count: count, logDensity: densities, score: scores)
    for row in rejected { drop(row, densities, scores) }
    let width = tile.components.count * (dimension + 2)
    let entropy = partial.pointer(count: width)
    contract(tile, values: densities, gradients: scores, offsets: samples.offsets, into: entropy)
    for index in 0..<width { output[index] += entropy[index] }
    let volume = Double(tile.samples.count) * job.metric.logDeterminant
    for place in 0..<tile.components.count { output[place * (dimension + 2) + dimension + 1] -= volume }
  }

  /// Replaces each component's sum of gradients in θ by the one in u.
  private func pull(_ metric: Metric, _ tile: Tile, _ output: UnsafeMutablePointer<Double>) {
    let dimension = problem.target.dimension
    metric.factor.withUnsafeBufferPointer { factor in
      guard let factor = factor.baseAddress else { return }
      if metric.kind == .diagonal {
        for place in 0..<tile.components.count {
          for k in 0..<dimension { output[place * (dimension + 2) + k] *= factor[k] }
        }
        return
      }
      let pulled = partial.pointer(count: tile.components.count * dimension)
      BLAS.multiply(
        output, leadingDimension: dimension + 2, by: factor, leadingDimension: dimension,
        rows: tile.components.count, columns: dimension, inner: dimension, into: pulled,
        leadingDimension: dimension)
      for place in 0..<tile.components.count {
        for k in 0..<dimension { output[place * (dimension + 2) + k] = pulled[place * dimension + k] }
      }
    }
  }

  /// `log q(θ) + V(θ)` of each sample, where `log q(θ) = log q(u) − log |det L|`.
  private func objective(_ job: TileJob, _ tile: Tile, into output: UnsafeMutablePointer<Double>) throws {
    let count = tile.components.count * tile.samples.count
    samples.make(job, tile)
    output.update(repeating: 0, count: count)
    if tile.part == .base {
      addDensity(count: count, logDensity: output, score: nil)
      if !job.metric.isUnit {
        for index in 0..<count { output[index] -= job.metric.logDeterminant }
      }
    }
    try evaluateTarget(tile.part, samples.positions, count: count, value: output, gradient: nil)
  }

  /// Sums over pairs `θ± = θ(m) ± √ε L z` of `(∇V(θ+) − ∇V(θ−)) zᵀ / (2√ε)`, row-major `[d, d]` with the gradient's
  /// coordinate (in θ) first; or of its diagonal. By Stein's identity `E[∇²V] = E[∇V zᵀ]/√ε`.
  private func curvature(_ job: TileJob, _ tile: Tile, into output: UnsafeMutablePointer<Double>) throws {
    let dimension = problem.target.dimension
    samples.makePairs(job, tile)
    let count = samples.count
    let values = values.zeroed(count: 2 * count)
    let gradients = gradients.zeroed(count: 2 * count * dimension)
    try evaluateTarget(
      tile.part, samples.pairPositions, count: 2 * count, value: values, gradient: gradients)
    // A pair counts as a whole or not at all.
    for row in dropRejected(count: 2 * count, values: values, gradients: gradients) {
      drop(row < count ? row + count : row - count, values, gradients)
    }
    let mirrored = gradients + count * dimension
    let perComponent = tile.samples.count * dimension
    for (place, component) in tile.components.enumerated() {
      let factor = 0.5 / job.mixture.variances[component].squareRoot()
      for index in place * perComponent..<(place + 1) * perComponent {
        gradients[index] = factor * (gradients[index] - mirrored[index])
      }
    }
    let directions = samples.points
    if job.metric.kind == .dense {
      BLAS.multiplyTransposed(
        gradients, leadingDimension: dimension, by: directions, leadingDimension: dimension,
        rows: dimension, columns: dimension, inner: count, into: output, leadingDimension: dimension)
      return
    }
    output.update(repeating: 0, count: dimension)
    for row in 0..<count {
      for k in 0..<dimension {
        output[k] += gradients[row * dimension + k] * directions[row * dimension + k]
      }
    }
  }

  /// V and its gradient at points given in θ: `[points, d + 1]`.
  private func values(_ job: TileJob, _ tile: Tile, into output: UnsafeMutablePointer<Double>) throws {
    let dimension = problem.target.dimension
    let count = tile.components.count
    let values = values.zeroed(count: count)
    let gradients = gradients.zeroed(count: count * dimension)
    try job.mixture.means.withUnsafeBufferPointer { points in
      guard let points = points.baseAddress else { return }
      try evaluateTarget(
        tile.part, points + tile.components.lowerBound * dimension, count: count, value: values,
        gradient: gradients)
    }
    for row in 0..<count {
      let target = output + row * (dimension + 1)
      target[0] = values[row]
      for k in 0..<dimension { target[1 + k] = gradients[row * dimension + k] }
    }
  }

  /// Adds the mixture's log density, and its score unless nil, at the samples.
  func addDensity(
    count: Int, logDensity: UnsafeMutablePointer<Double>, score: UnsafeMutablePointer<Double>?
  ) {
    if let fullDensity {
      fullDensity.accumulate(points: samples.points, count: count, logDensity: logDensity, score: score)
    } else if let coordinateDensity {
      coordinateDensity.accumulate(points: samples.points, count: count, logDensity: logDensity, score: score)
    } else {
      density.accumulate(points: samples.points, count: count, logDensity: logDensity, score: score)
    }
  }

  /// Sums over samples: `[components, d + 2]`.
  private func contract(
    _ tile: Tile, values: UnsafePointer<Double>, gradients: UnsafePointer<Double>,
    offsets: UnsafePointer<Double>, into output: UnsafeMutablePointer<Double>
  ) {
    let dimension = problem.target.dimension
    let samples = tile.samples.count
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
    samples.makeDraws(job, count: tile.samples.count)
    var scores = PredictiveScores()
    try test.withRows(rows) { block in
      problem.target.accumulateScores(
        block, draws: samples.positions, count: samples.count, into: &scores, workspace: workspace)
    }
    for (index, value) in scores.values.enumerated() { output[index] = value }
  }
}

/// Zeroable numbers of one thread that grow to the largest request.
final class Scratch {
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
