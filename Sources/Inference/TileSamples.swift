import Mixtures
import NumericsKit
import Specification

/// Samples of some components.
struct SampleRange: Hashable {
  let components: Range<Int>
  let samples: Range<Int>
}

extension Tile {
  fileprivate var sampleRange: SampleRange { SampleRange(components: components, samples: samples) }
}

/// The samples of one tile, made from the counter-based noise: `u = m + √ε z` (full covariances: `m + F z`), and where
/// they are in θ.
///
/// Belongs to one thread. Pointers are valid until the next tile is made.
final class TileSamples {
  let noise: Noise
  let sampling: Sampling
  let dimension: Int
  private var directions: OrthogonalDirections
  private var made: (job: ObjectIdentifier, samples: SampleRange)?
  private let normals = Scratch()
  private let offsetNumbers = Scratch()
  private let pointNumbers = Scratch()
  private let shiftNumbers = Scratch()
  private let positionNumbers = Scratch()
  private let centerNumbers = Scratch()
  /// Deviates of the next iteration.
  private let ahead = DeviatesAhead()
  /// Tiles whose deviates had been made ahead.
  var foundAhead: Int { ahead.found }
  /// The samples' components, where each coordinate has its own.
  let assignment = CoordinateAssignment()

  /// Number of samples.
  private(set) var count = 0

  init(noise: Noise, sampling: Sampling, dimension: Int) {
    self.noise = noise
    self.sampling = sampling
    self.dimension = dimension
    directions = OrthogonalDirections(noise: noise, dimension: dimension)
  }

  /// `u − m`, row-major `[count, d]`.
  var offsets: UnsafeMutablePointer<Double> { offsetNumbers.pointer(count: count * dimension) }
  /// u, row-major `[count, d]`.
  var points: UnsafeMutablePointer<Double> { pointNumbers.pointer(count: count * dimension) }
  /// `θ − θ(m) = L (u − m)`, row-major `[count, d]`.
  var shifts: UnsafeMutablePointer<Double> {
    isUnit ? offsets : shiftNumbers.pointer(count: count * dimension)
  }
  /// θ, row-major `[count, d]`.
  var positions: UnsafeMutablePointer<Double> {
    isUnit ? points : positionNumbers.pointer(count: count * dimension)
  }

  /// θ of both samples of each pair, row-major `[2 count, d]`.
  var pairPositions: UnsafeMutablePointer<Double> { positionNumbers.pointer(count: 2 * count * dimension) }

  private var isUnit = true

  /// Makes a gradient's or an objective's samples of a tile, unless they are the ones made last.
  func make(_ job: TileJob, _ tile: Tile) {
    let key = (job: ObjectIdentifier(job), samples: tile.sampleRange)
    if let made, made == key { return }
    begin(job, count: tile.components.count * tile.samples.count)
    made = key
    if job.plan.factorization == .coordinates { return makeCoordinates(job, tile) }
    let perComponent = tile.samples.count * dimension
    let ready =
      job.kind == .gradient
      ? ahead.take(tile.sampleRange, count: count * dimension, iteration: job.iteration) : nil
    for (place, component) in tile.components.enumerated() {
      let offset = offsets + place * perComponent
      if let ready {
        offset.update(from: ready + place * perComponent, count: perComponent)
      } else {
        fill(job, component: component, samples: tile.samples, into: offset)
      }
      spread(job, component, offset, count: tile.samples.count)
    }
    place(job, tile)
  }

  /// Makes deviates that the next iteration's gradient will need, of one tile; false when nothing is left to do.
  func prepareNext(_ job: TileJob) -> Bool {
    guard job.kind == .gradient, job.plan.factorization != .coordinates else { return false }
    return ahead.prepareOne(count: { $0.components.count * $0.samples.count * dimension }) {
      range, iteration, output in
      for (place, component) in range.components.enumerated() {
        fill(
          job, iteration: iteration, component: component, samples: range.samples,
          into: output + place * range.samples.count * dimension)
      }
    }
  }

  /// Replaces deviates z of one component by `√ε z`, or by `F z`.
  private func spread(
    _ job: TileJob, _ component: Int, _ deviates: UnsafeMutablePointer<Double>, count: Int
  ) {
    guard job.factors.isEmpty else {
      job.factors.withUnsafeBufferPointer { factors in
        guard let base = factors.baseAddress else { return }
        FullMixture.spread(
          deviates, count: count, by: base + component * dimension * dimension, dimension: dimension)
      }
      return
    }
    let deviation = job.mixture.variances[component].squareRoot()
    for index in 0..<count * dimension { deviates[index] *= deviation }
  }

  /// Forgets what was made.
  func forget() { made = nil }

  private func begin(_ job: TileJob, count: Int) {
    self.count = count
    isUnit = job.metric.isUnit
    // The buffers must all have their size before pointers into them are used.
    _ = (offsets, points, shifts, positions)
  }

  /// Standard normal deviates of one component's samples.
  ///
  /// - Parameter iteration: nil for the job's own.
  func fill(
    _ job: TileJob, iteration: Int? = nil, component: Int, samples: Range<Int>,
    into output: UnsafeMutablePointer<Double>
  ) {
    let iteration = iteration ?? job.iteration
    guard job.kind == .gradient, sampling != .independent else {
      return noise.fillNormals(
        job.kind.stream, iteration: iteration, component: component, samples: samples,
        dimension: dimension, into: output)
    }
    if sampling == .sobol {
      return SobolNormals.fill(
        noise: noise, iteration: iteration, component: component, samples: samples,
        dimension: dimension, into: output)
    }
    // Samples 2p and 2p + 1 are a pair.
    let pairs = samples.lowerBound / 2..<(samples.upperBound + 1) / 2
    let numbers = normals.pointer(count: pairs.count * dimension)
    noise.fillNormals(
      job.kind.stream, iteration: iteration, component: component, samples: pairs,
      dimension: dimension, into: numbers)
    for sample in samples {
      let from = numbers + (sample / 2 - pairs.lowerBound) * dimension
      let to = output + (sample - samples.lowerBound) * dimension
      let sign = sample & 1 == 0 ? 1.0 : -1.0
      for k in 0..<dimension { to[k] = sign * from[k] }
    }
  }

  /// θ(m) of a tile's components, `[components, d]`.
  private func centers(_ job: TileJob, _ tile: Tile) -> UnsafeMutablePointer<Double> {
    let centers = centerNumbers.pointer(count: tile.components.count * dimension)
    job.mixture.means.withUnsafeBufferPointer { means in
      guard let means = means.baseAddress else { return }
      job.metric.positions(
        of: means + tile.components.lowerBound * dimension, count: tile.components.count, into: centers)
    }
    return centers
  }

  /// Adds the means, in u and in θ.
  private func place(_ job: TileJob, _ tile: Tile) {
    let samples = tile.samples.count
    job.mixture.means.withUnsafeBufferPointer { means in
      guard let means = means.baseAddress else { return }
      let first = means + tile.components.lowerBound * dimension
      add(first, components: tile.components.count, samples: samples, to: offsets, into: points)
      guard !isUnit else { return }
      let centers = centers(job, tile)
      job.metric.directions(of: offsets, count: count, into: shifts)
      add(centers, components: tile.components.count, samples: samples, to: shifts, into: positions)
    }
  }

  private func add(
    _ means: UnsafePointer<Double>, components: Int, samples: Int, to offsets: UnsafePointer<Double>,
    into output: UnsafeMutablePointer<Double>
  ) {
    for component in 0..<components {
      let mean = means + component * dimension
      for row in component * samples..<(component + 1) * samples {
        for k in 0..<dimension { output[row * dimension + k] = mean[k] + offsets[row * dimension + k] }
      }
    }
  }

  /// Makes the mirrored pairs of a curvature's tile: directions z in `points`, and in `positions` first all
  /// `θ(m) + √ε L z`, then all `θ(m) − √ε L z`; `count` is the number of pairs.
  ///
  /// Directions are rows of orthogonal frames for a full matrix; random signs for a diagonal, whose estimate they
  /// make exact when the curvature is diagonal (Hutchinson 1990; Bekas, Kokiopoulou, Saad 2007).
  func makePairs(_ job: TileJob, _ tile: Tile) {
    let key = (job: ObjectIdentifier(job), samples: tile.sampleRange)
    if let made, made == key { return }
    let samples = tile.samples.count
    count = tile.components.count * samples
    isUnit = false
    let directions = pointNumbers.pointer(count: count * dimension)
    let offsets = offsetNumbers.pointer(count: count * dimension)
    let shifts = shiftNumbers.pointer(count: count * dimension)
    let positions = positionNumbers.pointer(count: 2 * count * dimension)
    for (place, component) in tile.components.enumerated() {
      let rows = directions + place * samples * dimension
      let start = component * job.plan.samples + tile.samples.lowerBound
      if job.metric.kind == .dense {
        self.directions.fill(start..<start + samples, iteration: job.iteration, into: rows)
      } else {
        noise.fillUniforms(
          .curvature, iteration: job.iteration, component: component, samples: tile.samples,
          dimension: dimension, into: rows)
        for index in 0..<samples * dimension { rows[index] = rows[index] <= 0.5 ? 1 : -1 }
      }
      let deviation = job.mixture.variances[component].squareRoot()
      for index in place * samples * dimension..<(place + 1) * samples * dimension {
        offsets[index] = deviation * directions[index]
      }
    }
    job.metric.directions(of: offsets, count: count, into: shifts)
    let centers = centers(job, tile)
    for place in 0..<tile.components.count {
      for row in place * samples..<(place + 1) * samples {
        for k in 0..<dimension {
          let index = row * dimension + k
          positions[index] = centers[place * dimension + k] + shifts[index]
          positions[count * dimension + index] = centers[place * dimension + k] - shifts[index]
        }
      }
    }
    made = key
  }

  /// Makes the draws for predictive scores, `[count, d]` in θ: from each component equally many when there are enough
  /// draws (the planner makes their number a multiple of N), otherwise from one in each of `count` equal strata.
  func makeDraws(_ job: TileJob, count draws: Int) {
    let key = (
      job: ObjectIdentifier(job),
      samples: SampleRange(components: 0..<job.plan.components, samples: 0..<draws)
    )
    if let made, made == key { return }
    begin(job, count: draws)
    made = key
    if job.plan.factorization == .coordinates { return makeCoordinateDraws(job, count: draws) }
    for draw in 0..<draws {
      let component = predictiveComponent(job, draw: draw, of: draws)
      let target = points + draw * dimension
      noise.fillNormals(
        job.kind.stream, iteration: job.iteration, component: component, samples: draw..<draw + 1,
        dimension: dimension, into: target)
      spread(job, component, target, count: 1)
      for k in 0..<dimension { target[k] += job.mixture.means[component * dimension + k] }
    }
    if !isUnit { job.metric.positions(of: points, count: draws, into: positions) }
  }

  /// Makes mirrored pairs of draws for predictions of rows, `[2 pairs, d]` in θ: `m + F z` and `m − F z`, so that averages
  /// of what is linear in θ are exact. Components as for predictive scores, by pairs.
  ///
  /// Where coordinates have mixtures of their own, a pair's coordinates share their components.
  func makeRowDraws(_ job: TileJob, pairs: Int) {
    let key = (
      job: ObjectIdentifier(job),
      samples: SampleRange(components: 0..<job.plan.components, samples: 0..<2 * pairs)
    )
    if let made, made == key { return }
    begin(job, count: 2 * pairs)
    made = key
    if job.plan.factorization == .coordinates {
      return makeCoordinatePairs(job, pairs: pairs, iteration: TileSamples.rowIteration)
    }
    for pair in 0..<pairs {
      let component = predictiveComponent(job, draw: pair, of: pairs, iteration: TileSamples.rowIteration)
      let first = points + 2 * pair * dimension
      let second = first + dimension
      noise.fillNormals(
        .prediction, iteration: TileSamples.rowIteration, component: component, samples: pair..<pair + 1,
        dimension: dimension, into: first)
      spread(job, component, first, count: 1)
      for k in 0..<dimension {
        let (mean, offset) = (job.mixture.means[component * dimension + k], first[k])
        first[k] = mean + offset
        second[k] = mean - offset
      }
    }
    if !isUnit { job.metric.positions(of: points, count: 2 * pairs, into: positions) }
  }

  /// Uniform deviates, one in each of `count` equal strata of (0, 1], in random order.
  func makeStrata(count: Int) -> [Double] {
    var places = [Double](repeating: 0, count: count)
    var keys = [Double](repeating: 0, count: count)
    noise.fillUniforms(
      .prediction, iteration: TileSamples.rowIteration + 1, component: 0, samples: 0..<1, dimension: count,
      into: &places)
    noise.fillUniforms(
      .prediction, iteration: TileSamples.rowIteration + 1, component: 1, samples: 0..<1, dimension: count,
      into: &keys)
    let order = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    return order.indices.map { (Double(order[$0]) + places[$0]) / Double(count) }
  }

  /// The noise's iteration for predictions of rows: no fit has so many.
  private static let rowIteration = 3 << 30

  private func predictiveComponent(_ job: TileJob, draw: Int, of count: Int, iteration: Int? = nil) -> Int {
    let components = job.mixture.componentCount
    guard components > count else { return draw % components }
    var uniform = 0.0
    noise.fillUniforms(
      .prediction, iteration: iteration ?? job.iteration, component: 0, samples: draw..<draw + 1,
      dimension: 1,
      into: &uniform)
    let place = (Double(draw) + 1 - uniform) * Double(components) / Double(count)
    return min(Int(place), components - 1)
  }
}
