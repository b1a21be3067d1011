/// How much is evaluated at once while a fit warms up: the usual numbers where rows are few, and less where one gradient
/// over all of them takes long, because the more rows there are, the narrower is each mode of the posterior, and the more
/// like a Gaussian.
///
/// A function of the problem alone, like the plan.
package enum WarmUpSize {
  /// What one round of curvature estimates may cost, in floating-point operations: some ten seconds of two cores.
  private static let curvatureCost = 2e11
  /// What one round of a search for modes may cost.
  private static let searchCost = 2e10
  /// Numbers of all points of a start's search, where coordinates have mixtures of their own: 32 MiB.
  private static let mostPointNumbers = 1 << 22

  /// Pairs of samples, of each component, for one estimate of the curvature.
  package static func curvaturePairs(_ problem: ProblemSize) -> Int {
    let frame = Double(problem.dimension) * CostModel(problem).pairOverRows
    let affordable = max(curvatureCost / frame, Double(Fit.fewestCurvatureFrames))
    let frames = min(affordable, Double(Fit.curvatureFrames))
    return ceilingDivision(Int(frames) * problem.dimension, problem.components)
  }

  /// Points at which V is evaluated at once to find a start or modes; fewer of them for targets of very many dimensions,
  /// whose components have mixtures of their own for each coordinate: no modes are searched for from them.
  package static func searchPoints(_ problem: ProblemSize) -> Int {
    let usual = Fit.searchPoints(components: problem.components)
    guard problem.factorization == .full else {
      return min(usual, max(Fit.fewestSearchPoints, mostPointNumbers / problem.dimension))
    }
    let affordable = searchCost / CostModel(problem).gradientOverRows
    return min(usual, max(Fit.fewestSearchPoints, Int(min(affordable, Double(usual)))))
  }
}
