import CKernels
import NumericsKit
import Posteriors

/// Predictive distributions of `y = η + σ t`, Student's t of ν degrees of freedom, where η and σ are as
/// ``PredictorMixture`` has them.
///
/// Rows whose terms are narrow beside σ take the Taylor series of t's distribution function, in which the moments of η
/// stand for its powers: about quantiles of the noise alone, which are the same for all rows. For the others t is a
/// mixture of normals of variances 1/λ, λ gamma distributed, so that y is one, too.
final class StudentTerms {
  private let degrees: Double
  private let shares: [Double]
  private let scales: [Double]
  private let normals: Int
  private let logFactors: [Double]
  private let expansion: StudentExpansion
  private let mixed: NormalScaleRule
  private let mixedForDensities: NormalScaleRule
  private let probabilities: [Double]
  private let normalQuantiles: [Double]
  private let scratch = Scratch()
  private let terms = Scratch()
  private let logs = Scratch()
  private let errors = Scratch()

  /// Relative error of a density up to which its expansion is taken.
  private static let densityError = 1e-7

  init(_ mixture: PredictorMixture, degrees: Double, quantiles: [Double]) {
    self.degrees = degrees
    normals = mixture.terms
    let shares = mixture.shares
    let scales = mixture.auxiliaries.map { max($0, ISOMIX_SMALLEST_DEVIATION) }
    self.shares = shares
    self.scales = scales
    probabilities = quantiles
    normalQuantiles = quantiles.map(InverseNormal.value(at:))
    let count = Double(mixture.terms)
    let constant = StudentT.constant(degrees: degrees)
    logFactors = shares.indices.map {
      VectorMath.logarithm(shares[$0] * count) - constant - VectorMath.logarithm(scales[$0])
    }
    expansion = StudentExpansion(shares: shares, scales: scales, degrees: degrees, probabilities: quantiles)
    mixed = NormalScaleRule(degrees: degrees, smallestPrecision: 1)
    mixedForDensities = NormalScaleRule(degrees: degrees, smallestPrecision: 1e-14)
  }

  /// Variance of `σ t`; infinite with two degrees of freedom or fewer.
  var noiseVariance: Double {
    guard degrees > 2 else { return .infinity }
    let squares = zip(shares, scales).reduce(0) { $0 + $1.0 * $1.1 * $1.1 }
    return squares * degrees / (degrees - 2)
  }

  /// Writes quantiles `[probabilities, rows]`, of centres and deviations `[terms, rows]`.
  func quantiles(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    guard !probabilities.isEmpty else { return }
    expansion.quantiles(centers, deviations, rows: rows, into: output)
    // By each row's own width, so that a row's numbers don't depend on its neighbours.
    let wide = expansion.wideRows(centers, deviations, rows: rows)
    guard !wide.isEmpty else { return }
    let count = wide.count
    let (own, ownDeviations, ownShares) = mix(mixed, wide, centers, deviations, rows: rows)
    let results = logs.pointer(count: probabilities.count * count)
    isomix_normal_mixture_quantiles(
      own, ownDeviations, ownShares, ownShares.count, count, probabilities, normalQuantiles,
      probabilities.count, scratch.pointer(count: 32 * ownShares.count), results)
    for index in probabilities.indices {
      for (place, row) in wide.enumerated() { output[index * rows + row] = results[index * count + place] }
    }
  }

  /// Writes `log p(y)` of each row.
  func logLikelihoods(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>,
    _ responses: UnsafePointer<Double>, rows: Int, into output: UnsafeMutablePointer<Double>
  ) {
    let logs = logs.pointer(count: normals * rows)
    let errors = errors.pointer(count: rows)
    isomix_spread_student_log_likelihood(
      centers, deviations, responses, scales, logFactors, degrees, normals, rows, logs, errors)
    VectorMath.columnLogMeanExp(logs, rows: normals, columns: rows, into: output)
    let wide = (0..<rows).filter { !(errors[$0] <= StudentTerms.densityError) }
    for row in wide {
      output[row] = logDensity(row, centers, deviations, at: responses[row], rows: rows)
    }
  }

  /// `log p(y)` of one row as a mixture of normals.
  private func logDensity(
    _ row: Int, _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, at response: Double,
    rows: Int
  ) -> Double {
    let (own, ownDeviations, ownShares) = mix(mixedForDensities, [row], centers, deviations, rows: rows)
    let count = ownShares.count
    let logs = logs.pointer(count: 2 * count)
    for term in 0..<count {
      logs[term] = ownShares[term] * Double(count)
      logs[count + term] = ownDeviations[term]
    }
    VectorMath.takeLogarithms(logs, count: 2 * count)
    for term in 0..<count {
      let distance = (response - own[term]) / ownDeviations[term]
      logs[term] -= 0.5 * (distance * distance + VectorMath.logTwoPi) + logs[count + term]
    }
    var result = 0.0
    VectorMath.columnLogMeanExp(logs, rows: count, columns: 1, into: &result)
    return result
  }

  /// The terms of some rows, each by all nodes of a rule: centres and deviations `[terms × nodes, chosen]`, and shares.
  private func mix(
    _ rule: NormalScaleRule, _ chosen: [Int], _ centers: UnsafePointer<Double>,
    _ deviations: UnsafePointer<Double>, rows: Int
  ) -> (UnsafePointer<Double>, UnsafePointer<Double>, [Double]) {
    let (count, nodes) = (chosen.count, rule.weights.count)
    let own = terms.pointer(count: 2 * normals * nodes * count)
    let ownDeviations = own + normals * nodes * count
    for normal in 0..<normals {
      for node in 0..<nodes {
        let variance = scales[normal] * scales[normal] * rule.variances[node]
        let start = (normal * nodes + node) * count
        for (place, row) in chosen.enumerated() {
          let deviation = deviations[normal * rows + row]
          own[start + place] = centers[normal * rows + row]
          ownDeviations[start + place] = max(
            (deviation * deviation + variance).squareRoot(), ISOMIX_SMALLEST_DEVIATION)
        }
      }
    }
    let ownShares = shares.flatMap { share in rule.weights.map { share * $0 } }
    return (UnsafePointer(own), UnsafePointer(ownDeviations), ownShares)
  }
}

/// Student's t as a mixture of normals: the trapezoidal rule in `log λ` of the gamma distribution of shape and rate ν/2,
/// whose errors fall as `|Γ(ν/2 + 2πi/h)|/Γ(ν/2)` with the distance h of the nodes: some 1e-8.
struct NormalScaleRule: Sendable {
  /// 1/λ at the nodes.
  let variances: [Double]
  /// Sum to 1.
  let weights: [Double]

  /// The logarithm of the weights that are left out, relative to the largest.
  private static let smallestLogWeight = -20.0
  /// With more degrees of freedom t is normal to nine digits.
  private static let mostDegrees = 1e8

  /// - Parameter smallestPrecision: nodes go on at least to such a λ, whatever their weights, for densities in the tails.
  init(degrees: Double, smallestPrecision: Double) {
    let shape = 0.5 * min(degrees, Self.mostDegrees)
    let distance = 1.3 / (2 * shape + 6).squareRoot()
    let lowest = VectorMath.logarithm(smallestPrecision)
    let logWeight = { (u: Double) in shape * (u - VectorMath.exponential(u) + 1) }
    var (variances, weights): ([Double], [Double]) = ([], [])
    var step = 0
    while case let u = Double(step) * distance, logWeight(u) > Self.smallestLogWeight {
      variances.append(VectorMath.exponential(-u))
      weights.append(VectorMath.exponential(logWeight(u)))
      step += 1
    }
    step = -1
    while case let u = Double(step) * distance, logWeight(u) > Self.smallestLogWeight || u > lowest,
      logWeight(u) > -600
    {
      variances.append(VectorMath.exponential(-u))
      weights.append(VectorMath.exponential(logWeight(u)))
      step -= 1
    }
    let total = weights.reduce(0, +)
    self.variances = variances
    self.weights = weights.map { $0 / total }
  }
}
