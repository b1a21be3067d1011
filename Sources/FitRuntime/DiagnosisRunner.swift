import Coordination
import Foundation
import Inference
import Mixtures
import NumericsKit
import Posteriors
import Reporting
import Specification
import Wire

/// Evaluates `log q + V` at fresh draws of a fitted mixture, in this process: the problem is made anew from the fit's
/// spec, with an objective of as many draws as are asked for.
struct DiagnosisRunner {
  let record: FitRecord
  let draws: Int
  let seed: UInt64
  let threads: Int
  let cacheFolder: String
  /// Told what takes time.
  let progress: (String) -> Void

  /// The noise's iteration: no fit has so many (``Fit``'s own end at 2³¹ and a few), so that draws are fresh even
  /// with the fit's seed.
  private static let iteration = 3 << 30

  /// The problem and the fit's judgement.
  /// - Throws: errors that ``RunFailure`` puts in words.
  func run() throws -> (problem: Problem, judgement: Judgement) {
    let identity = try Identity.measure()
    let setup = try setUp()
    let problem = try Problem(setup)
    guard record.mixture.family == problem.specification.model.family,
      record.mixture.names == problem.target.parameterNames,
      record.mixture.factorization == problem.plan.problem.factorization
    else {
      throw RuntimeError(
        "\(record.path)/\(FittedMixture.fileName) is not a mixture of \(record.path)/spec.yaml's model: it has "
          + "\(record.mixture.dimension) parameter(s) of family \(record.mixture.family), the model is "
          + "\(problem.specification.model.family) with \(problem.target.dimension), or their names or factorizations differ",
        exitCode: ExitCode.badData)
    }
    let plan = problem.plan.objective
    let sums = try evaluate(setup, problem, plan, identity)
    let judgement = problem.plan.problem.judgement(
      plan.integrands(sums), mayReject: problem.target is any ForeignDensity)
    return (problem, judgement)
  }

  /// The set-up of the fit, as far as it bears on the objective: with the mixture's own coordinates and components, and
  /// without what only a course of iterations needs.
  private func setUp() throws -> FitSetup {
    guard var specification = record.specification else {
      throw RuntimeError("\(record.path) has no spec.yaml", exitCode: ExitCode.noInput)
    }
    specification.data?.test = nil
    specification.mixture.components = record.mixture.components
    specification.mixture.initial = .uniform(
      low: -InitialSpecification.box, high: InitialSpecification.box, variance: 1)
    specification.inference.metric = try record.mixture.coordinates().kind
    specification.inference.relocation = false
    specification.inference.seed = seed
    specification.inference.objectiveDraws = draws
    specification.inference.objectiveInterval = nil
    let setup = try ProblemBuilder(cacheFolder: cacheFolder, progress: progress).build(specification)
    guard setup.train?.digest == record.train?.digest else {
      throw RuntimeError(
        "the training data are not those of the fit (\(record.path)/\(PlanDocument.fileName) has another digest): "
          + "they have changed since, or another version prepared them; fit again, or give the old data back",
        exitCode: ExitCode.badData)
    }
    for (now, then) in zip(setup.files ?? [], record.files ?? []) where now.digest != then.digest {
      throw RuntimeError(
        "\(now.what) \(now.path) is not the one of the fit: it has changed since; fit again, or give the old one back",
        exitCode: ExitCode.badData)
    }
    return setup
  }

  private func evaluate(_ setup: FitSetup, _ problem: Problem, _ plan: JobPlan, _ identity: Identity) throws
    -> [[Double]]
  {
    let start = try record.mixture.inner()
    let bytes = try setup.encoded()
    let runner = try InProcessRunner(
      configuration: Coordinator.Configuration(
        run: RunID(bytes: [UInt8](repeating: 0, count: RunID.byteCount)), epoch: 1, version: Identity.version,
        build: identity.build, fingerprint: identity.fingerprint.digest, numerics: identity.numerics,
        setup: bytes, setupDigest: Digest.of(bytes).description, dataDigest: setup.dataDigest,
        mixedNumerics: false, workersToStart: 1, workerTimeout_ms: 60_000),
      // Nothing would be left behind: signals do what they always do.
      setup: setup, problem: problem, threads: threads, identity: identity,
      interruption: Interruption(try Signals([])), log: { _, _ in })
    defer { runner.end(exitCode: ExitCode.done, message: "the fit is judged") }
    let context =
      start.metric.isUnit ? nil : SharedContext(number: 1, bytes: JobContext.encode(start.metric))
    return try runner.run(
      Job(
        kind: JobKind.objective.rawValue, iteration: DiagnosisRunner.iteration,
        state: JobState.encode(start.mixture, factors: record.mixture.fullMixture?.factors ?? []),
        context: context,
        shape: JobShape(plan, problem: problem.plan.problem)))
  }
}
