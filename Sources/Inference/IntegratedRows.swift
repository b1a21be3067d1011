import CKernels
import Mixtures
import NumericsKit
import Posteriors

/// Predictions without draws: of a row x the linear predictor `η = x θ` is under component i
/// `N(x m_i, ε_i ‖Lᵀ x‖²)` (full covariances: `‖F_iᵀ x‖²`), so that what is wanted of the response is a sum of
/// univariate integrals, known or taken by the trapezoidal rule to 10⁻⁹.
final class IntegratedRows {
  private let law: PredictorLaw
  private let job: TileJob
  /// Means in θ, `[N, d]`.
  private let means: [Double]
  private let quantiles: [Double]
  private let normalQuantiles: [Double]
  private let design = Scratch()
  private let projected = Scratch()
  private let centers = Scratch()
  private let deviations = Scratch()
  private let logs = Scratch()
  private let scratch = Scratch()

  /// So that a row of zeros, whose predictor is 0 for certain, divides by no zero.
  private static let smallestDeviation = 1e-150

  init(_ job: TileJob, law: PredictorLaw, quantiles: [Double]) {
    self.job = job
    self.law = law
    means = job.metric.positions(of: job.mixture.means, count: job.mixture.componentCount)
    self.quantiles = quantiles
    normalQuantiles = quantiles.map(InverseNormal.value(at:))
  }

  private var components: Int { job.mixture.componentCount }

  /// Writes columns `[width, rows]`, without the responses.
  func predict(
    _ block: RowBlock, quantity: RowPrediction.Quantity, _ layout: RowPrediction.Layout,
    into columns: UnsafeMutablePointer<Double>
  ) {
    let count = block.count
    let numbers = components * count
    let centers = centers.pointer(count: numbers)
    let deviations = deviations.pointer(count: numbers)
    predictors(block, centers, deviations)
    let scores = layout.hasScores ? columns + layout.shown * count : nil
    switch law {
    case .normal(let scale):
      let spread = quantity == .response ? scale : 0
      widen(deviations, count: numbers, by: spread)
      moments(centers, deviations, rows: count, mean: columns, deviation: columns + count)
      solve(centers, deviations, rows: count, into: columns + 2 * count)
      guard let scores else { return }
      if quantity == .mean { widen(deviations, count: numbers, by: scale) }
      logDensities(centers, deviations, block, into: scores)
    case .bernoulli:
      LogisticNodes.shared.average(
        centers: centers, deviations: deviations, components: components, rows: count, into: columns)
      if layout.quantiles > 0 {
        // The logistic function is monotone: its quantiles are those of its argument.
        solve(centers, deviations, rows: count, into: columns + count)
        isomix_logistic(columns + count, layout.quantiles * count)
      }
      guard let scores else { return }
      for row in 0..<count {
        scores[row] = block.responses[row] > 0.5 ? columns[row] : 1 - columns[row]
      }
      VectorMath.takeLogarithms(scores, count: count)
    }
  }

  /// Centres and standard deviations of η, `[components, rows]`.
  private func predictors(
    _ block: RowBlock, _ centers: UnsafeMutablePointer<Double>, _ deviations: UnsafeMutablePointer<Double>
  ) {
    let (count, columns) = (block.count, block.columns)
    let rows: UnsafePointer<Double>
    switch block.precision {
    case .float64: rows = block.features.assumingMemoryBound(to: Double.self)
    case .float32:
      let wide = design.pointer(count: count * columns)
      isomix_to_doubles(block.features.assumingMemoryBound(to: Float.self), count * columns, wide)
      rows = UnsafePointer(wide)
    }
    BLAS.multiply(
      means, leadingDimension: columns, by: rows, leadingDimension: columns, transposed: true,
      rows: components, columns: count, inner: columns, into: centers, leadingDimension: count)
    let squares = logs.pointer(count: count)
    if job.factors.isEmpty {
      squaredLengths(
        rows, count: count, columns: columns, factor: job.metric.factor, offset: 0, into: squares)
    }
    for component in 0..<components {
      if !job.factors.isEmpty {
        squaredLengths(
          rows, count: count, columns: columns, factor: job.factors, offset: component * columns * columns,
          into: squares)
      }
      let variance = job.factors.isEmpty ? job.mixture.variances[component] : 1
      for row in 0..<count {
        deviations[component * count + row] = max(
          (variance * squares[row]).squareRoot(), IntegratedRows.smallestDeviation)
      }
    }
  }

  /// `‖Lᵀ x‖²` of each row for a factor `[d, d]`, a diagonal one `[d]`, or none for the identity.
  private func squaredLengths(
    _ rows: UnsafePointer<Double>, count: Int, columns: Int, factor: [Double], offset: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    factor.withUnsafeBufferPointer { factor in
      let isDiagonal = job.factors.isEmpty && job.metric.kind == .diagonal
      guard let base = factor.baseAddress, !factor.isEmpty else {
        for row in 0..<count {
          output[row] = VectorMath.sumOfSquares(rows + row * columns, count: columns)
        }
        return
      }
      let projected = projected.pointer(count: count * columns)
      if isDiagonal {
        for row in 0..<count {
          for k in 0..<columns { projected[row * columns + k] = rows[row * columns + k] * base[k] }
        }
      } else {
        BLAS.multiply(
          rows, leadingDimension: columns, by: base + offset, leadingDimension: columns, rows: count,
          columns: columns, inner: columns, into: projected, leadingDimension: columns)
      }
      for row in 0..<count {
        output[row] = VectorMath.sumOfSquares(projected + row * columns, count: columns)
      }
    }
  }

  /// Adds independent noise of a scale to every standard deviation.
  private func widen(_ deviations: UnsafeMutablePointer<Double>, count: Int, by scale: Double) {
    guard scale > 0 else { return }
    for index in 0..<count {
      deviations[index] = (deviations[index] * deviations[index] + scale * scale).squareRoot()
    }
  }

  /// Mean and standard deviation of each row's mixture of normals.
  private func moments(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int,
    mean: UnsafeMutablePointer<Double>, deviation: UnsafeMutablePointer<Double>
  ) {
    let share = 1 / Double(components)
    mean.update(repeating: 0, count: rows)
    deviation.update(repeating: 0, count: rows)
    for component in 0..<components {
      for row in 0..<rows { mean[row] += share * centers[component * rows + row] }
    }
    for component in 0..<components {
      for row in 0..<rows {
        let offset = centers[component * rows + row] - mean[row]
        let own = deviations[component * rows + row]
        deviation[row] += share * (own * own + offset * offset)
      }
    }
    for row in 0..<rows {
      // Certain but for the smallest deviation, which stands for none.
      let variance = deviation[row]
      deviation[row] =
        variance.squareRoot() > 2 * IntegratedRows.smallestDeviation ? variance.squareRoot() : 0
    }
  }

  private func solve(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    isomix_normal_mixture_quantiles(
      centers, deviations, components, rows, quantiles, normalQuantiles, quantiles.count,
      scratch.pointer(count: 32 * components), output)
    // A row of zeros, whose predictor is certain.
    for row in 0..<rows where deviations[row] == IntegratedRows.smallestDeviation {
      for index in quantiles.indices { output[index * rows + row] = centers[row] }
    }
  }

  /// `log p(y)` of each row's mixture of normals at its response.
  private func logDensities(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, _ block: RowBlock,
    into output: UnsafeMutablePointer<Double>
  ) {
    let numbers = components * block.count
    let logs = logs.pointer(count: numbers)
    logs.update(from: deviations, count: numbers)
    VectorMath.takeLogarithms(logs, count: numbers)
    for component in 0..<components {
      for row in 0..<block.count {
        let index = component * block.count + row
        let distance = (block.responses[row] - centers[index]) / deviations[index]
        logs[index] = -0.5 * (distance * distance + VectorMath.logTwoPi) - logs[index]
      }
    }
    VectorMath.columnLogMeanExp(logs, rows: components, columns: block.count, into: output)
  }
}

/// Rules for `E f(μ + s z)`, z standard normal: equally spaced nodes with weights ∝ e^{−z²/2}. The trapezoidal rule's
/// error for the logistic function, whose poles are at distance π/s, falls as `e^{−2π²/(s h)}` with the distance h of
/// the nodes (Trefethen, Weideman, SIAM Review 56, 2014); each finer rule serves twice the deviation.
struct LogisticNodes: Sendable {
  private var nodes: [Double] = []
  private var weights: [Double] = []

  static let shared = LogisticNodes()
  /// As the kernel has them.
  private static let (coarsest, levels) = (16, 7)
  private static let distance = 0.75

  private init() {
    for level in 0..<LogisticNodes.levels {
      let count = LogisticNodes.coarsest << level
      let distance = LogisticNodes.distance / Double(1 << level)
      let own = (0..<count).map { (Double($0) - 0.5 * Double(count - 1)) * distance }
      let shares = own.map { VectorMath.exponential(-0.5 * $0 * $0) }
      let total = shares.reduce(0, +)
      nodes += own
      weights += shares.map { $0 / total }
    }
  }

  /// The average of `1/(1 + e^{−η})` over components, for each row of matrices `[components, rows]`.
  func average(
    centers: UnsafePointer<Double>, deviations: UnsafePointer<Double>, components: Int, rows: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    isomix_logistic_averages(centers, deviations, components, rows, nodes, weights, output)
  }
}
