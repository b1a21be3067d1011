extension IsotropicMixture {
  /// The squared 2-Wasserstein distance between two components,
  /// `‖m − m'‖² + d (√ε − √ε')²`.
  public static func squaredDistance(
    component i: Int, of first: IsotropicMixture, toComponent j: Int, of second: IsotropicMixture
  ) -> Double {
    let d = first.dimension
    var sum = 0.0
    for k in 0..<d {
      let difference = first.means[i * d + k] - second.means[j * d + k]
      sum += difference * difference
    }
    let spread = first.variances[i].squareRoot() - second.variances[j].squareRoot()
    return sum + Double(d) * spread * spread
  }

  /// The distance between mixtures of equally many components,
  /// `W²_bw = min_σ (1/N) Σ_i ‖m_i − m'_σ(i)‖² + d (√ε_i − √ε'_σ(i))²`, σ over permutations
  /// (arXiv 2506.13613, section 4.2); nil when the numbers of components or the dimensions differ, or when a
  /// number is not finite.
  public func squaredDistance(to other: IsotropicMixture) -> Double? {
    componentCount == other.componentCount ? squaredMixtureDistance(to: other) : nil
  }
}

extension IsotropicMixture {
  /// The squared mixture-Wasserstein distance (Delon and Desolneux, SIAM J. Imaging Sciences 13, 2020), the optimal
  /// transport between the components at the cost of their squared 2-Wasserstein distances:
  /// `MW₂² = min_P Σ_ij P_ij (‖m_i − m'_j‖² + d (√ε_i − √ε'_j)²)` with row sums 1/N and column sums 1/N'.
  ///
  /// For equally many components this is ``squaredDistance(to:)``. Nil when the dimensions differ, when a
  /// mixture has no component, or when a number is not finite.
  public func squaredMixtureDistance(to other: IsotropicMixture) -> Double? {
    guard dimension == other.dimension else { return nil }
    var cost: [Double] = []
    cost.reserveCapacity(componentCount * other.componentCount)
    for i in 0..<componentCount {
      for j in 0..<other.componentCount {
        cost.append(Self.squaredDistance(component: i, of: self, toComponent: j, of: other))
      }
    }
    return Transport.uniformCost(rows: componentCount, columns: other.componentCount, cost: cost)
  }
}
