import Mixtures

/// Gradients where coordinates have mixtures of their own.
extension TileEvaluator {
  /// Sums over the samples whose coordinate k comes from component i: of `G_k` and of `(x_k − m_ik) G_k`, with
  /// `G = ∇ log q + ∇V` on the base tile and the rows' part of `∇V` on the others: `[N, 2d]`, of all components, d numbers of the first
  /// kind, then d of the second.
  ///
  /// Every block of samples has each component once in every coordinate, so that the sums are over B samples each. For
  /// component i of coordinate k, `E[G_k | x_k ~ N(m_ik, ε_ik)]` with the other coordinates drawn from q is N times the
  /// derivative of `F = E_q[log q + V]` by `m_ik`.
  func coordinateGradient(_ job: TileJob, _ tile: Tile, into output: UnsafeMutablePointer<Double>) throws {
    let dimension = problem.target.dimension
    let count = tile.components.count * tile.samples.count
    samples.make(job, tile)
    let values = self.values.zeroed(count: count)
    let gradients = self.gradients.zeroed(count: count * dimension)
    if tile.part == .base { addDensity(count: count, logDensity: values, score: gradients) }
    try evaluateTarget(tile.part, samples.positions, count: count, value: values, gradient: gradients)
    dropRejected(count: count, values: values, gradients: gradients)
    try weigh(job, tile, values: values, gradients: gradients)
    output.update(repeating: 0, count: 2 * job.plan.components * dimension)
    CoordinateMixture.contract(
      chosen: samples.chosen, count: count, dimension: dimension, gradients: gradients,
      offsets: samples.offsets, into: output)
  }
}
