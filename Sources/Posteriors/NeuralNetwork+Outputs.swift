import NumericsKit

// What users see of θ, and what a network predicts of rows.
extension NeuralNetwork {
  /// The layers' weights and biases, and `noise` when it is learned.
  public var outputVariables: [OutputVariable] {
    shape.variables(columnNames: columnNames, classNames: response.outputNames)
      + (likelihood.extraCoordinates > 0 ? [OutputVariable(name: "noise")] : [])
  }

  public func computeOutputs(
    points: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) throws {
    output.update(from: points, count: count * dimension)
    guard case .learnedNoise = likelihood else { return }
    for s in 0..<count {
      let index = s * dimension + shape.dimension
      output[index] = VectorMath.exponential(points[index])
    }
  }

  public var predictedResponse: PredictedResponse? {
    switch response {
    case .real, .realWithNoise: .real
    case .classes(let names): .classes(names)
    }
  }
}
