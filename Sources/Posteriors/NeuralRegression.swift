import CKernels
import NumericsKit

/// Regression by a Bayesian neural network with one hidden layer of rectified linear units and known noise:
/// `f(x; θ) = b2 + Σ_h w2_h max(0, b1_h + Σ_k W1_hk x_k)`, `y ~ N(f(x; θ), σ²)`, `θ_j ~ N(0, τ²)` on every weight
/// and bias (arXiv 2506.13613, Section 5).
///
/// θ is `[W1 (units × columns, row-major by unit), b1 (units), w2 (units), b2]`, so d = units (columns + 2) + 1. The
/// gradient at a kink, where a unit's input is exactly 0, is that of the unit at rest.
public struct NeuralRegression: LogDensity {
  public let parameterNames: [String]
  public var dimension: Int { layer.dimension }
  public var logNormalizer: Double? { nil }
  public var priorScale: Double? { prior.scale }
  public var designColumns: Int { layer.columns }
  /// Number of hidden units.
  public var hidden: Int { layer.units }
  private let layer: HiddenLayer
  private let prior: NormalPrior
  private let noise: NormalNoise

  /// Takes the names of the design matrix's columns (without a column of ones: the network has its own biases), the
  /// number of hidden units, the prior's scale τ and the noise's scale σ (standard deviations).
  ///
  /// - Throws: ``PosteriorError`` when there are no columns or hidden units, or a scale is not positive.
  public init(columnNames: [String], hidden: Int, priorScale: Double, noiseScale: Double) throws {
    try PosteriorError.requireColumns(columnNames)
    guard hidden > 0 else {
      throw PosteriorError(code: .shape, message: "a network needs at least one hidden unit, not \(hidden)")
    }
    layer = HiddenLayer(columns: columnNames.count, units: hidden)
    parameterNames = layer.parameterNames(columnNames: columnNames)
    prior = try NormalPrior(scale: priorScale, dimension: layer.dimension)
    noise = try NormalNoise(scale: noiseScale)
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
    NetworkBlock.visit(rows, layer: layer, predictions: 1, workspace: workspace) { block in
      let residuals = workspace.small.reserve(block.count)
      for s in 0..<count {
        let point = points + s * dimension
        block.predict(point, into: residuals)
        isomix_linear_residual(residuals, block.responses, 1, block.count, noise.precision, value + s)
        if let gradient { block.propagate(residuals, point: point, into: gradient + s * dimension) }
      }
    }
    noise.addNormalizer(rows: rows.count, to: value, count: count)
  }

  public func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    NetworkBlock.visit(rows, layer: layer, predictions: count, workspace: workspace) { block in
      let predictions = workspace.gradient.reserve(count * block.count)
      for s in 0..<count {
        block.predict(draws + s * dimension, into: predictions + s * block.count)
      }
      noise.accumulateScores(
        predictions: predictions, responses: block.responses, draws: count, rows: block.count, into: &scores,
        workspace: workspace)
    }
  }
}
