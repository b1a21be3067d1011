import Inference
import NumericsKit
import Posteriors

/// The group `sample_stats`: densities and importance weights at every draw.
struct SampleStatistics {
  private let data: InferenceData
  /// `log q`, `[draws]`.
  private var logDensities: [Double] = []
  /// `log π − log q`, `[draws]`; empty where it is not known.
  private var logRatios: [Double] = []

  init(_ data: InferenceData) {
    self.data = data
    guard let integrands = data.draws.integrands else { return }
    logRatios = integrands.prefix(data.chains * data.drawsPerChain).map { -$0 }
  }

  /// Takes the next draws: θ, row-major `[count, d]`, and `log q` there.
  mutating func take(_ made: (positions: [Double], logDensities: [Double]), _ workspace: DensityWorkspace) {
    logDensities += made.logDensities
    guard data.draws.integrands == nil, data.hasNoRows else { return }
    logRatios += zip(data.target.logDensitiesWithoutRows(made.positions, workspace), made.logDensities).map {
      $0 - $1
    }
  }

  func write(to root: NetCDFGroup) throws {
    let (group, dimensions) = try data.drawGroup("sample_stats", in: root)
    let shape = dimensions.map(\.size)
    func write(_ name: String, _ values: [Double], _ meaning: String) throws -> NetCDFVariable {
      let variable = try group.variable(name, .double, dimensions)
      try variable.describe("long_name", meaning)
      try variable.write(values, from: shape.map { _ in 0 }, count: shape)
      return variable
    }
    _ = try write("log_q", logDensities, "log density of the fitted mixture")
    guard logRatios.count == logDensities.count else { return }
    _ = try write(
      "lp", zip(logDensities, logRatios).map { $0 + $1 },
      "log of prior times likelihood, with all constants, in the space of the fit")
    guard let smoothing = ParetoSmoothing(logWeights: logRatios) else { return }
    let weights = try write(
      "log_weight", smoothing.logWeights,
      "log importance weight exp(lp - log_q), Pareto-smoothed, normalised so that the weights sum to one")
    if smoothing.shape.isFinite { try weights.describe("pareto_k", smoothing.shape) }
  }
}

extension LogDensity {
  /// `log π` at positions `[count, d]` of a target without rows: its base and the data that it holds itself. `−∞` where it
  /// has no density.
  func logDensitiesWithoutRows(_ positions: [Double], _ workspace: DensityWorkspace) -> [Double] {
    let count = positions.count / max(1, dimension)
    var values = [Double](repeating: 0, count: count)
    accumulateBase(points: positions, count: count, value: &values, gradient: nil, workspace: workspace)
    if let foreign = self as? any ForeignDensity, foreign.shardCount > 0 {
      foreign.accumulateShards(
        0..<foreign.shardCount, points: positions, count: count, value: &values, gradient: nil,
        workspace: workspace)
    }
    return values.map { -$0 }
  }
}
