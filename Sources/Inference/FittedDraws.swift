import Mixtures
import NumericsKit

/// Independent draws of a fitted mixture, by number: the same number, the same draw.
///
/// Either fresh ones (a component chosen with equal probabilities, then a deviate), or the ones by which a fit was
/// judged: as many from every component, in an order shuffled once, so that any consecutive ones are like any others.
/// Where coordinates have mixtures of their own, components are chosen for each of them.
public struct FittedDraws: Sendable {
  /// How many there are.
  public let count: Int
  /// `log q + V` at each draw, `[count]`; nil where it was not evaluated.
  public let integrands: [Double]?
  private let mixture: IsotropicMixture
  private let factors: [Double]
  private let metric: Metric
  private let factorization: Factorization
  /// What they and what belongs to them is drawn with.
  public let noise: Noise
  private let origin: Origin

  private enum Origin: Sendable {
    case fresh
    /// Where draw number s is among the judgement's `[component, draw]`, and how these were numbered in its rounds.
    case judged(order: [Int], perComponent: Int, perRound: Int)
  }

  /// Numbers of the noise's iteration in the stream of draws.
  private enum Iteration {
    static let components = 0
    static let deviates = 1
    static let order = 2
  }

  /// Fresh draws.
  /// - Parameters:
  ///   - mixture: in the metric's coordinates; N·d components of one dimension where coordinates have mixtures of
  ///     their own.
  ///   - factors: of full covariances, row-major `[N, d, d]`; empty without.
  public init(
    of mixture: IsotropicMixture, factors: [Double], metric: Metric, factorization: Factorization = .full,
    seed: UInt64, count: Int
  ) {
    self.count = count
    self.mixture = mixture
    self.factors = factors
    self.metric = metric
    self.factorization = factorization
    noise = Noise(seed: seed)
    origin = .fresh
    integrands = nil
  }

  /// Draws of a judgement: `perComponent` of every component, `perRound` of them in one pass. Where coordinates have
  /// mixtures of their own, of every place in blocks of N.
  /// - Parameters:
  ///   - integrands: `log q + V`, `[components, perComponent]`; nil where the fit was not judged.
  ///   - count: as many of them at most.
  init(
    judging mixture: IsotropicMixture, factors: [Double], metric: Metric, factorization: Factorization,
    noise: Noise, perComponent: Int, perRound: Int, integrands: [Double]?, atMost count: Int
  ) {
    let components = mixture.means.count / metric.dimension
    let total = components * perComponent
    var keys = [Double](repeating: 0, count: total)
    noise.fillUniforms(
      .draws, iteration: Iteration.order, component: 0, samples: 0..<total, dimension: 1, into: &keys)
    let shuffled = keys.indices.sorted { keys[$0] != keys[$1] ? keys[$0] < keys[$1] : $0 < $1 }
    let order = Array(shuffled.prefix(count))
    self.count = order.count
    self.integrands = integrands.map { integrands in order.map { integrands[$0] } }
    self.mixture = mixture
    self.factors = factors
    self.metric = metric
    self.factorization = factorization
    self.noise = noise
    origin = .judged(order: order, perComponent: perComponent, perRound: perRound)
  }

  /// Dimension of θ, d.
  public var dimension: Int { metric.dimension }

  /// N.
  private var components: Int { mixture.means.count / dimension }

  /// Makes draws; one thread each.
  public func maker() -> Maker { Maker(self) }

  /// Makes draws in blocks, whose bounds don't depend on what is asked for, so that a draw has the same bits in every
  /// table.
  public final class Maker {
    private let draws: FittedDraws
    private let sampler: Sampler

    private enum Sampler {
      case whole(MixtureSampler)
      case coordinates(CoordinateMixtureSampler, CoordinateAssignment)
    }

    fileprivate init(_ draws: FittedDraws) {
      self.draws = draws
      sampler =
        switch draws.factorization {
        case .full:
          .whole(MixtureSampler(draws.mixture, factors: draws.factors, metric: draws.metric))
        case .coordinates:
          .coordinates(
            CoordinateMixtureSampler(CoordinateMixture(draws.mixture, dimension: draws.dimension)),
            CoordinateAssignment())
        }
    }

    /// Some draws in θ, row-major `[range, d]`, and `log q` there.
    public func make(_ range: Range<Int>) -> (positions: [Double], logDensities: [Double]) {
      let size = FittedDraws.blockSize(dimension: draws.dimension)
      let d = draws.dimension
      var positions: [Double] = []
      var logDensities: [Double] = []
      var start = range.lowerBound / size * size
      while start < range.upperBound {
        let block = make(start, size)
        let wanted = max(range.lowerBound - start, 0)..<min(range.upperBound - start, size)
        positions += block.positions[wanted.lowerBound * d..<wanted.upperBound * d]
        logDensities += block.logDensities[wanted]
        start += size
      }
      return (positions, logDensities)
    }

    /// A whole block; behind the last draw it goes on with the last one, because the bits of a matrix product may depend
    /// on the number of rows.
    private func make(_ start: Int, _ size: Int) -> (positions: [Double], logDensities: [Double]) {
      let d = draws.dimension
      var deviates = [Double](repeating: 0, count: size * d)
      func fill(_ group: (Int) -> Int) {
        deviates.withUnsafeMutableBufferPointer { deviates in
          guard let base = deviates.baseAddress else { return }
          for row in 0..<size { draws.fill(start + row, group(row), into: base + row * d) }
        }
      }
      switch sampler {
      case .whole(let sampler):
        let components = (start..<start + size).map { draws.component(of: $0) }
        fill { components[$0] }
        return sampler.draws(from: deviates, components: components)
      case .coordinates(let sampler, let assignment):
        var chosen = [Int32](repeating: 0, count: size * d)
        chosen.withUnsafeMutableBufferPointer { chosen in
          guard let base = chosen.baseAddress else { return }
          for row in 0..<size { draws.choose(start + row, assignment, into: base + row * d) }
        }
        fill { draws.place(of: start + $0) }
        return sampler.draws(from: deviates, chosen: chosen)
      }
    }
  }

  /// Draws that are made together: some hundred, and no more than fit into memory easily.
  public static func blockSize(dimension: Int) -> Int {
    max(1, min(mostPerBlock, blockBytes / (8 * max(1, dimension))))
  }

  private static let mostPerBlock = 256
  private static let blockBytes = 8 << 20

  private func component(of draw: Int) -> Int {
    switch origin {
    case .fresh:
      var chosen = 0.0
      noise.fillUniforms(
        .draws, iteration: Iteration.components, component: 0, samples: draw..<draw + 1, dimension: 1,
        into: &chosen)
      return component(chosen)
    case .judged:
      return place(of: draw)
    }
  }

  /// The component that a uniform deviate in (0, 1] chooses.
  private func component(_ uniform: Double) -> Int {
    // 1 − u is in [0, 1).
    min(Int((1 - uniform) * Double(components)), components - 1)
  }

  /// The component whose draw a judgement's is, or its place in a block of N; 0 for a fresh draw.
  private func place(of draw: Int) -> Int {
    guard case .judged(let order, let perComponent, _) = origin else { return 0 }
    return order[min(draw, order.count - 1)] / perComponent
  }

  /// The component of every coordinate of a draw, `[d]`.
  private func choose(
    _ draw: Int, _ assignment: CoordinateAssignment, into output: UnsafeMutablePointer<Int32>
  ) {
    switch origin {
    case .fresh:
      var uniforms = [Double](repeating: 0, count: dimension)
      noise.fillUniforms(
        .draws, iteration: Iteration.components, component: 0, samples: draw..<draw + 1,
        dimension: dimension, into: &uniforms)
      for k in uniforms.indices { output[k] = Int32(component(uniforms[k])) }
    case .judged(let order, let perComponent, let perRound):
      let sample = order[min(draw, order.count - 1)] % perComponent
      let place = place(of: draw)
      assignment.fill(
        noise, .objective, iteration: Fit.NoiseIterations.judgement + sample / perRound,
        block: sample % perRound, components: components, dimension: dimension, places: place..<place + 1,
        into: output, stride: dimension)
    }
  }

  private func fill(_ draw: Int, _ component: Int, into output: UnsafeMutablePointer<Double>) {
    switch origin {
    case .fresh:
      noise.fillNormals(
        .draws, iteration: Iteration.deviates, component: component, samples: draw..<draw + 1,
        dimension: dimension, into: output)
    case .judged(let order, let perComponent, let perRound):
      let place = order[min(draw, order.count - 1)] % perComponent
      let sample = place % perRound
      noise.fillNormals(
        .objective, iteration: Fit.NoiseIterations.judgement + place / perRound, component: component,
        samples: sample..<sample + 1, dimension: dimension, into: output)
    }
  }
}

extension Fit {
  /// Draws for the outputs of a fit that was not judged.
  static let unjudgedDraws = 4000

  /// The draws by which the finished fit was judged, with `log q + V` at each: nothing has to be evaluated again. Where
  /// there was no judgement, the first ones of one, without.
  public func draws(atMost count: Int) -> FittedDraws {
    let perRound = plan.objective.samples
    let isJudged = !judgedIntegrands.isEmpty
    let perComponent =
      isJudged
      ? judgedIntegrands.count / components
      : ceilingDivision(Fit.unjudgedDraws, components * perRound) * perRound
    return FittedDraws(
      judging: mixture, factors: factors, metric: metric, factorization: plan.problem.factorization,
      noise: noise, perComponent: perComponent, perRound: perRound,
      integrands: isJudged ? judgedIntegrands : nil, atMost: count)
  }
}
