import Mixtures
import NumericsKit

/// A stretch of iterations at one step size: first until the iterates are stationary, then their average.
///
/// Stationarity is split R̂ over the later half of the stage; the average is good when its Monte Carlo standard errors
/// are small and its effective sample size is not (Welandawe et al., arXiv 2203.15945). Both are judged on at most
/// ``mostTracked`` of the parameters m and `log ε`, spread evenly; the average is over all of them.
package struct Stage: Sendable, Equatable {
  /// Iterations in it so far.
  package private(set) var count = 0
  /// Iterations that are in the average so far; 0 until the iterates are stationary.
  package private(set) var averaged = 0
  /// Sums over the averaged iterates of means, then of log variances; empty until then.
  private(set) var sums: [Double] = []
  /// The tracked parameters, row-major `[count, tracked]`.
  private(set) var tracked: [Double] = []

  static let mostTracked = 192
  /// Iterations from one check to the next.
  package static let block = 100
  /// Iterations after which the average begins even if some parameter still drifts (along directions in which the
  /// objective is flat, or between solutions of equal worth).
  package static let longestSettling = 400
  package static let longestAveraging = 800
  static let stationary = 1.1
  package static let smallEnoughError = 0.1
  static let largeEnoughSize = 25.0
  /// The share of tracked parameters that may miss a limit.
  static let tolerated = 0.05

  /// Iterates in an average, at most.
  private(set) var mostAveraged = Stage.longestAveraging

  /// - Parameter mostAveraged: iterates in the average, at most.
  package init(mostAveraged: Int = Stage.longestAveraging) { self.mostAveraged = mostAveraged }

  /// Whether the iterates have been found stationary.
  package private(set) var isAveraging = false

  /// Puts a stage together again; nil when sizes don't fit.
  init?(
    count: Int, averaged: Int, isAveraging: Bool, isOver: Bool, sums: [Double], tracked: [Double],
    of mixture: IsotropicMixture, mostAveraged: Int = Stage.longestAveraging
  ) {
    let columns = Stage.columns(of: mixture)
    guard count >= 0, count <= Stage.longestSettling + mostAveraged, averaged >= 0,
      averaged <= count, isAveraging || averaged == 0, tracked.count == count * columns.count,
      sums.count == (averaged > 0 ? mixture.means.count + mixture.componentCount : 0)
    else { return nil }
    self.mostAveraged = mostAveraged
    self.count = count
    self.averaged = averaged
    self.isAveraging = isAveraging
    self.isOver = isOver
    self.sums = sums
    self.tracked = tracked
  }

  /// Whether the average is good, or as good as it gets.
  package private(set) var isOver = false

  /// Takes the iterate after a step.
  package mutating func take(_ mixture: IsotropicMixture) {
    let columns = Stage.columns(of: mixture)
    for column in columns { tracked.append(Stage.value(column, of: mixture)) }
    count += 1
    if isAveraging { accumulate(mixture) }
    guard count % Stage.block == 0 else { return }
    if !isAveraging {
      let rhat = IterateStatistics.splitRHat(tracked, rows: count / 2..<count, parameters: columns.count)
      isAveraging =
        Stage.quantile(rhat.map { $0.isNaN ? .infinity : $0 }) <= Stage.stationary
        || count >= Stage.longestSettling
      return
    }
    let rows = count - averaged..<count
    let errors = relativeErrors(rows, columns, of: mixture)
    let sizes = IterateStatistics.effectiveSampleSizes(tracked, rows: rows, parameters: columns.count)
    let isGood =
      Stage.quantile(errors.map { $0.isNaN ? .infinity : $0 }) <= Stage.smallEnoughError
      && Stage.quantile(sizes.map { $0.isNaN ? 0 : -$0 }) <= -Stage.largeEnoughSize
    isOver = isGood || averaged >= mostAveraged
  }

  private mutating func accumulate(_ mixture: IsotropicMixture) {
    if sums.isEmpty { sums = [Double](repeating: 0, count: mixture.means.count + mixture.componentCount) }
    // In each iteration, while all workers wait: no check of each index.
    sums.withUnsafeMutableBufferPointer { sums in
      mixture.means.withUnsafeBufferPointer { means in
        for k in means.indices { sums[k] += means[k] }
      }
      for (i, variance) in mixture.variances.enumerated() {
        sums[mixture.means.count + i] += VectorMath.logarithm(variance)
      }
    }
    averaged += 1
  }

  /// The average of the iterates, of variances by their logarithms; nil before any is in it.
  package func average(like mixture: IsotropicMixture) -> IsotropicMixture? {
    guard averaged > 0 else { return nil }
    var result = mixture
    let count = Double(averaged)
    for k in mixture.means.indices { result.means[k] = sums[k] / count }
    for i in mixture.variances.indices {
      result.variances[i] = VectorMath.exponential(sums[mixture.means.count + i] / count)
    }
    return result
  }

  /// The largest split R̂ and Monte Carlo standard error and the least effective sample size, of all but the
  /// tolerated share of tracked parameters, over the averaged iterates.
  package func statistics(of mixture: IsotropicMixture) -> IterateSummary? {
    guard averaged >= IterateStatistics.minimumRows else { return nil }
    let columns = Stage.columns(of: mixture)
    let rows = count - averaged..<count
    return IterateSummary(
      iterations: averaged,
      rhat: Stage.quantile(IterateStatistics.splitRHat(tracked, rows: rows, parameters: columns.count)),
      standardError: Stage.quantile(relativeErrors(rows, columns, of: mixture)),
      effectiveSampleSize: -Stage.quantile(
        IterateStatistics.effectiveSampleSizes(tracked, rows: rows, parameters: columns.count).map { -$0 }))
  }

  /// Monte Carlo standard errors, of means in units of their component's standard deviation.
  private func relativeErrors(_ rows: Range<Int>, _ columns: [Int], of mixture: IsotropicMixture) -> [Double]
  {
    let errors = IterateStatistics.standardErrors(tracked, rows: rows, parameters: columns.count)
    return zip(columns, errors).map { column, error in
      column < mixture.means.count
        ? error / mixture.variances[column / mixture.dimension].squareRoot() : error
    }
  }

  /// The value that all but the tolerated share don't exceed.
  private static func quantile(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.filter { !$0.isNaN }.sorted() + values.filter(\.isNaN)
    return sorted[sorted.count - 1 - Int(tolerated * Double(sorted.count))]
  }

  /// What is tracked: indices into all coordinates of the means, then all log variances.
  private static func columns(of mixture: IsotropicMixture) -> [Int] {
    let means = mixture.means.count
    let total = means + mixture.componentCount
    guard total > mostTracked else { return Array(0..<total) }
    let ofVariances = min(mixture.componentCount, mostTracked / 4)
    let ofMeans = mostTracked - ofVariances
    return (0..<ofMeans).map { $0 * means / ofMeans }
      + (0..<ofVariances).map { means + $0 * mixture.componentCount / ofVariances }
  }

  private static func value(_ column: Int, of mixture: IsotropicMixture) -> Double {
    column < mixture.means.count
      ? mixture.means[column]
      : VectorMath.logarithm(mixture.variances[column - mixture.means.count])
  }
}

/// How settled the averaged iterates are.
public struct IterateSummary: Sendable, Hashable, Codable {
  /// Iterates in the average.
  public var iterations: Int
  /// Split R̂.
  public var rhat: Double
  /// Monte Carlo standard error of `m/√ε` and `log ε`.
  public var standardError: Double
  public var effectiveSampleSize: Double
}
