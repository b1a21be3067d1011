import CKernels
import NumericsKit

/// Bayesian softmax regression: `p(y = c | x) ∝ e^{x β_c}` over C classes. Responses are class indices from 0.
///
/// β is laid out `[features, classes]`; every class has its own coefficients, as in the paper, so that only the
/// prior identifies them. θ is β, or z, log λ and log τ under a horseshoe (``CoefficientPriors``).
public struct SoftmaxRegression: LogDensity {
  public var dimension: Int { parameterNames.count }
  /// `feature[class]`, in the layout of θ.
  public let parameterNames: [String]
  public var logNormalizer: Double? { nil }
  public var priorMoments: PriorMoments? { space.moments }
  public let designColumns: Int
  /// Number of classes, C.
  public var classCount: Int { classNames.count }
  public let classNames: [String]
  private let columnNames: [String]
  private let hasIntercept: Bool
  private let space: CoefficientSpace

  /// Takes the names of the design matrix's columns and of the classes, and the priors; `hasIntercept` says whether the
  /// first column is the column of ones, with the intercept's prior.
  ///
  /// - Throws: ``PosteriorError`` when there are no columns, fewer than two classes or a number is out of range.
  public init(
    columnNames: [String], hasIntercept: Bool = false, classNames: [String], priors: CoefficientPriors
  ) throws {
    try PosteriorError.requireColumns(columnNames)
    guard classNames.count >= 2 else {
      throw PosteriorError(
        code: .shape, message: "softmax needs at least two classes, not \(classNames.count)")
    }
    designColumns = columnNames.count
    self.classNames = classNames
    self.columnNames = columnNames
    self.hasIntercept = hasIntercept
    space = try CoefficientSpace(
      count: columnNames.count * classNames.count, interceptCount: hasIntercept ? classNames.count : 0,
      priors: priors)
    parameterNames = space.parameterNames(
      columnNames.flatMap { column in classNames.map { "\(column)[\($0)]" } })
  }

  public var rowOperations: RowOperations? {
    space.isIdentity ? nil : RowOperations(products: designColumns * classCount, functions: classCount)
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    for s in 0..<count {
      space.accumulatePrior(
        point: points + s * dimension, value: value + s, gradient: gradient.map { $0 + s * dimension })
    }
  }

  public func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let sweep = sweep(rows, points: points, count: count, workspace: workspace)
    let scratch = workspace.small.reserve(16 * classCount)
    let byClass = gradient.map { _ in workspace.gradient.reserve(count * space.count) }
    byClass?.update(repeating: 0, count: count * space.count)
    switch rows.productPrecision {
    case .float64:
      sweep.accumulate(gradient: byClass) { block in
        isomix_softmax_residual(
          block.predictors, block.responses, count, classCount, block.count, scratch, value)
      }
    case .float32:
      sweep.accumulateSingle(gradient: byClass) { block in
        let numbers = count * classCount * block.count
        let wide = workspace.converted.reserve(numbers)
        isomix_to_doubles(block.predictors, numbers, wide)
        isomix_softmax_residual(wide, block.responses, count, classCount, block.count, scratch, value)
        isomix_to_floats(wide, numbers, block.predictors)
      }
    }
    guard let gradient, let byClass else { return }
    guard !space.isIdentity else { return addTransposed(byClass, count: count, to: gradient) }
    let derivatives = workspace.converted.reserve(count * space.count)
    derivatives.update(repeating: 0, count: count * space.count)
    addTransposed(byClass, count: count, to: derivatives)
    space.pullBack(
      derivatives, points: points, count: count, stride: dimension, into: gradient, workspace: workspace)
  }

  /// A sweep over `[points, classes]` coefficient vectors: β transposed to `[classes, features]`.
  private func sweep(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, workspace: DensityWorkspace
  ) -> DesignSweep {
    let coefficients = space.coefficients(points, count: count, stride: dimension, workspace: workspace)
    let byClass = workspace.transposed.reserve(count * space.count)
    for s in 0..<count {
      let point = coefficients + s * space.count
      let transposed = byClass + s * space.count
      for c in 0..<classCount {
        for f in 0..<designColumns { transposed[c * designColumns + f] = point[f * classCount + c] }
      }
    }
    return DesignSweep(
      rows: rows, coefficients: byClass, vectors: count * classCount, workspace: workspace)
  }

  private func addTransposed(
    _ byClass: UnsafePointer<Double>, count: Int, to gradient: UnsafeMutablePointer<Double>
  ) {
    for s in 0..<count {
      let row = gradient + s * space.count
      let transposed = byClass + s * space.count
      for f in 0..<designColumns {
        for c in 0..<classCount { row[f * classCount + c] += transposed[c * designColumns + f] }
      }
    }
  }
}

/// What a softmax regression predicts of rows.
extension SoftmaxRegression {
  public var predictedResponse: PredictedResponse? { .classes(classNames) }

  /// Where θ holds β itself.
  public var predictorLaw: PredictorLaw? {
    space.isIdentity
      ? PredictorLaw(response: .softmax(classes: classCount), auxiliary: .none, groups: []) : nil
  }

  public func computeLogLikelihoods(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    sweep(rows, points: draws, count: count, workspace: workspace).visitPredictors { block in
      let logLikelihoods = workspace.gradient.reserve(count * block.count)
      isomix_softmax_log_likelihood(
        block.predictors, block.responses, count, classCount, block.count, logLikelihoods)
      for s in 0..<count {
        (output + s * rows.count + block.start).update(
          from: logLikelihoods + s * block.count, count: block.count)
      }
    }
  }

  public func computeExpectations(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) {
    // Of two classes the second's probability alone.
    let wanted = classCount == 2 ? 1..<2 : 0..<classCount
    visitProbabilities(rows, draws: draws, count: count, workspace: workspace) { block in
      for s in 0..<count {
        for (place, c) in wanted.enumerated() {
          (output + (s * wanted.count + place) * rows.count + block.start).update(
            from: block.predictors + (s * classCount + c) * block.count, count: block.count)
        }
      }
    }
  }

  public func computeResponses(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, uniforms: UnsafePointer<Double>,
    into output: UnsafeMutablePointer<Double>, workspace: DensityWorkspace
  ) {
    visitProbabilities(rows, draws: draws, count: count, workspace: workspace) { block in
      for s in 0..<count {
        for j in 0..<block.count {
          let place = s * rows.count + block.start + j
          var (drawn, sum) = (0, block.predictors[s * classCount * block.count + j])
          while drawn < classCount - 1, uniforms[place] > sum {
            drawn += 1
            sum += block.predictors[(s * classCount + drawn) * block.count + j]
          }
          output[place] = Double(drawn)
        }
      }
    }
  }

  /// Visits the classes' probabilities block by block, `[count, classes, rows]`.
  private func visitProbabilities(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, workspace: DensityWorkspace,
    _ body: (DesignSweep.Block<Double>) -> Void
  ) {
    defer { withExtendedLifetime(workspace) {} }
    sweep(rows, points: draws, count: count, workspace: workspace).visitPredictors { block in
      isomix_softmax_probability(block.predictors, count, classCount, block.count)
      body(block)
    }
  }
}

/// What users see of a softmax regression's θ.
extension SoftmaxRegression {
  /// `intercept` by class, `coefficients` by feature and class, and under a horseshoe `local_scale` and `global_scale`.
  public var outputVariables: [OutputVariable] {
    let classes = OutputVariable.Axis(name: "class", labels: classNames)
    let features = Array(columnNames[(hasIntercept ? 1 : 0)...])
    let axes = [OutputVariable.Axis(name: "feature", labels: features), classes]
    var variables = hasIntercept ? [OutputVariable(name: columnNames[0], axes: [classes])] : []
    if !features.isEmpty {
      variables.append(
        OutputVariable(
          name: "coefficients", axes: axes,
          columnNames: features.flatMap { feature in classNames.map { "\(feature)[\($0)]" } }))
    }
    if !space.isIdentity {
      variables.append(OutputVariable(name: "local_scale", axes: axes))
      variables.append(OutputVariable(name: "global_scale"))
    }
    return variables
  }

  public func computeOutputs(
    points: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) throws {
    defer { withExtendedLifetime(workspace) {} }
    let coefficients = space.coefficients(points, count: count, stride: dimension, workspace: workspace)
    for s in 0..<count {
      let place = output + s * dimension
      place.update(from: coefficients + s * space.count, count: space.count)
      if !space.isIdentity { space.writeScales(points + s * dimension, into: place + space.count) }
    }
  }
}
