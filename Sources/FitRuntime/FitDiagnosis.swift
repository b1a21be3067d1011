import Inference
import Mixtures
import Reporting

/// How good the fit in a folder is, from fresh draws of its mixture, and what the fit recorded about itself.
public struct FitDiagnosis: Sendable {
  public let family: String
  public let dimension: Int
  public let components: Int
  /// The coordinates in which the components are isotropic.
  public let metric: Metric.Kind
  /// Whether coordinates have mixtures of their own.
  public let factorization: Factorization
  /// Steps that the fit had taken.
  public let iterations: Int
  public let seed: UInt64
  public let judgement: Judgement
  /// `KL(q ‖ π)` in nats where the target's normaliser is known.
  public let kl: Double?
  /// What the fit says about its course; nil when it has no `summary.json`.
  public let recorded: RecordedSummary?

  /// Draws that are made unless others are asked for.
  public static let usualDraws = 10_000
  /// Fewer say nothing about tails; more need memory for little.
  public static let possibleDraws = 100...10_000_000

  /// Judges the fit in a folder.
  ///
  /// - Parameters:
  ///   - draws: over all components; rounded up to equally many of each, at least two.
  ///   - seed: of draws that are none of the fit's own, whatever its seed.
  ///   - cache: folder of prepared data; nil: ``FitService/defaultCache()``.
  ///   - progress: told what takes time.
  /// - Throws: errors that ``RunFailure`` puts in words.
  public init(
    folder: String, draws: Int = usualDraws, seed: UInt64 = 1, threads: Int = 1, cache: String? = nil,
    progress: @escaping (String) -> Void = { _ in }
  ) throws {
    let record = try FitRecord(folder: folder)
    let (problem, judgement) = try DiagnosisRunner(
      record: record, draws: draws, seed: seed, threads: threads,
      cacheFolder: FitService.cache(cache, of: record.specification?.data), progress: progress
    ).run()
    family = record.mixture.family
    dimension = record.mixture.dimension
    components = record.mixture.components
    metric = problem.plan.problem.metric
    factorization = problem.plan.problem.factorization
    iterations = record.mixture.iteration
    self.seed = seed
    self.judgement = judgement
    kl = problem.target.logNormalizer.map { $0 - judgement.objective.elbo }
    recorded = record.summary
  }

  /// What a user should know and do, in a sentence.
  public var verdict: String {
    judgement.verdict(metric: metric, dimension: dimension, factorization: factorization)
  }

  /// Effective sample size of the importance weights over the number of draws.
  public var effectiveShare: Double? {
    judgement.effectiveSampleSize.map { $0 / Double(judgement.draws) }
  }
}
