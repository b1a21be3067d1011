import CKernels
import NumericsKit
import Posteriors

/// Mixtures of count distributions: the normal terms of ``PredictorMixture``, each by some nodes.
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

  /// Wider predictors take draws.
  static let largestDeviation = 0.7
  /// Numbers of nodes: of Gauss–Hermite rules, then equally spaced ones.
  static let nodes = [3, 5, 11, 32, 104]
  /// More take longer than draws.
  private static let mostTerms = 1024

  /// What so many nodes serve: standard deviations of the predictor times √(1 + μ / (1 + α μ)), which is how fast counts'
  /// distributions change with it. Distribution functions are then right to 1e-4 and better (checked against dense rules).
  static func limit(nodes: Int) -> Double {
    switch nodes {
    case 3: 0.27
    case 5: 0.65
    case 11: 1.6
    default: 0.15 * Double(nodes)
    }
  }

  private static func rule(_ nodes: Int) -> [(place: Double, weight: Double)] {
    switch nodes {
    case ...5: Hermite.rule(nodes)
    case 11: SpacedNodes.rule(11, distance: 0.9)
    default: SpacedNodes.rule(nodes, distance: 10.4 / Double(nodes))
    }
  }

  /// Whether so many nodes for each term are not too many.
  static func isWorthwhile(_ mixture: PredictorMixture, nodes: Int) -> Bool {
    mixture.terms * nodes <= max(mostTerms, 5 * mixture.terms)
  }

  /// - Parameter nodes: one of the numbers above.
  init(_ mixture: PredictorMixture, nodes: Int) {
    normals = mixture.terms
    rule = CountTerms.rule(nodes)
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

  /// Writes means at the nodes, `[terms, rows]`: those of a pair around the middle are its mean times and by one factor.
  private func writeMeans(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int,
    into means: UnsafeMutablePointer<Double>
  ) {
    let factors = self.factors.pointer(count: 2 * rows)
    let middle = factors + rows
    let nodes = rule.count
    for normal in 0..<normals {
      let own = means + normal * nodes * rows
      isomix_bounded_exp(centers + normal * rows, middle, nil, rows)
      if nodes % 2 == 1 { (own + nodes / 2 * rows).update(from: middle, count: rows) }
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
  }

  /// Writes quantiles `[probabilities, rows]`; −1 where counts are too large to be summed.
  func quantiles(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int,
    at probabilities: [Double], into output: UnsafeMutablePointer<Double>
  ) {
    let means = predictors.pointer(count: 2 * terms * rows)
    let rowShares = means + terms * rows
    writeMeans(centers, deviations, rows: rows, into: means)
    for (term, share) in shares.enumerated() {
      (rowShares + term * rows).update(repeating: share, count: rows)
    }
    isomix_count_mixture_quantiles(
      means, overdispersions, rowShares, terms, rows, probabilities, probabilities.count,
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
