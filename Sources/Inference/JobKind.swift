import NumericsKit

/// What workers evaluate in one synchronized pass over all tiles. Raw values are on the wire.
public enum JobKind: UInt8, Sendable, Codable, CaseIterable {
  /// Nothing: the tiles of a gradient with zeros for sums, to measure what coordination costs.
  case empty = 0
  /// Sums of the integrand for the update rule: `[components, d + 2]` numbers a block, `[components, d + d² + 1]` with
  /// full covariances; `[N, 2d]` in all where coordinates have mixtures of their own.
  case gradient = 1
  /// `log q + V` of every draw, for the objective: `[components, samples]` numbers a block.
  case objective = 2
  /// Predictive scores on test rows.
  case prediction = 3
  /// The average curvature of V under the mixture, from gradients: d² numbers, or d.
  case curvature = 4
  /// V and its gradient at given points: `[points, d + 1]` numbers a block.
  case points = 5
  /// The gradient of the rows' part of V at a control variate's reference points, from all rows: `[components, d + 1]`
  /// numbers a block, V first.
  case reference = 6
  /// Predictions of new rows: numbers of each row, a block for some rows.
  case rows = 7

  /// The stream that the job's samples come from.
  public var stream: NoiseStream {
    switch self {
    case .gradient, .empty: .gradient
    case .objective: .objective
    case .prediction, .rows: .prediction
    case .curvature: .curvature
    // Neither has samples.
    case .points, .reference: .relocation
    }
  }
}
