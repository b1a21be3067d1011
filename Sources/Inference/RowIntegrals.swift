import NumericsKit
import Posteriors

/// Predictions of rows without draws.
protocol RowIntegrals: AnyObject {
  /// Numbers that a row takes.
  var numbersPerRow: Int { get }

  /// Writes columns `[width, rows]`, without the responses.
  /// - Returns: rows, ascending, that this can't predict: they take draws.
  func predict(
    _ block: RowBlock, quantity: RowPrediction.Quantity, _ layout: RowPrediction.Layout,
    into columns: UnsafeMutablePointer<Double>
  ) -> [Int]
}

extension PredictorLaw {
  /// Whether predictions of a target with this law are integrated without draws.
  /// - Parameters:
  ///   - columns: of the design matrix.
  ///   - frames: matrices that the components' covariances are made of: one, or one for each.
  ///   - isDense: whether those are more than diagonals.
  func isIntegrated(
    _ prediction: RowPrediction, columns: Int, components: Int, frames: Int, isDense: Bool
  ) -> Bool {
    guard case .softmax(let classes) = response else {
      return ConditionalRule(self, components: components, deviation: 0) != nil
    }
    // Quantiles of probabilities are not integrals of few variables.
    return prediction.quantity == .response
      && ClassRows.isWorthwhile(
        classes: classes, columns: columns, components: components, frames: frames, isDense: isDense)
  }

  /// What integrates the rows of a job; nil where its mixture has too many terms.
  func integrals(_ job: TileJob, quantiles: [Double]) -> (any RowIntegrals)? {
    guard case .softmax(let classes) = response else {
      return IntegratedRows(job, law: self, quantiles: quantiles)
    }
    return ClassRows(job, classes: classes)
  }
}
