import CKernels
import NumericsKit

/// Bayesian softmax regression: `p(y = c | x) ∝ e^{x θ_c}` over C classes, `θ_fc ~ N(0, τ²)`. Responses are class
/// indices from 0.
///
/// θ is laid out `[features, classes]`; every class has its own coefficients, as in the paper, so that only the
/// prior identifies them.
public struct SoftmaxRegression: LogDensity {
  public let dimension: Int
  /// `feature[class]`, in the layout of θ.
  public let parameterNames: [String]
  public var logNormalizer: Double? { nil }
  public var priorScale: Double? { prior.scale }
  public let designColumns: Int
  /// Number of classes, C.
  public let classCount: Int
  private let prior: NormalPrior

  /// Takes the names of the design matrix's columns and of the classes, and the prior's scale τ (a standard
  /// deviation).
  ///
  /// - Throws: ``PosteriorError`` when there are no columns, fewer than two classes or the scale is not positive.
  public init(columnNames: [String], classNames: [String], priorScale: Double) throws {
    try PosteriorError.requireColumns(columnNames)
    guard classNames.count >= 2 else {
      throw PosteriorError(
        code: .shape, message: "softmax needs at least two classes, not \(classNames.count)")
    }
    designColumns = columnNames.count
    classCount = classNames.count
    dimension = designColumns * classCount
    parameterNames = columnNames.flatMap { column in classNames.map { "\(column)[\($0)]" } }
    prior = try NormalPrior(scale: priorScale, dimension: dimension)
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    prior.accumulate(points: points, count: count, value: value, gradient: gradient)
  }

  public func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let sweep = sweep(rows, points: points, count: count, workspace: workspace)
    let scratch = workspace.small.reserve(16 * classCount)
    let byClass = gradient.map { _ in workspace.gradient.reserve(count * dimension) }
    byClass?.update(repeating: 0, count: count * dimension)
    switch rows.precision {
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
    if let gradient, let byClass { addTransposed(byClass, count: count, to: gradient) }
  }

  public func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let sweep = sweep(rows, points: draws, count: count, workspace: workspace)
    sweep.visitPredictors { block in
      let logLikelihood = workspace.gradient.reserve(count * block.count)
      let probability = workspace.small.reserve((classCount + 1) * block.count)
      let logPredictive = probability + classCount * block.count
      probability.update(repeating: 0, count: classCount * block.count)
      isomix_softmax_scores(
        block.predictors, block.responses, count, classCount, block.count, logLikelihood, probability)
      VectorMath.columnLogMeanExp(logLikelihood, rows: count, columns: block.count, into: logPredictive)
      for row in 0..<block.count {
        var best = 0
        for c in 1..<classCount
        where probability[c * block.count + row] > probability[best * block.count + row] { best = c }
        scores.rows += 1
        scores.logPredictiveDensity += logPredictive[row]
        scores.correct += Double(best) == block.responses[row] ? 1 : 0
      }
    }
  }

  /// A sweep over `[points, classes]` coefficient vectors: θ transposed to `[classes, features]`.
  private func sweep(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, workspace: DensityWorkspace
  ) -> DesignSweep {
    let byClass = workspace.coefficients.reserve(count * dimension)
    for s in 0..<count {
      let point = points + s * dimension
      let transposed = byClass + s * dimension
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
      let row = gradient + s * dimension
      let transposed = byClass + s * dimension
      for f in 0..<designColumns {
        for c in 0..<classCount { row[f * classCount + c] += transposed[c * designColumns + f] }
      }
    }
  }
}
