import CKernels
import NumericsKit
import Posteriors

/// Few terms in place of all that a row's counts are a mixture of (``PredictorMixture``), where these differ little: at some
/// overdispersions α, between which a count's distribution function is taken for a polynomial in α or √α, and at three or five
/// predictors about the row's own mean, with shares by which the predictors' moments are those of all terms.
final class CountMerging {
  private let rule: [(place: Double, weight: Double)]
  private let shares: [Double]
  private let overdispersions: [Double]
  /// Shares of the terms times Lagrange polynomials at their own overdispersions, `[overdispersions, terms]`.
  private let interpolation: [Double]
  private let lagrange: [Double]
  private let largestMean: Double
  private let leastOverdispersion: Double
  private let arrays = Scratch()
  private let scratch = Scratch()

  private var terms: Int { shares.count }
  private var mergedTerms: Int { overdispersions.count * rule.count }

  /// Numbers of nodes for the overdispersions, a rule in α or in √α: whichever serves the larger means.
  private static let orders = [2, 4, 8]
  private static let areRoots = [false, true]
  /// What a distribution function may be off by with the nodes in place of all overdispersions, and the sum of what
  /// those of the terms may be.
  private static let (tolerance, tolerancePerTerm) = (1e-5, 3e-4)
  /// Means up to which this is tried, in octaves.
  private static let means = (0...9).map { Double(1 << $0) }

  /// Mergings of a mixture, those with fewer terms first; none where they have as many as the mixture.
  static func all(_ mixture: PredictorMixture) -> [CountMerging] {
    let distinct = Set(mixture.auxiliaries).count
    let orders = distinct == 1 ? [1] : orders.filter { $0 < distinct }
    return orders.flatMap { order -> [CountMerging] in
      let rules = areRoots.compactMap { isRoot -> (nodes: OverdispersionNodes, largest: Double)? in
        guard let nodes = OverdispersionNodes(mixture, count: order, isRoot: isRoot) else { return nil }
        return (nodes, distinct == 1 ? .infinity : largestMean(mixture, nodes))
      }
      guard let best = rules.max(by: { $0.largest < $1.largest }), best.largest > 0 else { return [] }
      return [3, 5].filter { $0 * best.nodes.values.count < 3 * mixture.terms }.map { points in
        CountMerging(mixture, best.nodes, points: points, largestMean: best.largest)
      }
    }
  }

  private init(
    _ mixture: PredictorMixture, _ nodes: OverdispersionNodes, points: Int, largestMean: Double
  ) {
    rule = Hermite.rule(points)
    shares = mixture.shares
    overdispersions = nodes.values
    interpolation = nodes.interpolation
    self.largestMean = largestMean
    leastOverdispersion = mixture.auxiliaries.min() ?? 0
    lagrange = CountMerging.lagrange(rule.map(\.place))
  }

  /// Coefficients of the Lagrange polynomials of some places, `[places, places]`, the constants first.
  private static func lagrange(_ places: [Double]) -> [Double] {
    places.indices.flatMap { own in
      var coefficients = [1.0] + [Double](repeating: 0, count: places.count - 1)
      for (other, place) in places.enumerated() where other != own {
        let inverse = 1 / (places[own] - place)
        for k in coefficients.indices.reversed() {
          coefficients[k] = ((k > 0 ? coefficients[k - 1] : 0) - place * coefficients[k]) * inverse
        }
      }
      return coefficients
    }
  }

  /// The largest mean up to which the nodes give what all overdispersions give.
  private static func largestMean(_ mixture: PredictorMixture, _ nodes: OverdispersionNodes) -> Double {
    var largest = 0.0
    for mean in means {
      guard nodes.agree(mixture, mean: mean, within: tolerance, perTerm: tolerancePerTerm) else { break }
      largest = mean
    }
    return largest
  }

  /// Writes quantiles `[probabilities, rows]` of rows whose counts have some expectations, and nothing of use where a row is
  /// not to be merged.
  /// - Returns: 1 for each row that is, else 0; valid until the next call.
  func quantiles(
    _ rows: CountIntegrals.Rows, at probabilities: [Double], into output: UnsafeMutablePointer<Double>
  ) -> UnsafePointer<Double> {
    let count = rows.count
    let merged = mergedTerms
    let means = arrays.pointer(count: (2 * merged + 1) * count)
    let (mergedShares, isMerged) = (means + merged * count, means + 2 * merged * count)
    let scratch = scratch.pointer(count: max(16 * (rule.count + 1) * terms, 32 * merged))
    let places = rule.map(\.place)
    shares.withUnsafeBufferPointer { shares in
      interpolation.withUnsafeBufferPointer { interpolation in
        places.withUnsafeBufferPointer { places in
          lagrange.withUnsafeBufferPointer { lagrange in
            var merging = isomix_count_merging(
              terms: shares.count, overdispersions: overdispersions.count, points: rule.count,
              shares: shares.baseAddress, interpolation: interpolation.baseAddress,
              places: places.baseAddress, lagrange: lagrange.baseAddress,
              limit: CountTerms.limit(nodes: rule.count), largest_mean: largestMean,
              least_overdispersion: leastOverdispersion)
            isomix_merge_count_terms(
              &merging, rows.centers, rows.deviations, rows.expectations, count, scratch, means, mergedShares,
              isMerged)
          }
        }
      }
    }
    let alphas = overdispersions.flatMap { alpha in rule.map { _ in alpha } }
    isomix_count_mixture_quantiles(
      means, alphas, mergedShares, merged, count, probabilities, probabilities.count, scratch, output)
    return UnsafePointer(isMerged)
  }
}

/// A Gaussian rule for a mixture's overdispersions α, in α or in √α.
private struct OverdispersionNodes {
  let values: [Double]
  /// Shares of the terms times the nodes' Lagrange polynomials at their own overdispersions, `[values, terms]`.
  let interpolation: [Double]

  /// By Stieltjes' recurrence and the eigenvalues of the Jacobi matrix (Golub and Welsch, 1969); fewer nodes where there
  /// are no more that differ, nil where there are none.
  init?(_ mixture: PredictorMixture, count: Int, isRoot: Bool) {
    let shares = mixture.shares
    let places = isRoot ? mixture.auxiliaries.map { $0.squareRoot() } : mixture.auxiliaries
    let scale = places.max() ?? 0
    var (before, last) = (
      [Double](repeating: 0, count: places.count), [Double](repeating: 1, count: places.count)
    )
    var (centers, lengths): ([Double], [Double]) = ([], [])
    for _ in 0..<count {
      var center = 0.0
      for m in places.indices { center += shares[m] * places[m] * last[m] * last[m] }
      centers.append(center)
      var next = last
      var square = 0.0
      for m in places.indices {
        next[m] = (places[m] - center) * last[m] - (lengths.last ?? 0) * before[m]
        square += shares[m] * next[m] * next[m]
      }
      let length = square.squareRoot()
      guard length > 1e-6 * scale else { break }
      lengths.append(length)
      before = last
      last = next.map { $0 / length }
    }
    let size = centers.count
    var jacobi = [Double](repeating: 0, count: size * size)
    for k in 0..<size {
      jacobi[k * size + k] = centers[k]
      if k > 0 { jacobi[k * size + k - 1] = lengths[k - 1] }
    }
    guard let eigen = SymmetricEigen(jacobi, dimension: size) else { return nil }
    let nodes = eigen.values.map { max($0, 0) }
    values = isRoot ? nodes.map { $0 * $0 } : nodes
    interpolation = nodes.indices.flatMap { own in
      places.indices.map { m in
        nodes.indices.filter { $0 != own }.reduce(shares[m]) {
          $0 * (places[m] - nodes[$1]) / (nodes[own] - nodes[$1])
        }
      }
    }
  }

  /// Whether the distribution function of counts with some mean is that of all terms.
  /// - Parameter perTerm: the bound of the sum of what the terms' own may be off by.
  func agree(_ mixture: PredictorMixture, mean: Double, within tolerance: Double, perTerm: Double) -> Bool {
    let terms = mixture.terms
    let alphas = mixture.auxiliaries + values
    var masses = alphas.map { alpha in
      VectorMath.exponential(alpha > 0 ? -VectorMath.logarithm(1 + alpha * mean) / alpha : -mean)
    }
    var sums = masses
    // Distribution functions to their last 1e-6; what is left then is below the tolerance.
    for step in 0..<Self.mostSteps {
      var (difference, total, differences) = (0.0, 0.0, 0.0)
      for m in 0..<terms {
        var rest = mixture.shares[m] * sums[m]
        total += rest
        for node in values.indices { rest -= interpolation[node * terms + m] * sums[terms + node] }
        difference += rest
        differences += abs(rest)
      }
      guard abs(difference) <= tolerance, differences <= perTerm else { return false }
      if total >= 1 - 1e-6 { return true }
      let k = Double(step)
      for index in alphas.indices {
        masses[index] *= (1 + k * alphas[index]) * mean / ((1 + alphas[index] * mean) * (k + 1))
        sums[index] += masses[index]
      }
    }
    return false
  }

  private static let mostSteps = 10_000
}
