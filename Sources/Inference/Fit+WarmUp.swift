import Foundation
import Mixtures
import NumericsKit
import Specification

/// The warm-up: windows of iterations, after each of which coordinates are learned and components moved.
extension Fit {
  /// Shares of the warm-up at which its windows end: short ones first, because the first estimates are made far from the
  /// posterior and soon outdated.
  private static let schedule = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1]

  /// Iterations at which the windows of the warm-up end; none when there is nothing to learn.
  static func windows(_ settings: InferenceSpecification) -> [Int] {
    let learns = settings.hasAutomaticSteps || settings.metric != .unit || settings.relocation
    let total = min(
      settings.warmUp ?? (learns ? InferenceSpecification.usualWarmUp : 0), settings.iterations / 2)
    guard total > 0 else { return [] }
    var ends: [Int] = []
    for share in schedule {
      let end = Int((share * Double(total)).rounded())
      if end > ends.last ?? 0 { ends.append(end) }
    }
    return ends
  }

  /// Rounds of curvature estimates at the end of each window: more when the mixture has settled.
  static let curvatureRounds = [2, 2, 2, 2, 3, 3, 4, 4]
  /// Directions of one round over all components, in multiples of the dimension: at most, and as many at least, with
  /// which the curvature of a quadratic is exact.
  static let (curvatureFrames, fewestCurvatureFrames) = (4, 1)
  /// How far the metric follows an estimate at the end of each window: all the way at first; later estimates are
  /// averaged, because the whole way may overshoot when the curvature depends on where the mixture is.
  static let metricShares = [1.0, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
  /// Windows after which modes are searched for.
  static let searches = 1...3

  /// Points from which modes are searched for at once.
  static func searchPoints(components: Int) -> Int { min(max(64, 16 * components), 1024) }
  /// As many, however much one of them costs.
  static let fewestSearchPoints = 8

  /// Windows that are added to the warm-up, at most, while the estimates still change the metric much.
  static let mostExtraWindows = 6
  /// Iterations of an added window.
  static let extraWindow = 100
  /// The metric has settled when no eigenvalue of the curvature that is left is this many times the mean or less than that
  /// part of it.
  static let settledSpread = 3.0

  /// Iterations at which the windows of the warm-up end, with those added.
  var windows: [Int] {
    guard let last = plannedWindows.last, extraWindows > 0 else { return plannedWindows }
    return plannedWindows + (1...extraWindows).map { last + $0 * Fit.extraWindow }
  }

  /// What remains to be done at the end of a window.
  struct WindowClosing: Sendable {
    let window: Int
    let curvatureRounds: Int
    var curvature: [[Double]] = []
    var rewards: [Double]?
    var search: ModeSearch?

    init(_ fit: Fit) {
      window = fit.windowsClosed
      let last = Fit.curvatureRounds.count - 1
      curvatureRounds = fit.metric.isUnit ? 0 : Fit.curvatureRounds[min(window, last)]
    }

    /// The job that comes next.
    func job(at iteration: Int) -> FitJob {
      if search != nil { return FitJob(kind: .points, iteration: window + 1) }
      if curvature.count < curvatureRounds {
        return FitJob(kind: .curvature, iteration: window * 16 + curvature.count)
      }
      return FitJob(kind: .objective, iteration: iteration)
    }
  }

  /// Takes the sums of one job of a window's end.
  mutating func close(_ given: WindowClosing, _ sums: [[Double]]) throws -> TraceRow? {
    var closing = given
    if var search = closing.search {
      let (values, gradients) = pointValues(sums)
      search.take(values: values, gradients: metric.gradients(of: gradients, count: values.count))
      closing.search = search
      if search.isDone { finish(closing) } else { activity = .closingWindow(closing) }
      return nil
    }
    if closing.curvature.count < closing.curvatureRounds {
      closing.curvature.append(sums.first ?? [])
      if closing.curvature.count == closing.curvatureRounds {
        adapt(to: closing.curvature, window: closing.window)
        guard relocates(after: closing.window) else {
          finish(closing)
          return nil
        }
      }
      activity = .closingWindow(closing)
      return nil
    }
    let integrands = plan.objective.integrands(sums)
    guard areUsable(integrands) else {
      // Components are not moved by what can't be compared.
      finish(closing)
      return nil
    }
    closing.rewards = Fit.rewards(integrands, components: mixture.componentCount)
    if Fit.searches.contains(closing.window), plan.points != nil {
      closing.search = ModeSearch(starts: searchStarts(window: closing.window), dimension: mixture.dimension)
      activity = .closingWindow(closing)
    } else {
      finish(closing)
    }
    return nil
  }

  /// Whether components may be moved after a window: not after the first, when they are on their way, nor after the
  /// last, so that they settle.
  private func relocates(after window: Int) -> Bool {
    settings.relocation && mixture.componentCount > 1 && mixture.componentCount <= Fit.mostRelocated
      && window > 0 && window < plannedWindows.count - 1
  }

  /// With more components, all pairs of them are too many to look at.
  static let mostRelocated = 4000

  private mutating func finish(_ closing: WindowClosing) {
    relocate(closing)
    // Components may have been moved far from where the reference was computed.
    dropReference()
    passWindow()
  }

  /// Goes on to the next window, or to what comes after the warm-up.
  mutating func passWindow() {
    windowsClosed += 1
    if windowsClosed == windows.count { endWarmUp() }
    previousGradient = []
    advance()
  }

  /// Ends the warm-up in its best state: coordinates that follow the average curvature are worse than earlier ones when
  /// the curvature is very uneven.
  private mutating func endWarmUp() {
    guard settings.hasAutomaticSteps, let refuge, let now = lastRow?.objective,
      now.elbo < refuge.objective.elbo - Fit.smallestLoss
        - 3 * (now.standardError + refuge.objective.standardError)
    else { return }
    notes.append(
      "the warm-up ends with the state of iteration \(refuge.iteration), whose ELBO was "
        + String(format: "%.2f nats above that of its end", refuge.objective.elbo - now.elbo))
    restore(refuge)
  }

  /// Nats that the end of a warm-up may be below its best state.
  private static let smallestLoss = 0.1

  /// Learns the metric from an average of curvature estimates.
  private mutating func adapt(to rounds: [[Double]], window: Int) {
    guard let plan = plan.curvature else { return }
    let dimension = mixture.dimension
    let pairs = Double(plan.samples * mixture.componentCount * rounds.count)
    var mean = [Double](repeating: 0, count: rounds.first?.count ?? 0)
    for round in rounds {
      for k in mean.indices { mean[k] += round[k] }
    }
    for k in mean.indices { mean[k] /= pairs }
    // The gradient's coordinate is in θ so far.
    var curvature = mean
    if metric.kind == .dense {
      var transposed = mean
      for i in 0..<dimension {
        for j in 0..<dimension { transposed[j * dimension + i] = mean[i * dimension + j] }
      }
      let pulled = metric.gradients(of: transposed, count: dimension)
      for i in 0..<dimension {
        for j in 0..<dimension {
          curvature[i * dimension + j] = 0.5 * (pulled[i * dimension + j] + pulled[j * dimension + i])
        }
      }
    } else {
      curvature = metric.gradients(of: mean, count: 1)
    }
    let isLast = window == windows.count - 1
    if isLast, extraWindows < Fit.mostExtraWindows, iteration + Fit.extraWindow <= settings.iterations / 2,
      metric.isUnsettled(by: curvature, spread: Fit.settledSpread)
    {
      extraWindows += 1
    }
    let share = Fit.metricShares[min(window, Fit.metricShares.count - 1)]
    guard let adapted = metric.adapted(to: curvature, share: share, carrying: mixture) else {
      notes.append(
        "no coordinates were learned after window \(window + 1) of the warm-up: the average curvature is not positive there"
      )
      return
    }
    metric = adapted.metric
    mixture = adapted.mixture
    metricNumber += 1
  }

  /// Where modes are searched from after a window, in the metric's coordinates: half of the points in a box around the
  /// means that is as wide in every coordinate as twice their largest extent in any, the others in boxes up to 32 times
  /// as large again, in case that what has been found is a corner of what there is.
  private func searchStarts(window: Int) -> [Double] {
    let dimension = mixture.dimension
    let count = plan.points?.components ?? 0
    var low = Array(mixture.means.prefix(dimension))
    var high = low
    for index in mixture.means.indices {
      let k = index % dimension
      low[k] = min(low[k], mixture.means[index])
      high[k] = max(high[k], mixture.means[index])
    }
    let radius = mixture.variances.sorted()[mixture.componentCount / 2].squareRoot()
    let width = max(zip(high, low).reduce(0) { max($0, $1.0 - $1.1) }, 2 * radius)
    var starts = uniforms(.relocation, iteration: window + 1, count: count)
    for index in starts.indices {
      let k = index % dimension
      let place = Fit.reach(index / dimension) * width * (2 * starts[index] - 1)
      starts[index] = 0.5 * (low[k] + high[k]) + place
    }
    return starts
  }

  /// How far a search starts, in half widths of the usual box: 1, or 2, 4, … 32 for every second one.
  private static func reach(_ index: Int) -> Double {
    index % 2 == 0 ? 1 : Double(2 << (index / 2 % 5))
  }

  private mutating func relocate(_ closing: WindowClosing) {
    guard let rewards = closing.rewards else { return }
    let relocation = Relocation(mixture, rewards: rewards)
    let median = mixture.variances.sorted()[mixture.componentCount / 2]
    if let search = closing.search {
      let modes = uncovered(search.modes(atLeast: 2 * median.squareRoot()), rewards: rewards)
      let moves = relocation.moves(toModes: modes.count)
      for move in moves {
        guard case .mode(let mode) = move.target else { continue }
        place(move.component, at: modes[mode], variance: median)
      }
      if !moves.isEmpty {
        notes.append(
          "moved \(moves.count) component(s) to modes that had none, after window \(closing.window + 1)")
        return
      }
    }
    let before = mixture
    for (index, move) in relocation.moves().enumerated() {
      guard case .component(let other) = move.target else { continue }
      let dimension = mixture.dimension
      let deviates = normals(.relocation, iteration: closing.window + 1, component: index, count: 1)
      let spread = 0.5 * before.variances[other].squareRoot()
      let mean = (0..<dimension).map { before.means[other * dimension + $0] + spread * deviates[$0] }
      place(move.component, at: mean, variance: before.variances[other])
    }
  }

  /// Modes that have far more of the target than of the mixture: where `log π − log q` is above its mean by more than
  /// two Gaussians' worth. Points whose density is far below the best mode's are in a tail.
  private func uncovered(_ modes: [(point: [Double], value: Double)], rewards: [Double]) -> [[Double]] {
    let elbo = rewards.reduce(0, +) / Double(rewards.count)
    let gaps = modes.map { mode in
      -mode.value - (mixture.logDensity(at: mode.point) - metric.logDeterminant) - elbo
    }
    let threshold = 0.5 * Double(mixture.dimension) + 3
    let deepest = (modes.first?.value ?? 0) + 0.5 * Double(mixture.dimension) + Fit.modeDepth
    return modes.indices.filter { gaps[$0] > threshold && modes[$0].value < deepest }
      .sorted { (-gaps[$0], $0) < (-gaps[$1], $1) }.map { modes[$0].point }
  }

  private mutating func place(_ component: Int, at mean: [Double], variance: Double) {
    let dimension = mixture.dimension
    for k in 0..<dimension { mixture.means[component * dimension + k] = mean[k] }
    if settings.algorithm != .gd, !settings.algorithm.sharesVariance {
      mixture.variances[component] = variance
    }
  }

  func uniforms(_ stream: NoiseStream, iteration: Int, count: Int) -> [Double] {
    var numbers = [Double](repeating: 0, count: count * dimension)
    numbers.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      noise.fillUniforms(
        stream, iteration: iteration, component: 0, samples: 0..<count, dimension: dimension,
        into: base)
    }
    return numbers
  }

  func normals(_ stream: NoiseStream, iteration: Int, component: Int, count: Int) -> [Double] {
    var numbers = [Double](repeating: 0, count: count * dimension)
    numbers.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      noise.fillNormals(
        stream, iteration: iteration, component: component + 1, samples: 0..<count,
        dimension: dimension, into: base)
    }
    return numbers
  }
}
