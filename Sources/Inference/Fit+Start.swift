import Foundation
import Mixtures
import NumericsKit
import Specification

/// A mixture to start from, as an earlier fit left it.
public struct StartingMixture: Sendable, Equatable {
  /// In the metric's coordinates.
  public var mixture: IsotropicMixture
  public var metric: Metric

  public init(mixture: IsotropicMixture, metric: Metric) {
    self.mixture = mixture
    self.metric = metric
  }

  /// The name of a fit's mixture in its folder.
  public static let fileName = "mixture.json"

  /// SHA-256 of the file at a path.
  /// - Throws: ``FitError`` when there is none.
  public static func digest(at path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: file(at: path)) else {
      throw FitError(.noInput, "mixture.initial.file: there is no fit at \(path)")
    }
    return Digest.of(Array(data)).description
  }

  /// The file that holds the mixture of a run folder, or the path itself.
  public static func file(at path: String) -> String {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return isFolder.boolValue ? "\(path)/\(fileName)" : path
  }
}

/// Where a fit starts.
extension Fit {
  mutating func begin() throws {
    switch initial {
    case .auto:
      guard plan.points != nil else {
        try place(low: -InitialSpecification.box, high: InitialSpecification.box, variance: 1)
        return
      }
      begin(.searchingStart(StartSearch()))
    case .uniform(let low, let high, let variance): try place(low: low, high: high, variance: variance)
    case .prior:
      guard let prior = priorMoments else {
        throw FitError(.badInput, "mixture.initial: prior needs a model with a prior; use auto or uniform")
      }
      let deviates = normals(.initialization, iteration: 0, component: -1, count: components)
      // One variance for all: that of the coordinate which the prior knows best.
      let scale = prior.deviations.min() ?? 1
      let means = deviates.indices.map { index in
        let k = index % prior.means.count
        return prior.means[k] + prior.deviations[k] * deviates[index]
      }
      try start(means: means, variance: scale * scale)
    case .data:
      let starts = uniforms(.initialization, iteration: 0, count: plan.points?.components ?? 0)
      let box = InitialSpecification.box
      begin(
        .locatingModes(
          ModeSearch(starts: starts.map { box * (2 * $0 - 1) }, dimension: dimension)))
    case .file:
      guard let earlier else { throw FitError(.software, "the fit to start from is missing") }
      try start(from: earlier)
    }
  }

  /// Means uniform on a box, one variance for all.
  private mutating func place(low: Double, high: Double, variance: Double) throws {
    try start(means: boxed(low: low, high: high), variance: variance)
  }

  private func boxed(low: Double, high: Double) -> [Double] {
    var means = [Double](repeating: 0, count: mixture.means.count)
    means.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      for component in 0..<components {
        noise.fillUniforms(
          .initialization, iteration: 0, component: component, samples: 0..<1, dimension: dimension,
          into: base + component * dimension)
      }
      for index in buffer.indices { buffer[index] = low + (high - low) * buffer[index] }
    }
    return means
  }

  private mutating func start(means: [Double], variance: Double) throws {
    guard means.allSatisfy(\.isFinite), variance > 0, variance.isFinite else {
      throw FitError(.badInput, "mixture.initial puts components where numbers end")
    }
    mixture.means = means
    mixture.variances = [Double](repeating: variance, count: mixture.componentCount)
    startFactors()
    isStarted = true
    advance()
  }

  /// Draws of the mixture that a box of some size would start with, row-major `[points, d]`.
  func startDraws(scale: Double) -> [Double] {
    let count = plan.points?.components ?? 0
    let box = scale * InitialSpecification.box
    let means = boxed(low: -box, high: box)
    var draws = normals(.initialization, iteration: 1, component: 0, count: count)
    for index in draws.indices {
      let component = index / dimension % components
      draws[index] = means[component * dimension + index % dimension] + scale * draws[index]
    }
    return draws
  }

  mutating func start(scale: Double, values: [Double]) throws {
    guard values.contains(where: \.isFinite) else {
      throw FitError(
        .diverged,
        "the target is finite nowhere near the origin, in boxes of many sizes: give mixture.initial a box where it is "
          + "(uniform: {low, high, variance}), and look at the data's range")
    }
    if scale != 1 {
      notes.append("the fit starts in a box of ±\(scale * InitialSpecification.box), found by trying")
    }
    let box = scale * InitialSpecification.box
    try place(low: -box, high: box, variance: scale * scale)
  }

  /// Spreads the components over the modes found, the best one first; those far below it get none.
  mutating func start(at search: ModeSearch) throws {
    let found = search.modes(atLeast: 1e-2)
    let modes = found.isEmpty ? search.bestPoints(atLeast: 1e-2) : found
    guard let best = modes.first else {
      throw FitError(
        .diverged,
        "mixture.initial: data found no mode: the target is not finite near the origin; use auto or uniform")
    }
    let dimension = mixture.dimension
    let near = modes.filter { $0.value < best.value + 0.5 * Double(dimension) + Fit.modeDepth }
    let variance = Fit.modeVariance
    var means: [Double] = []
    for component in 0..<mixture.componentCount {
      let mode = near[component % near.count].point
      let deviates = normals(.initialization, iteration: 2, component: component, count: 1)
      means += zip(mode, deviates).map { $0 + variance.squareRoot() * $1 }
    }
    notes.append("found \(near.count) mode(s) to start at")
    try start(means: means, variance: variance)
  }

  /// Modes this much (and half a nat a dimension) below the best are left out.
  static let modeDepth = 10.0
  /// Small, so that components start inside their modes; they grow in a few iterations.
  private static let modeVariance = 1e-4

  /// Starts from an earlier fit, in this fit's coordinates, with components split or merged when there are more or
  /// fewer.
  private mutating func start(from earlier: StartingMixture) throws {
    let source = earlier.mixture
    guard source.dimension == mixture.dimension else {
      throw FitError(
        .badInput,
        "mixture.initial: the earlier fit has \(source.dimension) parameters, this model \(mixture.dimension)"
      )
    }
    let resized = source.resized(to: mixture.componentCount) { component in
      normals(.initialization, iteration: 3, component: component, count: 1)
    }
    let positions = earlier.metric.positions(of: resized.means, count: resized.componentCount)
    let scales = earlier.metric.scales
    let meanSquare = scales.reduce(0) { $0 + $1 * $1 } / Double(scales.count)
    switch (metric.kind, earlier.metric.kind) {
    case (.dense, .dense), (.diagonal, .diagonal), (.unit, .unit):
      metric = earlier.metric
      mixture = resized
    case (.dense, .diagonal), (.diagonal, .dense):
      metric = Metric(metric.kind, scales: scales)
      mixture = resized
      mixture.means = metric.coordinates(of: positions, count: mixture.componentCount)
    default:
      // From θ's own coordinates into learned ones, or back: variances by their mean over coordinates.
      mixture = resized
      mixture.means = metric.coordinates(of: positions, count: mixture.componentCount)
      for i in mixture.variances.indices { mixture.variances[i] *= meanSquare }
    }
    if settings.algorithm.sharesVariance {
      let mean = mixture.variances.reduce(0, +) / Double(mixture.componentCount)
      mixture.variances = [Double](repeating: mean, count: mixture.componentCount)
    }
    isStarted = true
    advance()
  }
}
