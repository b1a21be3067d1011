extension TileEvaluator {
  /// Makes an unbiased estimate of V and its gradient from what a minibatch's tile gave: rows count M/m times, less what
  /// they are at the reference points; the base has what all rows are there.
  ///
  /// Done for each sample and not for the sums, so that products with `x − m` are estimates of the same kind whatever the
  /// samples are.
  func weigh(
    _ job: TileJob, _ tile: Tile, values: UnsafeMutablePointer<Double>,
    gradients: UnsafeMutablePointer<Double>
  ) throws {
    guard job.batch != nil else { return }
    guard tile.part != .base else {
      if let variate = job.variate {
        variate.gradients.withUnsafeBufferPointer { all in
          guard let first = all.baseAddress else { return }
          add(
            1, times: first + tile.components.lowerBound * problem.target.dimension, variate, tile,
            to: gradients)
        }
      }
      return
    }
    if let variate = job.variate { try subtractReference(variate, tile, from: gradients) }
    let scale = job.batchScale
    let count = tile.components.count * tile.samples.count
    for index in 0..<count { values[index] *= scale }
    for index in 0..<count * problem.target.dimension { gradients[index] *= scale }
  }

  /// Subtracts the tile's gradient at each component's reference point from those at its samples.
  private func subtractReference(
    _ variate: ControlVariate, _ tile: Tile, from gradients: UnsafeMutablePointer<Double>
  ) throws {
    let dimension = problem.target.dimension
    let components = tile.components.count
    let values = referenceGradients.zeroed(count: components * (dimension + 1))
    let references = values + components
    try variate.points.withUnsafeBufferPointer { points in
      guard let points = points.baseAddress else { return }
      try evaluateTarget(
        tile.part, points + tile.components.lowerBound * dimension, count: components, value: values,
        gradient: references)
    }
    add(-1, times: references, variate, tile, to: gradients)
  }

  /// Adds a multiple of each usable component's row of `[components, d]` to the gradients at its samples.
  private func add(
    _ factor: Double, times rows: UnsafePointer<Double>, _ variate: ControlVariate, _ tile: Tile,
    to gradients: UnsafeMutablePointer<Double>
  ) {
    let dimension = problem.target.dimension
    for (place, component) in tile.components.enumerated() where variate.isUsable[component] {
      let row = rows + place * dimension
      for sample in place * tile.samples.count..<(place + 1) * tile.samples.count {
        for k in 0..<dimension { gradients[sample * dimension + k] += factor * row[k] }
      }
    }
  }
}
