extension IsotropicMixture {
  /// The mixture with another number of components: more by splitting each into as many as its turn comes, fewer by
  /// merging the two nearest again and again, with mean and total variance kept.
  ///
  /// - Parameter deviates: standard normal numbers `[d]` of a new component, along which it is set apart by half a
  ///   standard deviation.
  public func resized(to count: Int, deviates: (Int) -> [Double]) -> IsotropicMixture {
    precondition(count >= 1 && componentCount >= 1)
    if count == componentCount { return self }
    return count > componentCount ? split(to: count, deviates: deviates) : merged(to: count)
  }

  private func split(to count: Int, deviates: (Int) -> [Double]) -> IsotropicMixture {
    var means = means
    var variances = variances
    for component in componentCount..<count {
      let parent = component % componentCount
      let spread = 0.5 * self.variances[parent].squareRoot()
      let direction = deviates(component)
      for k in 0..<dimension { means.append(self.means[parent * dimension + k] + spread * direction[k]) }
      variances.append(self.variances[parent])
    }
    return IsotropicMixture(componentCount: count, dimension: dimension, means: means, variances: variances)
  }

  private func merged(to count: Int) -> IsotropicMixture {
    var groups = (0..<componentCount).map { (mean: mean(of: $0), variance: variances[$0], weight: 1.0) }
    while groups.count > count {
      var best = (first: 0, second: 1, distance: Double.infinity)
      for i in groups.indices {
        for j in 0..<i {
          let distance =
            squaredDistance(groups[i].mean, groups[j].mean) / (groups[i].variance + groups[j].variance)
          if distance < best.distance { best = (j, i, distance) }
        }
      }
      let (a, b) = (groups[best.first], groups[best.second])
      let weight = a.weight + b.weight
      let mean = zip(a.mean, b.mean).map { (a.weight * $0 + b.weight * $1) / weight }
      let apart =
        squaredDistance(a.mean, b.mean) * a.weight * b.weight / (weight * weight * Double(dimension))
      groups[best.first] = (mean, (a.weight * a.variance + b.weight * b.variance) / weight + apart, weight)
      groups.remove(at: best.second)
    }
    return IsotropicMixture(
      componentCount: count, dimension: dimension, means: groups.flatMap(\.mean),
      variances: groups.map(\.variance))
  }

  private func mean(of component: Int) -> [Double] {
    Array(means[component * dimension..<(component + 1) * dimension])
  }

  private func squaredDistance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }
}
