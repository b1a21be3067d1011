import NumericsKit

/// Sums over test rows from which predictive scores are made.
public struct PredictiveScores: Sendable, Equatable {
  /// Rows counted.
  public var rows = 0.0
  /// `Σ_rows log((1/S) Σ_s p(y | θ_s))`: the average of the likelihood over draws, not of its log.
  public var logPredictiveDensity = 0.0
  /// Rows whose most probable class (by the predictive mean) is the observed one; 0 for regression.
  public var correct = 0.0
  /// `Σ_rows (y − predictive mean)²`; 0 for classification.
  public var squaredError = 0.0

  public init() {}

  /// Number of numbers in `values`.
  public static let width = 4

  /// The sums as numbers, to be added and sent.
  public var values: [Double] { [rows, logPredictiveDensity, correct, squaredError] }
}

extension LogDensity {
  /// From log likelihoods and expectations, some rows at a time.
  public func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    guard let response = predictedResponse, count > 0 else { return }
    let width = response.expectationWidth
    // A sweep over sparse rows transposes all draws, however few the rows are.
    let mostRows = rows.sparse == nil ? PredictiveScores.mostRows : PredictiveScores.mostSparseRows
    let size = max(1, min(mostRows, PredictiveScores.mostNumbers / (count * (width + 1))))
    for start in stride(from: 0, to: rows.count, by: size) {
      let block = rows.rows(start..<min(start + size, rows.count))
      let logLikelihoods = workspace.predictions.reserve(count * block.count * (width + 1) + block.count)
      let expectations = logLikelihoods + count * block.count
      computeLogLikelihoods(block, draws: draws, count: count, into: logLikelihoods, workspace: workspace)
      computeExpectations(block, draws: draws, count: count, into: expectations, workspace: workspace)
      scores.add(
        block, response, logLikelihoods: logLikelihoods, expectations: expectations, draws: count,
        scratch: expectations + count * block.count * width)
    }
  }
}

extension PredictiveScores {
  /// Rows scored at once, at most, and numbers held for them.
  fileprivate static let mostRows = 256
  fileprivate static let mostSparseRows = 4096
  fileprivate static let mostNumbers = 1 << 22

  /// Adds rows under equally weighted draws.
  ///
  /// - Parameters:
  ///   - logLikelihoods: `[draws, rows]`.
  ///   - expectations: `[draws, width, rows]`; those of the first draw are overwritten by the sums over draws.
  ///   - scratch: `[rows]`, overwritten.
  fileprivate mutating func add(
    _ block: RowBlock, _ response: PredictedResponse, logLikelihoods: UnsafePointer<Double>,
    expectations: UnsafeMutablePointer<Double>, draws: Int, scratch: UnsafeMutablePointer<Double>
  ) {
    let width = response.expectationWidth
    VectorMath.columnLogMeanExp(logLikelihoods, rows: draws, columns: block.count, into: scratch)
    for draw in 1..<max(1, draws) {
      VectorMath.add(
        1, times: expectations + draw * width * block.count, count: width * block.count, to: expectations)
    }
    for row in 0..<block.count {
      rows += 1
      logPredictiveDensity += scratch[row]
      let observed = block.responses[row]
      guard case .classes = response else {
        let error = observed - expectations[row] / Double(draws)
        squaredError += error * error
        continue
      }
      var best = 0
      if width == 1 {
        best = expectations[row] >= 0.5 * Double(draws) ? 1 : 0
      } else {
        for c in 1..<width where expectations[c * block.count + row] > expectations[best * block.count + row]
        {
          best = c
        }
      }
      correct += Double(best) == observed ? 1 : 0
    }
  }
}
