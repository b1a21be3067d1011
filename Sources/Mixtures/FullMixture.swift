/// A mixture of Gaussians with equal weights and full covariances: `q(θ) = (1/N) Σ_i N(θ; m_i, Σ_i)`, `Σ_i = F_i F_iᵀ`.
///
/// The covariances are kept as their lower Cholesky factors, with which samples are made (`m + F z`) and densities are
/// evaluated.
public struct FullMixture: Sendable, Equatable {
  /// Number of components, N.
  public let componentCount: Int
  /// Dimension of the parameter, d.
  public let dimension: Int
  /// Means, row-major `[N, d]`.
  public var means: [Double]
  /// F, row-major `[N, d, d]`: lower triangles with positive diagonals, zero above them.
  public var factors: [Double]

  public init(componentCount: Int, dimension: Int, means: [Double], factors: [Double]) {
    precondition(
      means.count == componentCount * dimension && factors.count == componentCount * dimension * dimension)
    self.componentCount = componentCount
    self.dimension = dimension
    self.means = means
    self.factors = factors
  }

  /// An isotropic mixture as one of full covariances: `F_i = √ε_i I`.
  public init(_ mixture: IsotropicMixture) {
    let (n, d) = (mixture.componentCount, mixture.dimension)
    var factors = [Double](repeating: 0, count: n * d * d)
    for i in 0..<n {
      let deviation = mixture.variances[i].squareRoot()
      for k in 0..<d { factors[(i * d + k) * d + k] = deviation }
    }
    self.init(componentCount: n, dimension: d, means: mixture.means, factors: factors)
  }

  /// Whether numbers are factors of this form: finite, with positive diagonals and zeros above them.
  public static func areFactors(_ factors: [Double], componentCount n: Int, dimension d: Int) -> Bool {
    guard factors.count == n * d * d, factors.allSatisfy(\.isFinite) else { return false }
    for row in 0..<n * d {
      let diagonal = row % d
      guard factors[row * d + diagonal] > 0,
        factors[(row * d + diagonal + 1)..<(row + 1) * d].allSatisfy({ $0 == 0 })
      else { return false }
    }
    return true
  }

  /// The mixture of the same means whose variances are the average ones, `ε_i = tr(Σ_i)/d`.
  public var isotropic: IsotropicMixture {
    IsotropicMixture(
      componentCount: componentCount, dimension: dimension, means: means,
      variances: (0..<componentCount).map { trace(of: $0) / Double(dimension) })
  }

  /// tr Σ_i.
  public func trace(of component: Int) -> Double {
    let size = dimension * dimension
    return factors[component * size..<(component + 1) * size].reduce(0) { $0 + $1 * $1 }
  }

  /// Σ, row-major `[N, d, d]`, exactly symmetric.
  public var covariances: [Double] {
    let d = dimension
    var result = [Double](repeating: 0, count: factors.count)
    for i in 0..<componentCount {
      let start = i * d * d
      for row in 0..<d {
        for column in 0...row {
          var sum = 0.0
          for k in 0...column { sum += factors[start + row * d + k] * factors[start + column * d + k] }
          result[start + row * d + column] = sum
          result[start + column * d + row] = sum
        }
      }
    }
    return result
  }

  /// Replaces rows z, row-major `[count, d]`, by `F z` for one factor `[d, d]`.
  public static func spread(
    _ rows: UnsafeMutablePointer<Double>, count: Int, by factor: UnsafePointer<Double>, dimension d: Int
  ) {
    for row in 0..<count {
      let z = rows + row * d
      // From the last coordinate down: each needs only those before it.
      for k in stride(from: d - 1, through: 0, by: -1) {
        let line = factor + k * d
        var sum = 0.0
        for j in 0...k { sum += line[j] * z[j] }
        z[k] = sum
      }
    }
  }
}

/// The Monte Carlo estimates that a step of full covariances uses, for the integrand `G = ∇log q + ∇V`.
public struct FullMixtureGradient: Sendable, Equatable {
  /// `g_i = mean_s G_is`, row-major `[N, d]`.
  public var mean: [Double]
  /// `mean_s G_is (x_is − m_i)ᵀ`, row-major `[N, d, d]` with the gradient's coordinate first.
  public var product: [Double]

  public init(mean: [Double], product: [Double]) {
    self.mean = mean
    self.product = product
  }
}
