import Inference
import Reporting

extension FitDiagnosis: Encodable {
  private enum Key: String, CodingKey {
    case family, dimension, components, factorization, metric, iterations, draws, seed, elbo, kl, khat,
      reliable, usage,
      verdict
    case converged, iterates
    case elboSe, khatThreshold, importanceWeightedElbo, effectiveSampleSize, effectiveShare
    case idleComponents, leastUsage, largestUsage, stoppedBy
  }

  /// Writes every key (in snake_case with ``JSONStyle``), with null for what is not defined.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(family, forKey: .family)
    try container.encode(dimension, forKey: .dimension)
    try container.encode(components, forKey: .components)
    try container.encode(factorization, forKey: .factorization)
    try container.encode(metric, forKey: .metric)
    try container.encode(iterations, forKey: .iterations)
    try container.encode(judgement.draws, forKey: .draws)
    try container.encode(seed, forKey: .seed)
    try container.encode(judgement.objective.elbo, forKey: .elbo)
    try container.encode(judgement.objective.standardError, forKey: .elboSe)
    try container.encode(kl, forKey: .kl)
    try container.encode(judgement.khat, forKey: .khat)
    try container.encode(judgement.khatThreshold, forKey: .khatThreshold)
    try container.encode(judgement.isReliable, forKey: .reliable)
    try container.encode(judgement.importanceWeightedElbo, forKey: .importanceWeightedElbo)
    try container.encode(judgement.effectiveSampleSize, forKey: .effectiveSampleSize)
    try container.encode(effectiveShare, forKey: .effectiveShare)
    // A draw whose coordinates come from components of their own is none of theirs.
    let usage = factorization == .full ? judgement.usage : nil
    try container.encode(usage == nil ? nil : judgement.idleComponents, forKey: .idleComponents)
    try container.encode(usage?.min(), forKey: .leastUsage)
    try container.encode(usage?.max(), forKey: .largestUsage)
    try container.encode(usage, forKey: .usage)
    try container.encode(recorded?.converged, forKey: .converged)
    try container.encode(recorded?.stoppedBy, forKey: .stoppedBy)
    try container.encode(recorded?.iterates, forKey: .iterates)
    try container.encode(verdict, forKey: .verdict)
  }
}
