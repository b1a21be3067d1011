import NumericsKit

/// A target without data: the whole of V is its base, and its normaliser is known.
public protocol AnalyticDensity: LogDensity {}

extension AnalyticDensity {
  public var designColumns: Int { 0 }
  /// Analytic targets are normalised.
  public var logNormalizer: Double? { 0 }
  public var priorMoments: PriorMoments? { nil }
  /// `x[1]`, `x[2]`, …
  public var parameterNames: [String] { (1...max(1, dimension)).map { "x[\($0)]" } }

  public func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {}

  public func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {}
}
