import Mixtures
import NumericsKit
import Specification

/// Steps, evaluations, and what happens when they go wrong.
extension Fit {
  mutating func step(_ sums: [[Double]]) throws {
    if let fullMixture { return try stepFull(fullMixture, sums) }
    if isFactorized { return try stepCoordinates(sums) }
    let gradient = self.gradient(sums)
    let (rule, current) = (settings.algorithm, mixture)
    try move(along: gradient.mean) { size, isRelative in
      let next =
        isRelative
        ? try rule.step(current, gradient: gradient, relativeStep: size)
        : try rule.step(current, gradient: gradient, stepSize: size)
      return (next, [])
    }
  }

  /// Takes a step of the size that is given, or found, and goes on; or back, when the rule can't take it.
  ///
  /// - Parameters:
  ///   - meanGradient: of the means, `[N, d]`.
  ///   - observed: what the step's size is controlled by, `[N, d]`; nil for the gradient itself.
  ///   - rule: the mixture after a step of a size, which may be relative, and its full covariances' factors.
  mutating func move(
    along meanGradient: [Double], observing observed: [Double]? = nil,
    _ rule: (_ size: Double, _ isRelative: Bool) throws -> (mixture: IsotropicMixture, factors: [Double])
  ) throws {
    let stepSize: Double
    switch settings.stepSize {
    case .schedule(let schedule):
      stepSize = stepFactor * schedule.stepSize(at: iteration, of: settings.iterations)
    case .auto:
      control.observe(observed ?? meanGradient, after: previousGradient, dimension: dimension)
      stepSize = control.rate
    }
    iteration += 1
    do {
      (mixture, factors) = try rule(stepSize, settings.hasAutomaticSteps)
    } catch let error as UpdateError {
      return try stepBack("\(error.message)", component: error.component)
    }
    let squares = VectorMath.sumOfSquares(meanGradient, count: meanGradient.count)
    gradientNorm = (squares / Double(components)).squareRoot()
    lastStepSize = stepSize
    previousGradient = observed ?? meanGradient
    let isStaged = settings.stop == .converged && windowsClosed == windows.count
    if isStaged { stage.take(mixture) }
    advance()
  }

  /// `g_i = Σ∇ / B` and `h_i = Σ (x − m)·∇ / (B d ε_i)`.
  private func gradient(_ sums: [[Double]]) -> MixtureGradient {
    let dimension = mixture.dimension
    let samples = Double(settings.samples)
    let count = mixture.means.count
    let squares = mixture.variances.map { samples * Double(dimension) * $0 }
    var rates = [Double](repeating: 0, count: mixture.componentCount)
    // All workers wait for this: no check of each index.
    let means = [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      for (block, values) in sums.enumerated() {
        values.withUnsafeBufferPointer { values in
          guard let values = values.baseAddress, let target = buffer.baseAddress else { return }
          for (place, component) in plan.gradient.components(ofBlock: block).enumerated() {
            let (own, mean) = (values + place * (dimension + 2), target + component * dimension)
            for k in 0..<dimension { mean[k] = own[k] / samples }
            rates[component] = own[dimension] / squares[component]
          }
        }
      }
      initialized = count
    }
    return MixtureGradient(mean: means, variance: rates)
  }

  /// Takes an evaluation of the mixture as it stands.
  mutating func evaluated(_ integrands: [Double]) throws -> TraceRow? {
    let row = try assess(integrands)
    if row != nil { advance() }
    return row
  }

  /// Judges the mixture by an evaluation: a row for the trace, or nil when the fit had to step back.
  /// - Throws: ``FitError`` when it can't.
  mutating func assess(_ integrands: [Double]) throws -> TraceRow? {
    let objective = estimate(integrands)
    evaluatedAt = iteration
    guard objective.elbo.isFinite else {
      let draws = plan.objective.samples
      let component = isFactorized ? nil : integrands.firstIndex { !$0.isFinite }.map { $0 / draws }
      try stepBack(
        "the ELBO at iteration \(iteration) is not finite"
          + (objective.rejectedDraws.map { ": the target rejected \($0) of \(integrands.count) draws" } ?? "")
          + (component.map { " (at draws of component \($0 + 1))" } ?? ""), component: component)
      return nil
    }
    if let refuge, hasCollapsed(objective, since: refuge.objective) {
      let fall = "the ELBO fell from \(refuge.objective.elbo) to \(objective.elbo)"
      // A draw belongs to no component when each of its coordinates has its own.
      if isFactorized {
        try stepBack(fall, component: nil)
      } else {
        let worst = Fit.rewards(integrands, components: components).enumerated()
          .min { $0.element < $1.element }?.offset
        try stepBack("\(fall), most at component \((worst ?? 0) + 1)", component: worst)
      }
      return nil
    }
    let row = row(objective)
    lastRow = row
    if refuge == nil || objective.elbo > refuge?.objective.elbo ?? -.infinity {
      refuge = Refuge(
        mixture: mixture, metric: metric, iteration: iteration, objective: objective, factors: factors)
    }
    return row
  }

  /// Whether the objective is so far below its best that the steps must be too large: further than its noise, a new
  /// arrangement of components or coordinates, or a change of a twentieth explain.
  func hasCollapsed(_ now: ObjectiveEstimate, since best: ObjectiveEstimate) -> Bool {
    let noise = (now.standardError.isFinite ? now.standardError : 0) + best.standardError
    let tolerance = Double(dimension) + 10 + 20 * noise + 0.05 * abs(best.elbo)
    // New coordinates and moved components cost more than they gain at first.
    let allowance = windowsClosed < windows.count && settings.hasAutomaticSteps ? Fit.warmUpAllowance : 1
    return now.elbo < best.elbo - allowance * tolerance
  }

  private static let warmUpAllowance = 10.0

  /// The objective from `log q + V` at draws.
  func estimate(_ integrands: [Double]) -> ObjectiveEstimate {
    plan.problem.objective(integrands, mayReject: mayReject)
  }

  /// Whether draws can be compared: all of them are finite, or enough of those that may be rejected.
  func areUsable(_ integrands: [Double]) -> Bool {
    integrands.allSatisfy(\.isFinite) || (mayReject && estimate(integrands).elbo.isFinite)
  }

  /// `E_i[log π − log q]` of each component.
  static func rewards(_ integrands: [Double], components: Int) -> [Double] {
    let draws = integrands.count / components
    return (0..<components).map { component in
      let values = integrands[component * draws..<(component + 1) * draws]
      let sum = values.reduce(0, +)
      guard sum == .infinity else { return -sum / Double(draws) }
      // Without the draws that the target rejects.
      let accepted = values.filter { $0 < .infinity }
      return accepted.isEmpty ? -.infinity : -accepted.reduce(0, +) / Double(accepted.count)
    }
  }

  /// Goes back to the best state so far with a smaller step.
  /// - Throws: ``FitError`` when that has been done too often, or there is nothing to go back to.
  mutating func stepBack(_ what: String, component: Int?) throws {
    divergences += 1
    let step = lastStepSize.map { " with step size \($0)" } ?? ""
    guard let refuge, iteration > 0 else {
      throw FitError(
        .diverged,
        "the fit can't start: \(what). The target can't be evaluated where mixture.initial puts the components; try a "
          + "smaller box or variance, and look at the data's range")
    }
    guard divergences <= Fit.mostDivergences else {
      throw FitError(
        .diverged,
        "diverged at iteration \(iteration)\(step), for the \(divergences)th time: \(what). "
          + (settings.hasAutomaticSteps
            ? "Look at the data's range"
              + (component.map { " and at the target where component \($0 + 1) is" } ?? "")
            : "Try a smaller inference.step_size, or auto"))
    }
    notes.append(
      "diverged at iteration \(iteration)\(step): \(what). Going on from the state of iteration \(refuge.iteration) with "
        + "a quarter of the step")
    restore(refuge)
    stepFactor /= Fit.stepBackDivisor
    control.shrink(by: Fit.stepBackDivisor)
    previousGradient = []
    stage = newStage
    // The window or the stage that went wrong begins again; what is left of the iterations is the same.
    advance()
  }

  /// Takes the mixture and the coordinates of an earlier state; the iterations go on.
  mutating func restore(_ refuge: Refuge) {
    mixture = refuge.mixture
    factors = refuge.factors
    metric = refuge.metric
    metricNumber += 1
    reference = nil
  }

  static let stepBackDivisor = 4.0
  /// A quarter of the step each time: after so many, a step that was a million times too large is not.
  static let mostDivergences = 12
}
