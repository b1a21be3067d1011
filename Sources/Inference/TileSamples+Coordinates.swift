import Mixtures
import Specification

/// Samples of mixtures that coordinates have of their own.
extension TileSamples {
  /// The samples' components, row-major `[count, d]`.
  var chosen: UnsafeMutablePointer<Int32> { assignment.reserve(count: count, dimension: dimension) }

  /// Makes the samples at some places of some blocks, `[places, blocks, d]`: `x_k = m_ik + √ε_ik z_k` with the component i that
  /// the block's permutation for coordinate k has at the place.
  ///
  /// The blocks 2p and 2p + 1 of antithetic samples share their permutations, so that their samples are pairs
  /// `m ± √ε z` in all coordinates.
  func makeCoordinates(_ job: TileJob, _ tile: Tile) {
    let blocks = tile.samples.count
    let chosen = self.chosen
    let isPaired = job.kind == .gradient && sampling == .antithetic
    for (place, index) in tile.components.enumerated() {
      fill(job, component: index, samples: tile.samples, into: offsets + place * blocks * dimension)
    }
    for (row, block) in tile.samples.enumerated() {
      assignment.fill(
        noise, job.kind, iteration: job.iteration, block: isPaired ? block / 2 : block,
        components: job.plan.components, dimension: dimension, places: tile.components,
        into: chosen + row * dimension, stride: blocks * dimension)
    }
    placeCoordinates(job)
  }

  /// Makes draws for predictive scores, `[count, d]`: N of each block, and the first places of the last one.
  func makeCoordinateDraws(_ job: TileJob, count draws: Int) {
    let components = job.plan.components
    let chosen = self.chosen
    for first in stride(from: 0, to: draws, by: components) {
      let block = first / components
      let places = 0..<min(components, draws - first)
      for place in places {
        noise.fillNormals(
          job.kind.stream, iteration: job.iteration, component: place, samples: block..<block + 1,
          dimension: dimension, into: offsets + (first + place) * dimension)
      }
      assignment.fill(
        noise, job.kind, iteration: job.iteration, block: block, components: components, dimension: dimension,
        places: places, into: chosen + first * dimension, stride: dimension)
    }
    placeCoordinates(job)
  }

  /// Makes mirrored pairs of draws `m ± √ε z` for predictions of rows, `[2 pairs, d]`: N pairs of each block, and the
  /// first places of the last one.
  func makeCoordinatePairs(_ job: TileJob, pairs: Int, iteration: Int) {
    let components = job.plan.components
    let (chosen, deviates) = (self.chosen, offsets)
    for first in stride(from: 0, to: pairs, by: components) {
      let block = first / components
      let places = 0..<min(components, pairs - first)
      assignment.fill(
        noise, .rows, iteration: iteration, block: block, components: components, dimension: dimension,
        places: places, into: chosen + 2 * first * dimension, stride: 2 * dimension)
      for place in places {
        let row = 2 * (first + place) * dimension
        noise.fillNormals(
          .prediction, iteration: iteration, component: place, samples: block..<block + 1,
          dimension: dimension, into: deviates + row)
        for k in row..<row + dimension {
          chosen[k + dimension] = chosen[k]
          deviates[k + dimension] = -deviates[k]
        }
      }
    }
    placeCoordinates(job)
  }

  /// Turns deviates into offsets and points.
  private func placeCoordinates(_ job: TileJob) {
    CoordinateMixture.place(
      chosen: chosen, count: count, dimension: dimension, of: job.mixture, offsets: offsets, points: points)
  }
}
