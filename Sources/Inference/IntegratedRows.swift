import CKernels
import NumericsKit
import Posteriors

/// Predictions without draws: a row's linear predictor is a mixture of normals (``PredictorMixture``), so that what is
/// wanted of the response is a sum of univariate integrals: known, or taken by a rule.
final class IntegratedRows: RowIntegrals {
  private let mixture: PredictorMixture
  private let quantiles: [Double]
  private let normalQuantiles: [Double]
  private let logShares: [Double]
  private let centers = Scratch()
  private let deviations = Scratch()
  private let logs = Scratch()
  private let scratch = Scratch()
  private var counts: CountIntegrals?
  private var student: StudentTerms?

  /// Nil where there is no such mixture of reasonable size.
  init?(_ job: TileJob, law: PredictorLaw, quantiles: [Double]) {
    guard let mixture = PredictorMixture(job, law: law) else { return nil }
    self.mixture = mixture
    self.quantiles = quantiles
    normalQuantiles = quantiles.map(InverseNormal.value(at:))
    logShares = mixture.shares.map { VectorMath.logarithm($0 * Double(mixture.terms)) }
    switch law.response {
    case .poisson, .negativeBinomial: counts = CountIntegrals(mixture)
    case .student(let degrees):
      student = StudentTerms(mixture, degrees: degrees, quantiles: quantiles)
    case .bernoulli, .normal: break
    case .softmax: return nil
    }
  }

  var numbersPerRow: Int { counts?.numbersPerRow ?? mixture.terms }

  /// - Returns: rows whose counts spread too far.
  func predict(
    _ block: RowBlock, quantity: RowPrediction.Quantity, _ layout: RowPrediction.Layout,
    into columns: UnsafeMutablePointer<Double>
  ) -> [Int] {
    let count = block.count
    let numbers = mixture.terms * count
    let centers = centers.pointer(count: numbers)
    let deviations = deviations.pointer(count: numbers)
    mixture.write(block, centers: centers, deviations: deviations)
    let scores = layout.hasScores ? columns + layout.shown * count : nil
    switch mixture.law.response {
    case .normal:
      if quantity == .response { widen(deviations, rows: count) }
      moments(centers, deviations, rows: count, mean: columns, deviation: columns + count)
      solve(centers, deviations, rows: count, into: columns + 2 * count)
      guard let scores else { return [] }
      if quantity == .mean { widen(deviations, rows: count) }
      logDensities(centers, deviations, block, into: scores)
    case .bernoulli:
      LogisticNodes.shared.average(
        centers: centers, deviations: deviations, shares: mixture.shares, rows: count, into: columns)
      if layout.quantiles > 0 {
        // The logistic function is monotone: its quantiles are those of its argument.
        solve(centers, deviations, rows: count, into: columns + count)
        isomix_logistic(columns + count, layout.quantiles * count)
      }
      guard let scores else { return [] }
      for row in 0..<count {
        scores[row] = block.responses[row] > 0.5 ? columns[row] : 1 - columns[row]
      }
      VectorMath.takeLogarithms(scores, count: count)
    case .poisson, .negativeBinomial:
      return predictCounts(centers, deviations, block, quantity, layout, into: columns)
    case .student:
      predictStudent(centers, deviations, block, quantity, layout, into: columns)
    case .softmax: return Array(0..<count)
    }
    return []
  }

  private func predictStudent(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, _ block: RowBlock,
    _ quantity: RowPrediction.Quantity, _ layout: RowPrediction.Layout,
    into columns: UnsafeMutablePointer<Double>
  ) {
    guard let student else { return }
    let count = block.count
    moments(centers, deviations, rows: count, mean: columns, deviation: columns + count)
    switch quantity {
    case .mean: solve(centers, deviations, rows: count, into: columns + 2 * count)
    case .response:
      let (deviation, noise) = (columns + count, student.noiseVariance)
      for row in 0..<count { deviation[row] = (deviation[row] * deviation[row] + noise).squareRoot() }
      student.quantiles(centers, deviations, rows: count, into: columns + 2 * count)
    }
    guard layout.hasScores else { return }
    student.logLikelihoods(
      centers, deviations, block.responses, rows: count, into: columns + layout.shown * count)
  }

  private func predictCounts(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, _ block: RowBlock,
    _ quantity: RowPrediction.Quantity, _ layout: RowPrediction.Layout,
    into columns: UnsafeMutablePointer<Double>
  ) -> [Int] {
    guard let counts else { return Array(0..<block.count) }
    let rows = block.count
    isomix_log_normal_moments(
      centers, deviations, mixture.shares, mixture.auxiliaries, mixture.terms, rows,
      quantity == .response ? 1 : 0, columns, columns + rows)
    let output = columns + 2 * rows
    if quantity == .mean {
      // The exponential function is monotone, too.
      solve(centers, deviations, rows: rows, into: output)
      isomix_bounded_exp(output, output, nil, layout.quantiles * rows)
    }
    let rowCounts = CountIntegrals.Rows(
      count: rows, centers: centers, deviations: deviations, expectations: columns)
    let left = quantity == .response ? counts.quantiles(rowCounts, at: quantiles, into: output) : []
    guard layout.hasScores else { return left }
    let unscored = counts.logLikelihoods(
      rowCounts, block.responses, into: columns + layout.shown * rows)
    return Set(left).union(unscored).sorted()
  }

  /// Adds the noise, which is independent, to every standard deviation.
  private func widen(_ deviations: UnsafeMutablePointer<Double>, rows: Int) {
    for (term, scale) in mixture.auxiliaries.enumerated() where scale > 0 {
      let own = deviations + term * rows
      for row in 0..<rows { own[row] = (own[row] * own[row] + scale * scale).squareRoot() }
    }
  }

  /// Mean and standard deviation of each row's mixture of normals.
  private func moments(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int,
    mean: UnsafeMutablePointer<Double>, deviation: UnsafeMutablePointer<Double>
  ) {
    mean.update(repeating: 0, count: rows)
    deviation.update(repeating: 0, count: rows)
    for (term, share) in mixture.shares.enumerated() {
      for row in 0..<rows { mean[row] += share * centers[term * rows + row] }
    }
    for (term, share) in mixture.shares.enumerated() {
      for row in 0..<rows {
        let offset = centers[term * rows + row] - mean[row]
        let own = deviations[term * rows + row]
        deviation[row] += share * (own * own + offset * offset)
      }
    }
    for row in 0..<rows {
      // Certain but for the smallest deviation, which stands for none.
      let root = deviation[row].squareRoot()
      deviation[row] = root > 2 * ISOMIX_SMALLEST_DEVIATION ? root : 0
    }
  }

  private func solve(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    isomix_normal_mixture_quantiles(
      centers, deviations, mixture.shares, mixture.terms, rows, quantiles, normalQuantiles, quantiles.count,
      scratch.pointer(count: 32 * mixture.terms), output)
    // A row of zeros, whose predictor is certain.
    for row in 0..<rows where deviations[row] == ISOMIX_SMALLEST_DEVIATION {
      for index in quantiles.indices { output[index * rows + row] = centers[row] }
    }
  }

  /// `log p(y)` of each row's mixture of normals at its response.
  private func logDensities(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, _ block: RowBlock,
    into output: UnsafeMutablePointer<Double>
  ) {
    let numbers = mixture.terms * block.count
    let logs = logs.pointer(count: numbers)
    logs.update(from: deviations, count: numbers)
    VectorMath.takeLogarithms(logs, count: numbers)
    for term in 0..<mixture.terms {
      for row in 0..<block.count {
        let index = term * block.count + row
        let distance = (block.responses[row] - centers[index]) / deviations[index]
        logs[index] =
          logShares[term] - 0.5 * (distance * distance + VectorMath.logTwoPi) - logs[index]
      }
    }
    VectorMath.columnLogMeanExp(logs, rows: mixture.terms, columns: block.count, into: output)
  }
}
