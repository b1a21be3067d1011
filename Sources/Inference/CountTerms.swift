import CKernels
import NumericsKit
import Posteriors

/// Mixtures of count distributions: the normal terms of ``PredictorMixture``, each by some nodes of a Gauss–Hermite rule.
final class CountTerms {
  private let normals: Int
  private let rule: [(place: Double, weight: Double)]
  private let hasOverdispersion: Bool
  private let shares: [Double]
  private let overdispersions: [Double]
  private let logOverdispersions: [Double]
  private let logShares: [Double]
  private let predictors = Scratch()
  private let scratch = Scratch()
  private let factorials = Scratch()
  private let factors = Scratch()

  var terms: Int { shares.count }

  /// Up to here five nodes give distribution functions to 1e-4 and better (checked against 200-point rules).
  static let largestDeviation = 0.7

  /// - Parameter nodes: three, or five.
  init(_ mixture: PredictorMixture, nodes: Int) {
    normals = mixture.terms
    rule = Hermite.rule(nodes)
    hasOverdispersion = mixture.law.response == .negativeBinomial
    let rule = rule
    shares = mixture.shares.flatMap { share in rule.map { share * $0.weight } }
    overdispersions = mixture.auxiliaries.flatMap { alpha in rule.map { _ in alpha } }
    logOverdispersions = overdispersions.map { VectorMath.logarithm(max($0, 1e-300)) }
    let count = Double(shares.count)
    logShares = shares.map { VectorMath.logarithm($0 * count) }
  }

  /// Linear predictors at the nodes, `[terms, rows]`.
  private func expand(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int
  ) -> UnsafeMutablePointer<Double> {
    let predictors = predictors.pointer(count: terms * rows)
    for normal in 0..<normals {
      for (index, node) in rule.enumerated() {
        let own = predictors + (normal * rule.count + index) * rows
        for row in 0..<rows {
          own[row] = centers[normal * rows + row] + node.place * deviations[normal * rows + row]
        }
      }
    }
    return predictors
  }

  /// Means at the nodes, `[terms, rows]`: those of a pair around the middle are its mean times and by one factor.
  private func means(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int
  ) -> UnsafeMutablePointer<Double> {
    let means = predictors.pointer(count: terms * rows)
    let factors = self.factors.pointer(count: rows)
    let nodes = rule.count
    for normal in 0..<normals {
      let own = means + normal * nodes * rows
      let middle = own + nodes / 2 * rows
      isomix_bounded_exp(centers + normal * rows, middle, nil, rows)
      for node in 0..<nodes / 2 {
        let (mirrored, other) = (own + node * rows, own + (nodes - 1 - node) * rows)
        let place = rule[nodes - 1 - node].place
        for row in 0..<rows { factors[row] = place * deviations[normal * rows + row] }
        isomix_bounded_exp(factors, factors, nil, rows)
        for row in 0..<rows {
          other[row] = middle[row] * factors[row]
          mirrored[row] = middle[row] / factors[row]
        }
      }
    }
    return means
  }

  /// Writes quantiles `[probabilities, rows]`; −1 where counts are too large to be summed.
  func quantiles(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int,
    at probabilities: [Double], into output: UnsafeMutablePointer<Double>
  ) {
    let means = means(centers, deviations, rows: rows)
    isomix_count_mixture_quantiles(
      means, overdispersions, shares, terms, rows, probabilities, probabilities.count,
      scratch.pointer(count: 32 * terms), output)
  }

  /// Writes `log p(y)` of each row.
  func logLikelihoods(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>,
    _ responses: UnsafePointer<Double>, rows: Int, into output: UnsafeMutablePointer<Double>
  ) {
    let logs = expand(centers, deviations, rows: rows)
    let factorials = factorials.pointer(count: rows)
    isomix_log_factorials(responses, rows, factorials)
    if hasOverdispersion {
      isomix_negative_binomial_log_likelihood(
        logs, responses, terms, rows, logOverdispersions, factorials)
    } else {
      isomix_poisson_log_likelihood(logs, responses, terms, rows, factorials)
    }
    for (term, share) in logShares.enumerated() {
      for row in 0..<rows { logs[term * rows + row] += share }
    }
    VectorMath.columnLogMeanExp(logs, rows: terms, columns: rows, into: output)
  }
}
