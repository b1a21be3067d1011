import Foundation
import Mixtures
import NumericsKit
import Specification

/// How good a fit is, from draws of the fitted mixture.
public struct Judgement: Sendable, Hashable, Codable {
  /// `E_q[log π − log q]` and its standard error, in nats.
  public var objective: ObjectiveEstimate
  /// Draws, over all components.
  public var draws: Int
  /// The Pareto shape k̂ of the largest importance weights π/q (Vehtari et al. 2024); 0 when the weights are equal within
  /// ``equalSpread``, because the shape of a tail that is not there means nothing; nil when there are too few draws.
  public var khat: Double?
  /// `log (1/S) Σ π/q`: the importance-weighted ELBO, in nats, from weights whose tail is smoothed.
  public var importanceWeightedElbo: Double?
  /// `(Σ w)² / Σ w²` of the smoothed weights.
  public var effectiveSampleSize: Double?
  /// Above this k̂, importance weights can't be trusted: `min(1 − 1/log₁₀ S, 0.7)`.
  public var khatThreshold: Double
  /// Share of the importance weight that falls on each component's draws, `[N]`.
  public var usage: [Double]

  /// What a report shows of the weights; nil where there are none to judge.
  public var weights: WeightProfile?

  /// - Parameters:
  ///   - integrands: `log q + V` at equally many draws of every component, `[components, draws]`.
  ///   - mayReject: whether `+∞` is a draw that the target rejected: it has no importance weight.
  public init(integrands: [Double], components: Int, mayReject: Bool = false) {
    objective = ObjectiveEstimate(integrands: integrands, components: components, mayReject: mayReject)
    draws = integrands.count
    khatThreshold = ParetoSmoothing.threshold(sampleCount: integrands.count)
    usage = []
    guard let smoothing = ParetoSmoothing(logWeights: integrands.map { -$0 }) else { return }
    khat =
      Judgement.areEqual(integrands.map { -$0 - smoothing.logMeanWeight })
      ? 0 : smoothing.shape.isFinite ? smoothing.shape : nil
    weights = WeightProfile(
      logWeights: integrands.map { -$0 - smoothing.logMeanWeight }, tail: smoothing.tail)
    importanceWeightedElbo = Judgement.finite(smoothing.smoothedLogMeanWeight)
    effectiveSampleSize = Judgement.finite(smoothing.effectiveSampleSize)
    let perComponent = integrands.count / components
    usage = (0..<components).map { component in
      let weights = smoothing.logWeights[component * perComponent..<(component + 1) * perComponent]
      return weights.reduce(0) { $0 + VectorMath.exponential(max($1, -700)) }
    }
  }

  /// Relative standard deviation of weights that count as equal; none may be half as large again as their mean.
  static let equalSpread = 0.03
  private static let equalLimit = 0.4

  /// Whether log weights, with that of their mean taken off, are as good as equal.
  private static func areEqual(_ logWeights: [Double]) -> Bool {
    guard logWeights.allSatisfy({ $0 < equalLimit }) else { return false }
    let squares = logWeights.reduce(0) {
      let excess = VectorMath.exponential(max($1, -700)) - 1
      return $0 + excess * excess
    }
    return squares <= equalSpread * equalSpread * Double(logWeights.count)
  }

  private static func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }

  /// Components whose draws have less than a tenth of their share of the importance weight.
  public var idleComponents: Int {
    usage.filter { $0 < 0.1 / Double(usage.count) }.count
  }

  /// Whether k̂ is below its threshold, and the ELBO not far below what importance weights make of it: `KL(q ‖ π)` is at
  /// least the difference. Without a k̂ it is not: too few weights count.
  public var isReliable: Bool {
    objective.elbo.isFinite && !usage.isEmpty && (khat ?? .infinity) < khatThreshold
      && gap < Judgement.largestGap
  }

  /// Importance-weighted ELBO minus ELBO, in nats.
  private var gap: Double { (importanceWeightedElbo ?? objective.elbo) - objective.elbo }

  /// A fit that is further from its target than this, in nats, is none, whatever the tail of the weights that were drawn.
  private static let largestGap = 5.0

  /// What may bring a fit nearer to its target.
  private static func advice(_ metric: Metric.Kind, _ factorization: Factorization, dimension: Int) -> String
  {
    guard factorization == .full else { return "more components or model.factorization: full" }
    let isWide = dimension > InferenceSpecification.largestDenseDimension
    return switch metric {
    case .dense: "more components"
    case .diagonal: isWide ? "more components" : "more components or inference.metric: dense"
    case .unit: "more components or inference.metric: \(isWide ? "diagonal" : "dense")"
    }
  }

  /// What a user should know and do, in one sentence.
  /// - Parameter dimension: d, of the fit's parameter.
  public func verdict(metric: Metric.Kind, dimension: Int, factorization: Factorization = .full) -> String {
    guard !usage.isEmpty else {
      return
        "The quality can't be judged: the target is not finite at some draws of the fit, or there are too few; "
        + "do not use this fit before you know why."
    }
    let advice = Judgement.advice(metric, factorization, dimension: dimension)
    if khat == 0 {
      return
        "k̂ = 0: the importance weights are equal within \(Int(100 * Judgement.equalSpread)) %, so the fit is close to the "
        + "target, as far as \(draws) draws tell."
    }
    guard let khat else {
      return
        "k̂ is not defined, because nearly all the weight falls on a few draws or there are too few draws: the fit "
        + "can't be relied on as it is; try more draws, then \(advice)."
    }
    let shape = String(format: "%.2f", khat)
    if gap >= Judgement.largestGap, khat < khatThreshold {
      return
        "The fit is \(String(format: "%.1f", gap)) nats or more from the target (importance-weighted ELBO minus ELBO), so it "
        + "can't be trusted although k̂ = \(shape); try \(advice), or another seed."
    }
    if !isReliable {
      return
        "k̂ = \(shape), above \(String(format: "%.2f", khatThreshold)): the fit misses some of the target's mass or "
        + "tails, so its spread and its importance-weighted estimates can't be trusted; try \(advice)."
    }
    let quality =
      khat < 0.5 && gap < 0.1
      ? "the fit is close to the target"
      : "the fit is usable, and importance weights correct what it misses (about \(String(format: "%.2f", gap)) nats)"
    let idle = idleComponents
    return "k̂ = \(shape): \(quality)"
      + (idle > 0 ? "; \(idle) of \(usage.count) components carry almost nothing" : "")
      + (gap > 0.5 ? "; \(advice) would bring it nearer." : ".")
  }
}
