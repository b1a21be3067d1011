import NumericsKit

/// What a target with data predicts of a row.
public enum PredictedResponse: Sendable, Hashable {
  /// A real number.
  case real
  /// A whole number from 0.
  case count
  /// One of some classes, coded by their index. Of two classes only the second's probability is computed.
  case classes([String])

  /// How many numbers the expectation of a row has: probabilities of the classes, but one for two classes; else 1.
  public var expectationWidth: Int {
    guard case .classes(let names) = self else { return 1 }
    return names.count == 2 ? 1 : names.count
  }
}

extension LogDensity {
  /// Nothing is predicted.
  public var predictedResponse: PredictedResponse? { nil }

  public func computeLogLikelihoods(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) {}

  public func computeExpectations(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) {}

  public func computeResponses(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, uniforms: UnsafePointer<Double>,
    into output: UnsafeMutablePointer<Double>, workspace: DensityWorkspace
  ) {}
}
