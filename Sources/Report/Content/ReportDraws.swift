import Mixtures
import NumericsKit

extension MixtureShape {
  /// Draws of the mixture, row-major `[draws, d]`, equally many of each component as far as that goes: the same ones
  /// for the same fit.
  func draws(_ draws: Int) -> [Double] {
    if let marginals = fitted.coordinateMixture { return MixtureShape.draws(draws, of: marginals) }
    let noise = Noise(seed: 1)
    var result = [Double](repeating: 0, count: draws * dimension)
    var normal = [Double](repeating: 0, count: dimension)
    for index in 0..<draws {
      // Fewer draws than components: evenly spread ones.
      let component = draws >= count ? index % count : index * count / draws
      noise.fillNormals(
        .draws, iteration: 2, component: component, samples: index..<index + 1, dimension: dimension,
        into: &normal)
      if let factors = fitted.covarianceFactors {
        let f = factors[component]
        for k in 0..<dimension {
          var sum = 0.0
          for j in 0...k { sum += f[k][j] * normal[j] }
          result[index * dimension + k] = sum
        }
      } else {
        let deviation = fitted.variances[component].squareRoot()
        for k in 0..<dimension { result[index * dimension + k] = deviation * normal[k] }
      }
    }
    if fitted.covarianceFactors == nil { result = metric.directions(of: result, count: draws) }
    for index in 0..<draws {
      let component = draws >= count ? index % count : index * count / draws
      for k in 0..<dimension { result[index * dimension + k] += fitted.means[component][k] }
    }
    return result
  }

  /// Draws whose coordinates have components of their own, each equally often as far as that goes: by random
  /// permutations of the components for every N draws.
  private static func draws(_ draws: Int, of marginals: CoordinateMixture) -> [Double] {
    let noise = Noise(seed: 1)
    let (n, d) = (marginals.componentCount, marginals.dimension)
    let scratch = PermutationScratch()
    var chosen = [Int32](repeating: 0, count: draws * d)
    var deviates = [Double](repeating: 0, count: draws * d)
    noise.fillNormals(
      .draws, iteration: 2, component: 0, samples: 0..<draws, dimension: d, into: &deviates)
    chosen.withUnsafeMutableBufferPointer { chosen in
      guard let base = chosen.baseAddress else { return }
      for first in stride(from: 0, to: draws, by: n) {
        noise.fillPermutations(
          .assignment, iteration: 0, group: 0, block: first / n, size: n, columns: d,
          places: 0..<min(n, draws - first), into: base + first * d, stride: d, scratch: scratch)
      }
    }
    return CoordinateMixtureSampler(marginals).draws(from: deviates, chosen: chosen).positions
  }
}
