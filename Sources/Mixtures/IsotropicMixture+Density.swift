extension IsotropicMixture {
  /// log q(θ) at one point, `[d]`. For many points use ``MixtureDensity``.
  public func logDensity(at point: [Double]) -> Double { evaluate(at: point).logDensity }

  /// ∇ log q(θ) at one point, `[d]`. For many points use ``MixtureDensity``.
  public func score(at point: [Double]) -> [Double] { evaluate(at: point).score }

  private func evaluate(at point: [Double]) -> (logDensity: Double, score: [Double]) {
    precondition(point.count == dimension, "a point has as many coordinates as the mixture")
    let density = MixtureDensity(componentCount: componentCount, dimension: dimension)
    density.load(means: means, variances: variances)
    var logDensity = 0.0
    var score = [Double](repeating: 0, count: dimension)
    density.accumulate(points: point, count: 1, logDensity: &logDensity, score: &score)
    return (logDensity, score)
  }
}
