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

extension RowBlock {
  /// The rows as dense float64 `[rows, columns]`: themselves where they are, else written into a scratch.
  func denseRows(_ scratch: Scratch) -> UnsafePointer<Double> {
    if sparse == nil, precision == .float64 { return features.assumingMemoryBound(to: Double.self) }
    let wide = scratch.pointer(count: count * columns)
    writeDense(0..<count, into: wide)
    return UnsafePointer(wide)
  }
}

extension TileJob {
  /// Whether another job is one of the same Gaussians.
  func hasMixture(of other: TileJob) -> Bool {
    self === other || mixture == other.mixture && factors == other.factors && metric == other.metric
  }

  /// What is made of the factor W of the Gaussians `N(m, ε W Wᵀ)`: of the metric's once, or of full covariances' for each
  /// component, whose ε are 1; and the ε.
  func frames<Frame>(_ make: ([Double]) -> Frame) -> (variances: [Double], frames: [Frame]) {
    guard !factors.isEmpty else { return (mixture.variances, [make(metric.factor)]) }
    let (components, size) = (mixture.componentCount, metric.dimension * metric.dimension)
    return (
      [Double](repeating: 1, count: components),
      (0..<components).map { make(Array(factors[$0 * size..<($0 + 1) * size])) }
    )
  }
}
