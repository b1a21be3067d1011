import CKernels
import NumericsKit

/// A Bayesian neural network for regression or classification: hidden layers
/// `a_l = activation(W_l a_{l−1} + b_l)` from `a_0 = x`, outputs `f(x) = W a_L + b`, a response by ``NetworkResponse``,
/// and `θ_j ~ N(0, τ²)` on every weight and bias (arXiv 2506.13613, Section 5, has one layer of rectified linear units).
///
/// θ is `[W_1 (units × columns, row-major by unit), b_1 (units), W_2 (units × units before), b_2, …, W (outputs × units),
/// b (outputs)]`, and ends in log σ when the noise is learned, with the Jacobian of `σ = e^{log σ}`. The gradient at a
/// kink of `relu`, where a unit's input is exactly 0, is that of the unit at rest.
public struct NeuralNetwork: LogDensity {
  public let parameterNames: [String]
  public var dimension: Int { shape.dimension + likelihood.extraCoordinates }
  public var logNormalizer: Double? { nil }
  public var priorMoments: PriorMoments? {
    guard case .learnedNoise(let noisePrior) = likelihood else { return prior.moments }
    return prior.moments + noisePrior.moments
  }
  public var designColumns: Int { shape.columns }
  public let response: NetworkResponse
  /// Units of each hidden layer.
  public var hidden: [Int] { shape.hidden.map(\.units) }
  public var activation: NetworkActivation { shape.activation }
  let columnNames: [String]
  let shape: NetworkShape
  let likelihood: NetworkLikelihood
  private let prior: NormalPrior

  /// Takes the names of the design matrix's columns (without a column of ones: the network has its own biases), the
  /// numbers of units of the hidden layers, and the prior's scale τ (a standard deviation).
  ///
  /// - Throws: ``PosteriorError`` when there are no columns, no hidden units or fewer than two classes, or a scale is not
  ///   positive.
  public init(
    columnNames: [String], hidden: [Int], activation: NetworkActivation, response: NetworkResponse,
    priorScale: Double
  ) throws {
    try PosteriorError.requireColumns(columnNames)
    shape = try NetworkShape(
      columns: columnNames.count, hidden: hidden, outputs: response.outputs, activation: activation)
    likelihood = try NetworkLikelihood(response)
    prior = try NormalPrior(scale: priorScale, dimension: shape.dimension)
    parameterNames =
      shape.parameterNames(columnNames: columnNames, classNames: response.outputNames)
      + (likelihood.extraCoordinates > 0 ? ["log_noise"] : [])
    self.columnNames = columnNames
    self.response = response
  }

  /// Multiplications are of all weights; a hyperbolic tangent costs as much as any other elementary function, a
  /// rectified unit a fifth. One layer of rectified units and one output is counted by d alone, as are linear models.
  public var rowOperations: RowOperations? {
    guard hidden.count > 1 || activation != .relu || shape.outputs > 1 else { return nil }
    let units = activation == .tanh ? shape.hiddenUnits : (shape.hiddenUnits + 4) / 5
    return RowOperations(products: shape.weightCount, functions: units + shape.outputs)
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    guard case .learnedNoise(let noisePrior) = likelihood else {
      prior.accumulate(points: points, count: count, value: value, gradient: gradient)
      return
    }
    for s in 0..<count {
      let point = points + s * dimension
      let slopes = gradient.map { $0 + s * dimension }
      prior.accumulate(points: point, count: 1, value: value + s, gradient: slopes)
      noisePrior.accumulate(
        logSigma: point[shape.dimension], value: value + s, gradient: slopes.map { $0 + shape.dimension })
    }
  }

  public func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let noises = learnedNoises(points, count: count, workspace: workspace)
    NetworkBlock.visit(rows, shape: shape, held: 1, workspace: workspace) { block in
      let outputs = workspace.outputs.reserve(shape.outputs * (block.count + 16))
      for s in 0..<count {
        let point = points + s * dimension
        block.predict(point, into: outputs)
        switch likelihood {
        case .normal(let noise):
          isomix_linear_residual(outputs, block.responses, 1, block.count, noise.precision, value + s)
        case .learnedNoise:
          isomix_linear_residual(
            outputs, block.responses, 1, block.count, noises.precisions[s], noises.misfits + s)
        case .logistic:
          isomix_logistic_residual(outputs, block.responses, 1, block.count, value + s, nil, 0)
        case .softmax(let classes):
          isomix_softmax_residual(
            outputs, block.responses, 1, classes, block.count, outputs + classes * block.count, value + s)
        }
        if let gradient { block.propagate(outputs, point: point, into: gradient + s * dimension) }
      }
    }
    switch likelihood {
    case .normal(let noise): noise.addNormalizer(rows: rows.count, to: value, count: count)
    case .learnedNoise:
      let observations = Double(rows.count)
      for s in 0..<count {
        let logSigma = points[s * dimension + shape.dimension]
        value[s] += observations * (logSigma + 0.5 * VectorMath.logTwoPi) + noises.misfits[s]
        gradient?[s * dimension + shape.dimension] += observations - 2 * noises.misfits[s]
      }
    case .logistic, .softmax: break
    }
  }

  /// `1/σ²` of each point, and as many zeros for the sums of `r²/(2σ²)`; empty unless the noise is learned.
  private func learnedNoises(
    _ points: UnsafePointer<Double>, count: Int, workspace: DensityWorkspace
  ) -> (precisions: UnsafeMutablePointer<Double>, misfits: UnsafeMutablePointer<Double>) {
    defer { withExtendedLifetime(workspace) {} }
    let precisions = workspace.small.reserve(2 * count)
    let misfits = precisions + count
    guard case .learnedNoise = likelihood else { return (precisions, misfits) }
    misfits.update(repeating: 0, count: count)
    for s in 0..<count { precisions[s] = noisePrecision(points + s * dimension) }
    return (precisions, misfits)
  }

  /// `1/σ²` of a point that ends in log σ.
  func noisePrecision(_ point: UnsafePointer<Double>) -> Double {
    VectorMath.exponential(-2 * point[shape.dimension])
  }
}
