import Mixtures

/// A Gaussian target with diagonal precision, for which the expectations of g and h are known for one
/// component: `g = Λ(m − μ)`, `h = tr(Λ)/d − 1/ε`.
struct GaussianProblem {
  let mean: [Double]
  let precisions: [Double]

  var dimension: Int { mean.count }
  /// The best isotropic variance, d / tr(Σ⁻¹).
  var bestVariance: Double { Double(dimension) / precisions.reduce(0, +) }
  var best: IsotropicMixture {
    IsotropicMixture(componentCount: 1, dimension: dimension, means: mean, variances: [bestVariance])
  }

  func expectedGradient(_ mixture: IsotropicMixture) -> MixtureGradient {
    MixtureGradient(
      mean: (0..<dimension).map { precisions[$0] * (mixture.means[$0] - mean[$0]) },
      variance: [1 / bestVariance - 1 / mixture.variances[0]])
  }

  /// g and h estimated from samples `x = m + √ε z`, z `[samples, d]`, and an evaluator of the mixture's score.
  func estimatedGradient(_ mixture: IsotropicMixture, noise z: [Double]) -> MixtureGradient {
    let d = dimension
    let samples = z.count / d
    let scale = mixture.variances[0].squareRoot()
    let points = (0..<z.count).map { mixture.means[$0 % d] + scale * z[$0] }
    let density = MixtureDensity(componentCount: 1, dimension: d)
    density.load(means: mixture.means, variances: mixture.variances)
    var logDensity = [Double](repeating: 0, count: samples)
    var integrand = [Double](repeating: 0, count: z.count)
    density.accumulate(points: points, count: samples, logDensity: &logDensity, score: &integrand)
    var gradient = MixtureGradient(mean: [Double](repeating: 0, count: d), variance: [0])
    for index in 0..<z.count {
      integrand[index] += precisions[index % d] * (points[index] - mean[index % d])
      gradient.mean[index % d] += integrand[index] / Double(samples)
      gradient.variance[0] +=
        (points[index] - mixture.means[index % d]) * integrand[index]
        / (Double(samples * d) * mixture.variances[0])
    }
    return gradient
  }

  /// A problem `N(0, σ² I)`.
  static func isotropic(variance: Double, dimension: Int) -> GaussianProblem {
    GaussianProblem(
      mean: [Double](repeating: 0, count: dimension),
      precisions: [Double](repeating: 1 / variance, count: dimension))
  }

  func single(mean: [Double], variance: Double) -> IsotropicMixture {
    IsotropicMixture(componentCount: 1, dimension: dimension, means: mean, variances: [variance])
  }
}
