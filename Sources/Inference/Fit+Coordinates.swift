import Mixtures
import NumericsKit
import Specification

/// Fits whose coordinates have mixtures of their own (`model.factorization: coordinates`). Their N·d Gaussians are the
/// components of `mixture`, of one dimension each: update rules, averages, refuges and checkpoints are the usual ones.
extension Fit {
  /// Components N, of every coordinate if they have mixtures of their own.
  var components: Int { plan.problem.components }

  /// Dimension of θ, d.
  var dimension: Int { plan.problem.dimension }

  /// Whether coordinates have mixtures of their own.
  public var isFactorized: Bool { plan.problem.factorization == .coordinates }

  /// The mixtures of the coordinates; nil for other fits.
  public var coordinateMixture: CoordinateMixture? {
    isFactorized ? CoordinateMixture(mixture, dimension: dimension) : nil
  }

  /// A mixture of a problem's shape, of standard normal components.
  static func origin(_ problem: ProblemSize) -> IsotropicMixture {
    let isFactorized = problem.factorization == .coordinates
    let count = problem.components * (isFactorized ? problem.dimension : 1)
    return IsotropicMixture(
      componentCount: count, dimension: isFactorized ? 1 : problem.dimension,
      means: [Double](repeating: 0, count: problem.components * problem.dimension),
      variances: [Double](repeating: 1, count: count))
  }

  /// One step of the rule for each component of each coordinate.
  ///
  /// Automatic steps `γ_ik = η ε_ik` are controlled by the gradients in units of 1/√ε_ik, in which narrow coordinates count as
  /// much as wide ones.
  mutating func stepCoordinates(_ sums: [[Double]]) throws {
    let gradient = coordinateGradient(sums)
    let (rule, current, dimension) = (settings.algorithm, mixture, self.dimension)
    let scaled = zip(gradient.mean, current.variances).map { $0 * $1.squareRoot() }
    try move(along: gradient.mean, observing: scaled) { size, isRelative in
      do {
        let next =
          isRelative
          ? try rule.step(current, gradient: gradient, relativeStep: size)
          : try rule.step(current, gradient: gradient, stepSize: size)
        return (next, [])
      } catch let error as UpdateError {
        throw error.placed(dimension: dimension)
      }
    }
  }

  /// `g_ik = Σ G_k / B` and `h_ik = Σ (x_k − m_ik) G_k / (B ε_ik)`, from the sums of all tiles `[N, 2d]`.
  private func coordinateGradient(_ sums: [[Double]]) -> MixtureGradient {
    let samples = Double(settings.samples)
    let values = sums.first ?? []
    var gradient = MixtureGradient(
      mean: [Double](repeating: 0, count: mixture.means.count),
      variance: [Double](repeating: 0, count: mixture.means.count))
    for index in mixture.means.indices {
      let place = index / dimension * 2 * dimension + index % dimension
      gradient.mean[index] = values[place] / samples
      gradient.variance[index] = values[place + dimension] / (samples * mixture.variances[index])
    }
    return gradient
  }
}

extension UpdateError {
  /// The same error of a component with the number `component·d + coordinate`, in words.
  fileprivate func placed(dimension: Int) -> UpdateError {
    guard let number = component else { return self }
    let (i, k) = (number / dimension, number % dimension)
    return UpdateError(
      code: code,
      message: "the step leaves component \(i + 1) of coordinate \(k + 1) with "
        + (code == .variance
          ? "a variance that is not a positive number: use a smaller step size or another algorithm"
          : "a mean or variance that is not finite: use a smaller step size, or check that the model's density is finite "
            + "there"),
      component: i)
  }
}
