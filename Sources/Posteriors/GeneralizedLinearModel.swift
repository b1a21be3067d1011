import CKernels
import NumericsKit

/// Bayesian regression on a linear predictor, `y ~ p(· | z)` with `z = xβ + Σ_g effect_g(level)`: linear, logistic,
/// Poisson, negative binomial and Student-t regression, by one sweep over the rows.
///
/// θ is `[coefficients, groups, log of the auxiliary parameter]`, each where there is one: β, or z, log λ and log τ under
/// a horseshoe (``CoefficientPriors``); of each group column the levels'
/// effects, or their z, and log τ (varying intercepts, `effect = τ z`, `z ~ N(0, 1)`, `τ ~ HalfNormal`); log σ of a noise or log α of an
/// overdispersion that is fitted. All scales are fitted by their logarithms, with the Jacobian in the density.
public struct GeneralizedLinearModel: LogDensity {
  public let parameterNames: [String]
  public let designColumns: Int
  public let likelihood: ResponseLikelihood
  public var dimension: Int { parameterNames.count }
  public var logNormalizer: Double? { nil }
  /// The classes of a logistic response; empty for others.
  public let classNames: [String]
  /// Names of the design matrix's columns.
  let columnNames: [String]
  let hasIntercept: Bool
  let space: CoefficientSpace
  let groups: GroupEffects
  let kernel: LikelihoodKernel

  /// - Parameters:
  ///   - columnNames: of the design matrix's columns.
  ///   - hasIntercept: whether the first column is the column of ones, with the prior `priors.intercept`.
  ///   - classNames: of a logistic response's 0 and 1.
  ///   - groups: columns whose levels have effects.
  ///   - groupScale: s of the half-normal prior on the effects' scales.
  /// - Throws: ``PosteriorError`` when there are no columns, two coordinates have one name, or a number is out of range.
  public init(
    columnNames: [String], hasIntercept: Bool = false, likelihood: ResponseLikelihood,
    priors: CoefficientPriors, classNames: [String] = ["0", "1"], groups: [GroupFactor] = [],
    groupScale: Double = 1
  ) throws {
    try PosteriorError.requireColumns(columnNames)
    self.columnNames = columnNames
    self.hasIntercept = hasIntercept
    self.likelihood = likelihood
    self.classNames = likelihood == .logistic ? classNames : []
    designColumns = columnNames.count
    space = try CoefficientSpace(
      count: columnNames.count, interceptCount: hasIntercept ? 1 : 0, priors: priors)
    self.groups = try GroupEffects(groups, scale: groupScale)
    kernel = try LikelihoodKernel(likelihood)
    let names =
      space.parameterNames(columnNames) + self.groups.parameterNames
      + (kernel.isFitted ? ["log_\(likelihood.auxiliaryName)"] : [])
    var seen: Set<String> = []
    if let twice = names.first(where: { !seen.insert($0).inserted }) {
      throw PosteriorError(
        code: .shape,
        message: "two coordinates would have the name '\(twice)', which the model gives to one of its own; "
          + "rename the column")
    }
    parameterNames = names
  }

  public var priorMoments: PriorMoments? {
    let moments = space.moments + groups.moments
    return kernel.auxiliaryPrior.map { moments + $0.moments } ?? moments
  }

  /// One, where the number of coordinates says nothing about it.
  public var rowOperations: RowOperations? {
    space.isIdentity && groups.isEmpty ? nil : RowOperations(products: designColumns, functions: 1)
  }

  /// Where the groups' part of θ and the auxiliary parameter are.
  var groupStart: Int { space.parameterCount }
  var auxiliaryPlace: Int { groupStart + groups.parameterCount }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    for s in 0..<count {
      let point = points + s * dimension
      let slopes = gradient.map { $0 + s * dimension }
      space.accumulatePrior(point: point, value: value + s, gradient: slopes)
      if !groups.isEmpty {
        groups.accumulatePrior(
          point: point + groupStart, value: value + s, gradient: slopes.map { $0 + groupStart })
      }
      kernel.auxiliaryPrior?.accumulate(
        logSigma: point[auxiliaryPlace], value: value + s, gradient: slopes.map { $0 + auxiliaryPlace })
    }
  }

  public func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    // Where θ is β, the sweep adds to the gradient itself.
    let isDirect = dimension == designColumns
    let slopes =
      isDirect ? gradient : gradient.map { _ in workspace.gradient.reserve(count * designColumns) }
    if !isDirect { slopes?.update(repeating: 0, count: count * designColumns) }
    let sweep = DesignSweep(
      rows: rows,
      coefficients: space.coefficients(points, count: count, stride: dimension, workspace: workspace),
      vectors: count, workspace: workspace)
    let pass = kernel.begin(
      count: count, logarithms: points + auxiliaryPlace, stride: dimension, value: value,
      workspace: workspace)
    let levels = levels(rows)
    let effects = levels.map { _ in
      groups.effects(points + groupStart, count: count, stride: dimension, workspace: workspace)
    }
    let sums =
      levels == nil || gradient == nil ? nil : groups.sums(points: count, workspace: workspace)
    let makeResiduals = { (block: DesignSweep.Block<Double>) in
      if let levels, let effects {
        groups.add(
          effects, to: block.predictors, points: count, rows: block.count,
          levels: levels + block.start * groups.factors.count)
      }
      kernel.residuals(
        block.predictors, block.responses, rows: block.count, pass, upcoming: block.upcoming,
        upcomingBytes: block.upcomingBytes)
      if let levels, let sums {
        groups.collect(
          block.predictors, points: count, rows: block.count,
          levels: levels + block.start * groups.factors.count, into: sums)
      }
    }
    sweep.accumulate(
      gradient: slopes, likelihood: likelihood, plain: levels == nil, pass: pass, makeResiduals)
    kernel.finish(
      pass, rows: rows, logarithms: points + auxiliaryPlace, stride: dimension, value: value,
      slope: gradient.map { $0 + auxiliaryPlace }, slopeStride: dimension)
    guard let gradient, let slopes, !isDirect else { return }
    space.pullBack(
      slopes, points: points, count: count, stride: dimension, into: gradient, workspace: workspace)
    if let sums {
      groups.pullBack(
        sums, points: points + groupStart, count: count, stride: dimension, into: gradient + groupStart)
    }
  }

  /// The rows' levels, where the model has groups.
  func levels(_ rows: RowBlock) -> UnsafePointer<Int32>? {
    guard !groups.isEmpty else { return nil }
    assert(rows.groups == groups.factors.count, "rows without the model's group columns")
    return rows.levels
  }
}

extension DesignSweep {
  /// Sweeps a design of either precision. Logistic residuals stay in the precision of the products, all others are taken
  /// in double precision.
  fileprivate func accumulate(
    gradient: UnsafeMutablePointer<Double>?, likelihood: ResponseLikelihood, plain: Bool,
    pass: LikelihoodKernel.Pass, _ makeResiduals: (Block<Double>) -> Void
  ) {
    guard rows.productPrecision == .float32 else {
      return accumulate(gradient: gradient, residual: makeResiduals)
    }
    accumulateSingle(gradient: gradient) { block in
      if likelihood == .logistic, plain {
        let responses = workspace.responses.reserve(block.count, of: Float.self)
        isomix_to_floats(block.responses, block.count, responses)
        isomix_logistic_residual_float(
          block.predictors, responses, vectors, block.count, pass.values, block.upcoming, block.upcomingBytes)
        return
      }
      let wide = workspace.converted.reserve(vectors * block.count)
      isomix_to_doubles(block.predictors, vectors * block.count, wide)
      makeResiduals(
        Block(
          predictors: wide, responses: block.responses, count: block.count, start: block.start,
          upcoming: block.upcoming, upcomingBytes: block.upcomingBytes))
      isomix_to_floats(wide, vectors * block.count, block.predictors)
    }
  }
}

extension PosteriorError {
  /// Checks that a regression has at least one column.
  static func requireColumns(_ names: [String]) throws {
    guard !names.isEmpty else {
      throw PosteriorError(code: .shape, message: "a regression needs at least one column, or an intercept")
    }
  }
}
