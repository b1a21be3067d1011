import Foundation
import Reporting

/// One parameter under two fits.
struct ParameterComparison: Encodable, Sendable {
  let name: String
  let meanA: Double
  let sdA: Double
  let meanB: Double
  let sdB: Double
  /// `(mean_b − mean_a) / √((sd_a² + sd_b²) / 2)`.
  let standardizedDifference: Double
  /// `sd_b / sd_a`.
  let sdRatio: Double

  init(_ name: String, _ a: FittedMixture.Moments, _ b: FittedMixture.Moments) {
    self.name = name
    (meanA, sdA, meanB, sdB) = (a.mean, a.standardDeviation, b.mean, b.standardDeviation)
    standardizedDifference = (meanB - meanA) / (0.5 * (sdA * sdA + sdB * sdB)).squareRoot()
    sdRatio = sdB / sdA
  }

  /// How much the two differ: the larger of |standardised difference| and |log ratio of standard deviations|.
  var size: Double {
    let size = max(abs(standardizedDifference), abs(log(sdRatio)))
    return size.isNaN ? .infinity : size
  }

  static let heading = "  mean A      s.d. A      mean B      s.d. B      difference  ratio    parameter"

  var text: String {
    let numbers = [meanA, sdA, meanB, sdB].map { String(format: "%-10.4g  ", $0) }.joined()
    return "  " + numbers + String(format: "%-10.3f  %-7.3f  ", standardizedDifference, sdRatio) + name
  }
}
