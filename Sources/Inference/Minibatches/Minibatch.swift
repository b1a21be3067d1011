import NumericsKit

/// Which row tiles make an iteration's minibatch: m of M without replacement, every set of m equally likely.
///
/// A tile is in the batch with probability m/M, so that `M/m · Σ_batch` has the sum over all tiles for its expectation,
/// exactly, also when the last tile is shorter than the others. A batch is a function of (seed, iteration): workers draw
/// it themselves, and all draw the same.
public enum Minibatch {
  /// The tiles of a batch, ascending, by Floyd's algorithm (Bentley and Floyd, CACM 30, 1987): m random numbers
  /// whatever M is.
  ///
  /// - Parameters:
  ///   - count: m, at most `total`.
  ///   - total: M.
  public static func draw(_ count: Int, of total: Int, iteration: Int, noise: Noise) -> [Int] {
    guard count < total else { return Array(0..<total) }
    var uniforms = [Double](repeating: 0, count: count)
    noise.fillUniforms(
      .minibatch, iteration: iteration, component: 0, samples: 0..<count, dimension: 1, into: &uniforms)
    return choose(count, of: total, by: uniforms)
  }

  /// The set that uniform deviates in (0, 1] choose.
  package static func choose(_ count: Int, of total: Int, by uniforms: [Double]) -> [Int] {
    var chosen: Set<Int> = []
    for (uniform, last) in zip(uniforms, total - count..<total) {
      let candidate = min(Int((1 - uniform) * Double(last + 1)), last)
      if !chosen.insert(candidate).inserted { chosen.insert(last) }
    }
    return chosen.sorted()
  }
}

extension JobPlan {
  /// Row tiles that a job visits: all of them, or as many as a batch has.
  public var drawnTiles: Int {
    guard let batchRows else { return rowTiles }
    return min(rowTiles, max(1, (batchRows + rowsPerTile / 2) / rowsPerTile))
  }

  /// What a batch is, in words; nil without.
  public var batchDescription: String? {
    guard batchRows != nil else { return nil }
    return
      "a gradient is estimated from \(min(drawnTiles * rowsPerTile, rows)) of \(rows) rows: \(drawnTiles) of "
      + "\(rowTiles) blocks of \(rowsPerTile), in shuffled order"
  }
}
