import CKernels
import NumericsKit
import Posteriors

/// The Taylor series of the distribution function of `σ t`, mixed over σ, about its own quantiles.
struct StudentExpansion {
  private let shares: [Double]
  private let scales: [Double]
  private let probabilities: [Double]
  /// The series are in multiples of the average σ.
  private let unit: Double
  /// Quantiles of the noise alone.
  private let starts: [Double]
  /// As the kernel wants them.
  private let coefficients: [Double]
  private let bases: [Double]
  /// How far a term may reach, in multiples of its σ.
  private let reach: Double
  private let scratch = Scratch()

  private static let order = Int(ISOMIX_EXPANSION_ORDER)

  init(shares: [Double], scales: [Double], degrees: Double, probabilities: [Double]) {
    self.shares = shares
    self.scales = scales
    self.probabilities = probabilities
    let unit = zip(shares, scales).reduce(0) { $0 + $1.0 * $1.1 }
    self.unit = unit
    reach = StudentExpansion.largestReach * (degrees / (degrees + 3)).squareRoot()
    let order = StudentExpansion.order
    var (starts, coefficients, bases): ([Double], [Double], [Double]) = ([], [], [])
    for probability in probabilities {
      let start = StudentExpansion.quantile(shares, scales, degrees, at: probability)
      starts.append(start)
      var base = [Double](repeating: 0, count: order + 1)
      for (share, scale) in zip(shares, scales) {
        let series = StudentExpansion.series(start / scale, degrees: degrees).enumerated().map { k, value in
          // In multiples of the unit; the series is of the density, whose integral has one order more.
          (0...k).reduce(share * value / Double(k + 1)) { product, _ in product * (unit / scale) }
        }
        base[0] += share * (isomix_student_distribution(start / scale, degrees) - probability)
        for j in 1...order { base[j] += series[j - 1] }
        for j in 0..<order {
          var binomial = 1.0
          for i in 1...order - j {
            binomial *= Double(j + i) / Double(i)
            coefficients.append(binomial * series[j + i - 1])
          }
        }
      }
      bases += base
    }
    self.starts = starts
    self.coefficients = coefficients
    self.bases = bases
  }

  /// Standard deviations of a term about the row's mean, in multiples of σ, up to which the series is good to 1e-5 of σ:
  /// calibrated with quadratures.
  private static let largestReach = 0.35

  /// The quantile of a mixture of t distributions, by Newton's method between the quantiles of its narrowest and widest.
  private static func quantile(
    _ shares: [Double], _ scales: [Double], _ degrees: Double, at probability: Double
  ) -> Double {
    let standard = isomix_student_quantile(probability, degrees)
    let places = scales.map { $0 * standard }
    guard var low = places.min(), var high = places.max() else { return 0 }
    var place = zip(shares, places).reduce(0) { $0 + $1.0 * $1.1 }
    for _ in 0..<64 where low < high {
      var (excess, density) = (0.0, 0.0)
      for (share, scale) in zip(shares, scales) {
        excess += share * (isomix_student_distribution(place / scale, degrees) - probability)
        density += share * series(place / scale, degrees: degrees, order: 1)[0] / scale
      }
      if excess > 0 { high = place } else { low = place }
      var next = place - excess / density
      if !(next >= low && next <= high) { next = 0.5 * (low + high) }
      let isDone = abs(next - place) <= 1e-13 * abs(next)
      place = next
      if isDone { break }
    }
    return place
  }

  /// Taylor coefficients of t's density about x, from the zeroth: of f with `(ν + x²) f' = −(ν + 1) x f`.
  private static func series(_ x: Double, degrees: Double, order: Int = StudentExpansion.order) -> [Double] {
    let growth: Double = 0.5 * (degrees + 1) * VectorMath.logarithm(1 + x * x / degrees)
    let logDensity = -StudentT.constant(degrees: degrees) - growth
    var series = [VectorMath.exponential(logDensity)]
    for k in 0..<order - 1 {
      let before = k > 0 ? series[k - 1] : 0
      let order = Double(k)
      let last: Double = (2 * order + degrees + 1) * x * series[k]
      let sum: Double = last + (order + degrees) * before
      series.append(-sum / ((degrees + x * x) * (order + 1)))
    }
    return series
  }

  /// Writes quantiles `[probabilities, rows]`; those of wide rows are not to be used.
  func quantiles(
    _ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    isomix_expanded_quantiles(
      centers, deviations, shares, shares.count, rows, unit, coefficients, bases, starts, starts.count,
      scratch.pointer(count: 16 * (StudentExpansion.order + 2) * shares.count), output)
  }

  /// The rows, ascending, with a term that reaches too far.
  func wideRows(_ centers: UnsafePointer<Double>, _ deviations: UnsafePointer<Double>, rows: Int) -> [Int] {
    let means = scratch.zeroed(count: 2 * rows)
    let excess = means + rows
    for (term, share) in shares.enumerated() {
      for row in 0..<rows { means[row] += share * centers[term * rows + row] }
    }
    for (term, scale) in scales.enumerated() {
      let most = reach * reach * scale * scale
      for row in 0..<rows {
        let offset = centers[term * rows + row] - means[row]
        let deviation = deviations[term * rows + row]
        let square = offset * offset + deviation * deviation - most
        excess[row] = square <= excess[row] ? excess[row] : square
      }
    }
    return (0..<rows).filter { !(excess[$0] <= 0) }
  }
}
