import Mixtures

/// What integrands `log q + V` of a fit's draws say.
extension ProblemSize {
  /// The objective from an evaluation's integrands, `[N, draws]` row-major.
  ///
  /// The draws of a component are a stratum. Where coordinates have mixtures of their own, N draws are a block in which
  /// every coordinate has each component once: they depend on one another, and the standard error is that of independent
  /// blocks.
  /// - Parameter mayReject: whether `+∞` is a draw that the target rejected.
  public func objective(_ integrands: [Double], mayReject: Bool = false) -> ObjectiveEstimate {
    guard factorization == .coordinates else {
      return ObjectiveEstimate(integrands: integrands, components: components, mayReject: mayReject)
    }
    let blocks = integrands.count / components
    let means = (0..<blocks).map { block in
      let drawn = (0..<components).map { integrands[$0 * blocks + block] }
      let values = mayReject ? drawn.filter { $0 < .infinity } : drawn
      return values.isEmpty ? .infinity : values.reduce(0, +) / Double(values.count)
    }
    var estimate = ObjectiveEstimate(integrands: means, components: 1, mayReject: mayReject)
    if mayReject { estimate.rejectedDraws = integrands.count { $0 == .infinity } }
    return estimate
  }

  /// How good a fit is, from integrands `[N, draws]`. Where coordinates have mixtures of their own, a draw belongs to no
  /// component.
  public func judgement(_ integrands: [Double], mayReject: Bool = false) -> Judgement {
    guard factorization == .coordinates else {
      return Judgement(integrands: integrands, components: components, mayReject: mayReject)
    }
    var judgement = Judgement(integrands: integrands, components: 1, mayReject: mayReject)
    judgement.objective = objective(integrands, mayReject: mayReject)
    return judgement
  }
}
