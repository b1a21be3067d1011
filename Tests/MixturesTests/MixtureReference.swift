import Foundation
import Mixtures
import NumericsKit

#if arch(x86_64) && !os(Windows)
  /// 64 bits of precision and 15 of exponent: an independent witness for the kernels.
  typealias Wide = Float80
#else
  typealias Wide = Double
#endif

/// The mixture's log density and score as the formulas are written, in extended precision.
func wideDensity(_ mixture: IsotropicMixture, at point: [Double]) -> (logDensity: Double, score: [Double]) {
  let d = mixture.dimension
  var weights: [Wide] = []
  for i in 0..<mixture.componentCount {
    let variance = Wide(mixture.variances[i])
    var squares: Wide = 0
    for k in 0..<d {
      let difference = Wide(point[k]) - Wide(mixture.means[i * d + k])
      squares += difference * difference
    }
    weights.append(-squares / (2 * variance) - Wide(d) / 2 * log(2 * Wide.pi * variance))
  }
  let largest = weights.max() ?? 0
  let total = weights.reduce(Wide(0)) { $0 + exp($1 - largest) }
  var score = [Wide](repeating: 0, count: d)
  for i in 0..<mixture.componentCount {
    let share = exp(weights[i] - largest) / total
    for k in 0..<d {
      score[k] += share * (Wide(mixture.means[i * d + k]) - Wide(point[k])) / Wide(mixture.variances[i])
    }
  }
  let logDensity = largest + log(total) - log(Wide(mixture.componentCount))
  return (Double(logDensity), score.map { Double($0) })
}

/// Standard normal deviates `[count]`.
func normals(_ count: Int, stream: NoiseStream = .benchmark, iteration: Int = 0, component: Int = 0)
  -> [Double]
{
  var output = [Double](repeating: 0, count: count)
  Noise(seed: 7).fillNormals(
    stream, iteration: iteration, component: component, samples: 0..<1, dimension: count, into: &output)
  return output
}

/// A mixture with means at a scale and variances between `variance` and four times that.
func randomMixture(components: Int, dimension: Int, spread: Double, variance: Double) -> IsotropicMixture {
  IsotropicMixture(
    componentCount: components, dimension: dimension,
    means: normals(components * dimension).map { spread * $0 },
    variances: (0..<components).map { variance * (1 + Double($0 % 4)) })
}
