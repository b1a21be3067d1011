import CKernels
import NumericsKit

/// A mixture of multivariate Student t distributions, `π(x) = Σ_k w_k t_{ν_k}(x; μ_k, Σ_k)` with scale matrices Σ_k:
/// `t_ν(x; μ, Σ) = Γ((ν+d)/2) / (Γ(ν/2) √det(νπΣ)) · (1 + (x−μ)ᵀΣ⁻¹(x−μ)/ν)^{−(ν+d)/2}`.
///
/// A component has the mean μ for ν > 1, and the covariance ν/(ν−2) Σ for ν > 2.
public struct StudentMixtureDensity: AnalyticDensity {
  public let dimension: Int
  /// Number of components of the target.
  public let componentCount: Int
  private let means: [Double]
  private let lowers: [Double]
  private let inverseDiagonals: [Double]
  private let degrees: [Double]
  /// log of weight and of the density's factor before the power.
  private let logFactors: [Double]

  /// Takes weights `[K]` (positive; normalised here), means `[K][d]`, scale matrices `[K][d][d]` and degrees of freedom
  /// `[K]`.
  ///
  /// - Throws: ``PosteriorError`` that names the component, when sizes don't fit, a number is out of range or a scale
  ///   matrix is not positive definite.
  public init(weights: [Double], means: [[Double]], scales: [[[Double]]], degrees: [Double]) throws {
    guard let dimension = means.first?.count, dimension > 0,
      [weights.count, scales.count, degrees.count].allSatisfy({ $0 == means.count })
    else {
      throw PosteriorError(
        code: .shape,
        message: """
          a mixture of Student t distributions needs equally many weights, means, scales and degrees, at least one: \
          \(weights.count), \(means.count), \(scales.count) and \(degrees.count) were given
          """)
    }
    for (k, mean) in means.enumerated() {
      try PosteriorError.requireComponent(mean, weight: weights[k], number: k + 1, dimension: dimension)
      try PosteriorError.requirePositive(degrees[k], "degrees of component \(k + 1)")
    }
    let factors = try scales.enumerated().map { k, scale in
      try PosteriorError.factor(scale, dimension: dimension, "scale of component \(k + 1)")
    }
    let total = weights.reduce(0, +)
    self.dimension = dimension
    self.componentCount = means.count
    self.means = means.flatMap { $0 }
    self.lowers = factors.flatMap(\.lower)
    self.inverseDiagonals = factors.flatMap(\.inverseDiagonal)
    self.degrees = degrees
    self.logFactors = means.indices.map { k in
      VectorMath.logarithm(weights[k] / total)
        + studentLogNormalizer(degrees: degrees[k], dimension: dimension) - 0.5 * factors[k].logDeterminant
    }
  }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let scratch = workspace.predictors.reserve(isomix_student_mixture_scratch(componentCount, dimension))
    isomix_student_mixture_accumulate(
      points, count, dimension, componentCount, means, lowers, inverseDiagonals, logFactors, degrees, scratch,
      value, gradient)
  }
}

/// `log Γ((ν+d)/2) − log Γ(ν/2) − d/2 log(νπ)`.
///
/// The difference of two logarithms of Γ loses digits for large ν, so the steps of 1 that the two are apart are taken by
/// themselves: each gives `log(1 + 2i/ν)` beside the `log(ν/2)` that cancels that of the last term.
private func studentLogNormalizer(degrees: Double, dimension: Int) -> Double {
  let half = 0.5 * degrees
  var sum = -0.5 * Double(dimension) * (VectorMath.logTwoPi)
  for step in 0..<dimension / 2 { sum += log1p(Double(step) / half) }
  guard dimension % 2 == 1 else { return sum }
  return sum + logGammaHalfStep(half + Double(dimension / 2)) - 0.5 * VectorMath.logarithm(half)
}

/// `log Γ(x + ½) − log Γ(x)` for x > 0: at x + 20 by its asymptotic series, then down by
/// `Γ(x + ½)/Γ(x) = Γ(x + 3/2)/Γ(x + 1) · x/(x + ½)`.
private func logGammaHalfStep(_ x: Double) -> Double {
  var start = x
  var ratio = 1.0
  while start < 20 {
    ratio *= start / (start + 0.5)
    start += 1
  }
  // Half the logarithm of x, less Σ_k (1 − 2^(−2k)) B_2k / (k (2k−1) x^(2k−1)).
  let inverse = 1 / start
  let square = inverse * inverse
  let series =
    inverse
    * (1.0 / 8 - square * (1.0 / 192 - square * (1.0 / 640 - square * (17.0 / 14336 - square * 31.0 / 18432))))
  return 0.5 * VectorMath.logarithm(start) - series + VectorMath.logarithm(ratio)
}

/// `log(1 + u)` for u ≥ 0, with its digits next to 0.
private func log1p(_ u: Double) -> Double {
  let sum = 1 + u
  return VectorMath.logarithm(sum) + (u - (sum - 1)) / sum
}
