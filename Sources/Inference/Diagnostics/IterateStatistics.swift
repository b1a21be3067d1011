/// Statistics of a stretch of iterates, each parameter for itself: whether they are stationary, and how well their
/// mean is known.
///
/// Iterates of a stochastic gradient method at a constant step are correlated draws around an optimum. Split R̂
/// finds the stretch over which they no longer drift, their effective sample size and Monte Carlo standard error
/// say when the average over it is good enough (Welandawe, Andersen, Vehtari, Huggins, arXiv 2203.15945).
///
/// Iterates are row-major `[iterations, parameters]`; every function looks at a range of rows without copying
/// the rest, and gives one number for each parameter, `[parameters]`. Columns are worked on in blocks, so that a
/// pass over rows reads memory in order.
public enum IterateStatistics {
  /// Fewer rows have no statistics (NaN), as in ArviZ.
  public static let minimumRows = 4

  /// Columns of a block: few enough for their accumulators to stay in the first-level cache.
  private static let blockColumns = 512

  /// Means over the rows.
  public static func means(_ iterates: [Double], rows: Range<Int>, parameters: Int) -> [Double] {
    moments(iterates, rows: rows, parameters: parameters).means
  }

  /// Standard deviations with divisor n − 1.
  public static func standardDeviations(
    _ iterates: [Double], rows: Range<Int>, parameters: Int
  ) -> [Double] {
    moments(iterates, rows: rows, parameters: parameters).variances.map { $0.squareRoot() }
  }

  /// Split R̂ of one chain cut into halves (Gelman et al., *Bayesian Data Analysis*, 3rd edition, section 11.4; no
  /// rank normalisation): with n rows in a half, W the mean of the halves' variances and B n times the variance
  /// of their means, `√((B/W + n − 1)/n)`. The middle row of an odd number is left out.
  ///
  /// The value of ArviZ's `rhat(method="identity")` for the two halves as chains. A parameter that never
  /// changes has R̂ = 1; one that is constant within each half, at two values, `+∞`; one that is not finite, NaN.
  public static func splitRHat(_ iterates: [Double], rows: Range<Int>, parameters: Int) -> [Double] {
    guard rows.count >= minimumRows else { return [Double](repeating: .nan, count: parameters) }
    let half = rows.count / 2
    let first = moments(iterates, rows: rows.prefix(half), parameters: parameters)
    let second = moments(iterates, rows: rows.suffix(half), parameters: parameters)
    return (0..<parameters).map { column in
      let within = 0.5 * (first.variances[column] + second.variances[column])
      let difference = first.means[column] - second.means[column]
      let between = Double(half) * 0.5 * difference * difference
      if within == 0 { return between == 0 ? 1 : .infinity }
      return ((between / within + Double(half - 1)) / Double(half)).squareRoot()
    }
  }

  /// The largest split R̂ over all parameters; NaN as soon as one of them is, so that a comparison with a threshold
  /// fails; zero without parameters.
  public static func maximumSplitRHat(_ iterates: [Double], rows: Range<Int>, parameters: Int) -> Double {
    splitRHat(iterates, rows: rows, parameters: parameters).reduce(0) {
      $0.isNaN || $1.isNaN ? .nan : max($0, $1)
    }
  }

  /// Monte Carlo standard errors of the means, `sd/√ESS` with the standard deviation (divisor n − 1) of all rows
  /// and ``effectiveSampleSizes(_:rows:parameters:)``; the value of ArviZ's `mcse(method="mean")`.
  public static func standardErrors(_ iterates: [Double], rows: Range<Int>, parameters: Int) -> [Double] {
    let sizes = effectiveSampleSizes(iterates, rows: rows, parameters: parameters)
    let deviations = standardDeviations(iterates, rows: rows, parameters: parameters)
    return zip(deviations, sizes).map { $0 / $1.squareRoot() }
  }

  /// Means and variances (divisor n − 1) over the rows, in two passes, from each column's first value, so that
  /// a constant column has variance zero exactly.
  private static func moments(
    _ iterates: [Double], rows: Range<Int>, parameters: Int
  ) -> (means: [Double], variances: [Double]) {
    precondition(rows.lowerBound >= 0 && rows.upperBound * parameters <= iterates.count, "rows that exist")
    var means = [Double](repeating: .nan, count: parameters)
    var variances = means
    guard !rows.isEmpty else { return (means, variances) }
    let count = Double(rows.count)
    var sums = [Double](repeating: 0, count: blockColumns)
    iterates.withUnsafeBufferPointer { iterates in
      for start in stride(from: 0, to: parameters, by: blockColumns) {
        let width = min(blockColumns, parameters - start)
        let origin = rows.lowerBound * parameters + start
        for column in 0..<width { sums[column] = 0 }
        for row in rows {
          let offset = row * parameters + start
          for column in 0..<width { sums[column] += iterates[offset + column] - iterates[origin + column] }
        }
        for column in 0..<width {
          means[start + column] = iterates[origin + column] + sums[column] / count
          sums[column] = 0
        }
        for row in rows {
          let offset = row * parameters + start
          for column in 0..<width {
            let difference = iterates[offset + column] - means[start + column]
            sums[column] += difference * difference
          }
        }
        for column in 0..<width { variances[start + column] = sums[column] / (count - 1) }
      }
    }
    return (means, variances)
  }
}
