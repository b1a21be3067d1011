/// A mixture of Gaussians with equal weights whose covariances are multiples of one matrix:
/// `q(θ) = (1/N) Σ_i N(θ; m_i, ε_i C)`.
///
/// What an isotropic mixture in coordinates u is in θ = a + L u: means `a + L m_i`, shape `C = L Lᵀ`.
public struct ShapedMixture: Sendable, Equatable {
  /// N.
  public let componentCount: Int
  /// d.
  public let dimension: Int
  /// Means, row-major `[N, d]`.
  public let means: [Double]
  /// ε, `[N]`.
  public let scales: [Double]
  /// C: row-major `[d, d]`, symmetric; or its diagonal `[d]` when it has nothing else.
  public let shape: [Double]

  public init(componentCount: Int, dimension: Int, means: [Double], scales: [Double], shape: [Double]) {
    precondition(
      means.count == componentCount * dimension && scales.count == componentCount
        && (shape.count == dimension * dimension || shape.count == dimension))
    self.componentCount = componentCount
    self.dimension = dimension
    self.means = means
    self.scales = scales
    self.shape = shape
  }

  /// Squared 2-Wasserstein distances between all pairs of components, row-major `[N, N']`:
  /// `‖m_i − m'_j‖² + ε_i tr C + ε'_j tr C' − 2 √(ε_i ε'_j) o` with the overlap `o = tr (C^½ C' C^½)^½` of the shapes: one
  /// eigenproblem for all pairs, or none when both shapes are diagonal or the same.
  ///
  /// Nil when the dimensions differ, when a scale is negative, or when a number is not finite.
  public func componentDistances(to other: ShapedMixture) -> [Double]? {
    guard dimension == other.dimension,
      scales.allSatisfy({ $0 >= 0 }), other.scales.allSatisfy({ $0 >= 0 }), let overlap = overlap(with: other)
    else { return nil }
    let (excess, otherExcess) = (trace - overlap, other.trace - overlap)
    let otherDeviations = other.scales.map { $0.squareRoot() }
    var distances: [Double] = []
    distances.reserveCapacity(componentCount * other.componentCount)
    for i in 0..<componentCount {
      let deviation = scales[i].squareRoot()
      for (j, otherDeviation) in otherDeviations.enumerated() {
        // The same sum in a form that keeps its digits when the components are nearly the same.
        let difference = deviation - otherDeviation
        let spread =
          difference * difference * overlap + deviation * deviation * excess
          + otherDeviation * otherDeviation * otherExcess
        distances.append(
          GaussianDistance.squaredEuclidean(means, i, other.means, j, dimension) + max(0, spread))
      }
    }
    return distances.allSatisfy(\.isFinite) ? distances : nil
  }

  private var isDiagonal: Bool { shape.count == dimension }

  private var trace: Double {
    isDiagonal ? shape.reduce(0, +) : GaussianDistance.trace(shape, dimension)
  }

  /// C, row-major `[d, d]`.
  var fullShape: [Double] {
    guard isDiagonal else { return shape }
    var full = [Double](repeating: 0, count: dimension * dimension)
    for k in 0..<dimension { full[k * dimension + k] = shape[k] }
    return full
  }

  /// `tr (C^½ C' C^½)^½`.
  private func overlap(with other: ShapedMixture) -> Double? {
    if shape == other.shape { return trace }
    guard isDiagonal, other.isDiagonal else {
      return GaussianDistance.overlap(fullShape, other.fullShape, dimension: dimension)
    }
    return zip(shape, other.shape).reduce(0) {
      $0 + max(0, $1.0).squareRoot() * max(0, $1.1).squareRoot()
    }
  }

  /// The squared mixture-Wasserstein distance: optimal transport between the components at the cost of
  /// ``componentDistances(to:)``. Nil when that is nil, or when a mixture has no component.
  public func squaredMixtureDistance(to other: ShapedMixture) -> Double? {
    guard let cost = componentDistances(to: other) else { return nil }
    return Transport.uniformCost(rows: componentCount, columns: other.componentCount, cost: cost)
  }
}
