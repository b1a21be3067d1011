import NumericsKit

/// A grouping of rows: each belongs to one of some levels.
public struct GroupFactor: Sendable, Hashable, Codable {
  /// The column's name.
  public var name: String
  /// The levels' names, in the order of their indices.
  public var levels: [String]
  /// Whether θ holds the effects themselves (centred), and not `z = effect/τ`.
  public var isCentred: Bool

  public init(name: String, levels: [String], isCentred: Bool = false) {
    self.name = name
    self.levels = levels
    self.isCentred = isCentred
  }
}

/// Varying intercepts: the effect of level l is `b_l ~ N(0, τ²)` with `τ ~ HalfNormal(s)`.
///
/// Of θ each factor takes `[b (levels), log τ]` (centred) or `[z (levels), log τ]` with `b = τ z` (non-centred). Where rows
/// say much about each effect the former has the posterior that is nearer to a Gaussian, where they say little the
/// latter (Papaspiliopoulos, Roberts, Sköld, Statistical Science 22, 2007). A row whose level is not among the levels has
/// the effect 0, the population's mean.
struct GroupEffects: Sendable {
  let factors: [GroupFactor]
  /// Where each factor's part of θ starts, from the first factor's; its effects are laid out alike.
  private let starts: [Int]
  /// Numbers of θ.
  let parameterCount: Int
  /// Effects of one point: those of the levels and a 0 for unknown ones, factor by factor.
  private var width: Int { parameterCount }
  /// s of the half-normal prior.
  private let scale: Double
  private let deviatePriors: [NormalPrior]
  private let scalePrior: LogHalfNormalPrior

  /// - Throws: ``PosteriorError`` when a factor has no levels or the scale is not positive.
  init(_ factors: [GroupFactor], scale: Double) throws {
    for factor in factors where factor.levels.isEmpty {
      throw PosteriorError(code: .shape, message: "the group column '\(factor.name)' has no levels")
    }
    self.factors = factors
    self.scale = scale
    let counts = factors.map(\.levels.count)
    starts = counts.indices.map { counts[..<$0].reduce(0, +) + $0 }
    parameterCount = counts.reduce(0, +) + counts.count
    deviatePriors = try counts.map { try NormalPrior(scale: 1, dimension: $0) }
    scalePrior = try LogHalfNormalPrior(scale: scale, name: "the scale of the group effects' prior")
  }

  var isEmpty: Bool { factors.isEmpty }

  var parameterNames: [String] {
    factors.flatMap { factor in
      factor.levels.map { "\(factor.isCentred ? "effect" : "z")_\(factor.name)[\($0)]" }
        + ["log_scale_\(factor.name)"]
    }
  }

  var moments: PriorMoments {
    factors.reduce(PriorMoments(means: [], deviations: [])) { moments, factor in
      moments + PriorMoments(scale: factor.isCentred ? scale : 1, dimension: factor.levels.count)
        + scalePrior.moments
    }
  }

  /// Where each factor's numbers are in θ, whose part for groups starts at `start`.
  func predictorGroups(from start: Int) -> [PredictorLaw.Group] {
    factors.indices.map { index in
      let first = start + starts[index]
      let last = first + factors[index].levels.count
      return PredictorLaw.Group(levels: first..<last, logScale: factors[index].isCentred ? nil : last)
    }
  }

  /// Adds the prior at one point, given its part of θ.
  func accumulatePrior(
    point: UnsafePointer<Double>, value: UnsafeMutablePointer<Double>, gradient: UnsafeMutablePointer<Double>?
  ) {
    for (index, factor) in factors.enumerated() {
      let start = starts[index]
      let last = start + factor.levels.count
      if factor.isCentred {
        accumulateCentred(
          point + start, count: factor.levels.count, value: value, gradient: gradient.map { $0 + start })
      } else {
        deviatePriors[index].accumulate(
          points: point + start, count: 1, value: value, gradient: gradient.map { $0 + start })
      }
      scalePrior.accumulate(logSigma: point[last], value: value, gradient: gradient.map { $0 + last })
    }
  }

  /// Adds `Σ b²/(2τ²) + L log τ + L/2 log 2π` of L effects, which log τ follows.
  private func accumulateCentred(
    _ point: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?
  ) {
    // On along the tangent where τ is next to 0: V stays finite, and still rises.
    let precision = VectorMath.boundedExponential(-2 * point[count])
    let squares = VectorMath.sumOfSquares(point, count: count)
    value.pointee +=
      0.5 * precision.value * squares + Double(count) * (point[count] + 0.5 * VectorMath.logTwoPi)
    guard let gradient else { return }
    for level in 0..<count { gradient[level] += precision.value * point[level] }
    gradient[count] += Double(count) - precision.slope * squares
  }

  /// The effects of points, `[points, width]`.
  /// - Parameters:
  ///   - points: where this part of θ starts.
  ///   - stride: numbers from one point to the next.
  func effects(
    _ points: UnsafePointer<Double>, count: Int, stride: Int, workspace: DensityWorkspace
  ) -> UnsafePointer<Double> {
    let effects = workspace.effects.reserve(count * width)
    for s in 0..<count { write(points + s * stride, into: effects + s * width) }
    return UnsafePointer(effects)
  }

  private func write(_ point: UnsafePointer<Double>, into effects: UnsafeMutablePointer<Double>) {
    for (index, factor) in factors.enumerated() {
      let (start, count) = (starts[index], factor.levels.count)
      let scale = factor.isCentred ? 1 : VectorMath.boundedExponential(point[start + count]).value
      for level in 0..<count { effects[start + level] = scale * point[start + level] }
      effects[start + count] = 0
    }
  }

  /// Adds each row's effects to predictors `[points, rows]`, given the rows' levels `[rows, factors]`.
  func add(
    _ effects: UnsafePointer<Double>, to predictors: UnsafeMutablePointer<Double>, points: Int, rows: Int,
    levels: UnsafePointer<Int32>
  ) {
    let factorCount = factors.count
    for s in 0..<points {
      let (row, own) = (predictors + s * rows, effects + s * width)
      for index in 0..<factorCount {
        let (place, most) = (starts[index], Int32(factors[index].levels.count))
        for j in 0..<rows { row[j] += own[place + Int(min(levels[j * factorCount + index], most))] }
      }
    }
  }

  /// Adds the derivatives by each row's predictor to those by the effects `[points, width]`, in the order of the rows.
  func collect(
    _ residuals: UnsafePointer<Double>, points: Int, rows: Int, levels: UnsafePointer<Int32>,
    into sums: UnsafeMutablePointer<Double>
  ) {
    let factorCount = factors.count
    for s in 0..<points {
      let (row, own) = (residuals + s * rows, sums + s * width)
      for index in 0..<factorCount {
        let (place, most) = (starts[index], Int32(factors[index].levels.count))
        for j in 0..<rows { own[place + Int(min(levels[j * factorCount + index], most))] += row[j] }
      }
    }
  }

  /// Zeroed derivatives by the effects.
  func sums(points: Int, workspace: DensityWorkspace) -> UnsafeMutablePointer<Double> {
    let sums = workspace.effectSums.reserve(points * width)
    sums.update(repeating: 0, count: points * width)
    return sums
  }

  /// Adds the derivatives by this part of θ, given those by the effects.
  func pullBack(
    _ sums: UnsafePointer<Double>, points: UnsafePointer<Double>, count: Int, stride: Int,
    into gradient: UnsafeMutablePointer<Double>
  ) {
    for s in 0..<count {
      let (point, row, own) = (points + s * stride, gradient + s * stride, sums + s * width)
      for (index, factor) in factors.enumerated() {
        let (start, levels) = (starts[index], factor.levels.count)
        guard !factor.isCentred else {
          for level in start..<start + levels { row[level] += own[level] }
          continue
        }
        let scale = VectorMath.boundedExponential(point[start + levels])
        var total = 0.0
        for level in start..<start + levels {
          row[level] += scale.value * own[level]
          total += point[level] * own[level]
        }
        row[start + levels] += scale.slope * total
      }
    }
  }

  var outputVariables: [OutputVariable] {
    factors.flatMap { factor in
      [
        OutputVariable(
          name: "effect_\(factor.name)", axes: [.init(name: factor.name, labels: factor.levels)]),
        OutputVariable(name: "scale_\(factor.name)"),
      ]
    }
  }

  /// Writes effects and scale of each factor; returns where the next output goes.
  func writeOutputs(_ point: UnsafePointer<Double>, into output: UnsafeMutablePointer<Double>) {
    write(point, into: output)
    for (index, factor) in factors.enumerated() {
      let last = starts[index] + factor.levels.count
      output[last] = VectorMath.boundedExponential(point[last]).value
    }
  }
}
