import NumericsKit

extension IterateStatistics {
  /// Columns that are worked on together, one in each lane of a vector.
  private typealias Lanes = SIMD8<Double>

  /// Effective sample sizes for the mean: Geyer's initial monotone sequence (Statistical Science 7, 1992) over the
  /// autocovariances of the two halves taken as chains, as in Vehtari et al. (Bayesian Analysis 16, 2021) and
  /// ArviZ's `ess(method="mean")` for one chain, whose values these are.
  ///
  /// NaN for fewer than ``minimumRows`` rows and for a parameter that is not finite. A parameter that never changes
  /// counts every row. Autocovariances are summed directly, up to the lag at which the sequence ends.
  public static func effectiveSampleSizes(
    _ iterates: [Double], rows: Range<Int>, parameters: Int
  ) -> [Double] {
    precondition(rows.lowerBound >= 0 && rows.upperBound * parameters <= iterates.count, "rows that exist")
    var sizes = [Double](repeating: .nan, count: parameters)
    guard rows.count >= minimumRows else { return sizes }
    let half = rows.count / 2
    var first = [Lanes](repeating: .zero, count: half)
    var second = first
    iterates.withUnsafeBufferPointer { iterates in
      for start in stride(from: 0, to: parameters, by: Lanes.scalarCount) {
        let width = min(Lanes.scalarCount, parameters - start)
        for t in 0..<half {
          let upper = (rows.lowerBound + t) * parameters + start
          let lower = (rows.upperBound - half + t) * parameters + start
          for lane in 0..<width {
            first[t][lane] = iterates[upper + lane]
            second[t][lane] = iterates[lower + lane]
          }
        }
        let block = effectiveSampleSizes(&first, &second)
        for lane in 0..<width { sizes[start + lane] = block[lane] }
      }
    }
    return sizes
  }

  /// The same for a block of columns; replaces the halves by their differences from their means.
  private static func effectiveSampleSizes(_ first: inout [Lanes], _ second: inout [Lanes]) -> Lanes {
    let half = first.count
    let firstMean = center(&first)
    let secondMean = center(&second)
    let difference = firstMean - secondMean
    // The variance, divisor 1, of two means.
    let betweenVariance = 0.5 * difference * difference
    var autocovariances: [Lanes] = []
    // As in ArviZ: the variance within chains has divisor n − 1, and `variancePlus` adds the variance between them.
    func autocovariance(_ lag: Int) -> Lanes {
      while autocovariances.count <= lag {
        let next = autocovariances.count
        let sum = lagProduct(first, lag: next) + lagProduct(second, lag: next)
        autocovariances.append(0.5 * (sum / Double(half)))
      }
      return autocovariances[lag]
    }
    let withinVariance = autocovariance(0) * (Double(half) / Double(half - 1))
    let variancePlus = autocovariance(0) + betweenVariance
    return Lanes(
      (0..<Lanes.scalarCount).map { lane in
        guard variancePlus[lane].isFinite else { return .nan }
        guard variancePlus[lane] > 0 else { return Double(2 * half) }
        return geyer(drawsPerChain: half, chains: 2) { lag in
          1 - (withinVariance[lane] - autocovariance(lag)[lane]) / variancePlus[lane]
        }
      })
  }

  /// `chains · n / τ` with `τ = −1 + 2 Σ_t ρ_t` over Geyer's initial monotone sequence of autocorrelations ρ_t,
  /// ρ_0 = 1, at least `1/log₁₀(chains · n)`.
  private static func geyer(drawsPerChain n: Int, chains: Int, correlation: (Int) -> Double) -> Double {
    var kept = [1.0, correlation(1)]
    kept.reserveCapacity(64)
    var even = 1.0
    var odd = kept[1]
    // Initial positive sequence: pairs (ρ_{t+1}, ρ_{t+2}) as long as their sums stay positive.
    var t = 1
    while t < n - 3, even + odd > 0 {
      even = correlation(t + 1)
      odd = correlation(t + 2)
      let positive = even + odd >= 0
      kept.append(positive ? even : 0)
      kept.append(positive ? odd : 0)
      t += 2
    }
    let last = t - 2
    // The last even value still counts once, when it is positive itself.
    if even > 0 { kept[last + 1] = even }
    // Initial monotone sequence: no pair's sum exceeds the one before it.
    for t in stride(from: 1, through: last - 2, by: 2) {
      guard kept[t + 1] + kept[t + 2] > kept[t - 1] + kept[t] else { continue }
      let mean = (kept[t - 1] + kept[t]) / 2
      kept[t + 1] = mean
      kept[t + 2] = mean
    }
    let count = Double(chains * n)
    let time = -1 + 2 * kept[..<(last + 1)].reduce(0, +) + kept[last + 1]
    return count / max(time, VectorMath.logarithm(10) / VectorMath.logarithm(count))
  }

  /// Subtracts the mean from a series and returns it. Differences from the first value come first, so that
  /// a constant becomes zero exactly.
  private static func center(_ series: inout [Lanes]) -> Lanes {
    let origin = series[0]
    var sum = Lanes.zero
    for t in series.indices {
      series[t] -= origin
      sum += series[t]
    }
    let mean = sum / Double(series.count)
    for t in series.indices { series[t] -= mean }
    return origin + mean
  }

  /// `Σ_t x_t x_{t+lag}`.
  private static func lagProduct(_ series: [Lanes], lag: Int) -> Lanes {
    series.withUnsafeBufferPointer { series in
      var sum = Lanes.zero
      for t in 0..<(series.count - lag) { sum += series[t] * series[t + lag] }
      return sum
    }
  }
}
