import Foundation
import Mixtures
import NumericsKit
import Posteriors
import Specification

/// What a fit wants evaluated next.
public struct FitJob: Sendable, Hashable {
  public var kind: JobKind
  /// The iteration whose noise is used.
  public var iteration: Int

  package init(kind: JobKind, iteration: Int) {
    self.kind = kind
    self.iteration = iteration
  }
}

/// The course of a fit: which pass comes next, and what its sums do to the mixture.
///
/// A pure state machine. `next` names the job whose sums it waits for, `take` receives them; where and by whom
/// the sums were computed makes no difference.
public struct Fit: Sendable {
  public let plan: Plan
  /// The mixture after `iteration` steps.
  public internal(set) var mixture: IsotropicMixture
  /// Steps taken so far.
  public internal(set) var iteration = 0
  /// The last evaluation of the objective.
  public internal(set) var lastRow: TraceRow?
  /// Scores on test data, once they are known.
  public internal(set) var testScores: TestScores?
  /// The step size of the step taken last.
  public internal(set) var lastStepSize: Double?

  private let settings: InferenceSpecification
  /// Steps that the fit takes in all.
  var iterations: Int { settings.iterations }
  private let objectiveInterval: Int
  private let logNormalizer: Double?
  private let isClassification: Bool
  var gradientNorm: Double?
  var evaluatedAt: Int?

  /// A fit at its start.
  public init(_ problem: Problem) {
    let specification = problem.specification
    plan = problem.plan
    settings = specification.inference
    objectiveInterval = Fit.objectiveInterval(specification.inference, plan: plan)
    logNormalizer = problem.target.logNormalizer
    if case .regression(let regression) = specification.model {
      isClassification = regression.family != .linear
    } else {
      isClassification = false
    }
    mixture = Fit.initialMixture(specification, dimension: problem.target.dimension)
  }

  /// Iterations between evaluations: as asked, or so that they cost about a tenth of the fit.
  public static func objectiveInterval(_ settings: InferenceSpecification, plan: Plan) -> Int {
    if let interval = settings.objectiveInterval { return interval }
    let drawsPerSample = Double(plan.objective.samples) / Double(plan.gradient.samples)
    return max(1, settings.iterations / 100, Int((10 * drawsPerSample).rounded(.up)))
  }

  /// Means uniform on the box, equal variances.
  private static func initialMixture(_ specification: FitSpecification, dimension: Int) -> IsotropicMixture {
    let settings = specification.mixture
    let noise = Noise(seed: specification.inference.seed)
    var means = [Double](repeating: 0, count: settings.components * dimension)
    means.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      for component in 0..<settings.components {
        noise.fillUniforms(
          .initialization, iteration: 0, component: component, samples: 0..<1, dimension: dimension,
          into: base + component * dimension)
      }
      for index in buffer.indices {
        buffer[index] = settings.low + (settings.high - settings.low) * buffer[index]
      }
    }
    return IsotropicMixture(
      componentCount: settings.components, dimension: dimension, means: means,
      variances: [Double](repeating: settings.variance, count: settings.components))
  }

  /// The job that comes next; nil when the fit is finished.
  public var next: FitJob? {
    let isDue = iteration % objectiveInterval == 0 || iteration == settings.iterations
    if isDue, evaluatedAt != iteration { return FitJob(kind: .objective, iteration: iteration) }
    if iteration < settings.iterations { return FitJob(kind: .gradient, iteration: iteration) }
    if plan.prediction != nil, testScores == nil { return FitJob(kind: .prediction, iteration: iteration) }
    return nil
  }

  /// Takes the sums of the job that `next` named, block by block.
  ///
  /// - Returns: a row for the trace when the objective was evaluated.
  /// - Throws: ``FitError`` that names iteration and component when the fit has diverged.
  public mutating func take(_ sums: [[Double]]) throws -> TraceRow? {
    guard let job = next else { return nil }
    switch job.kind {
    case .empty: return nil
    case .gradient:
      try step(sums)
      return nil
    case .objective:
      evaluatedAt = iteration
      let row = try evaluate(sums)
      lastRow = row
      return row
    case .prediction:
      testScores = scores(sums)
      return nil
    }
  }

  private mutating func step(_ sums: [[Double]]) throws {
    let stepSize = settings.stepSize.stepSize(at: iteration, of: settings.iterations)
    let gradient = self.gradient(sums)
    do {
      mixture = try settings.algorithm.step(mixture, gradient: gradient, stepSize: stepSize)
    } catch let error as UpdateError {
      throw FitError(
        .diverged,
        "diverged at iteration \(iteration + 1) with step size \(stepSize): \(error.message). "
          + "Try a smaller inference.step_size")
    }
    let squares = gradient.mean.reduce(0) { $0 + $1 * $1 }
    gradientNorm = (squares / Double(mixture.componentCount)).squareRoot()
    lastStepSize = stepSize
    iteration += 1
  }

  /// `g_i = Σ∇ / B` and `h_i = Σ (x − m)·∇ / (B d ε_i)`.
  private func gradient(_ sums: [[Double]]) -> MixtureGradient {
    let dimension = mixture.dimension
    let samples = Double(settings.samples)
    var gradient = MixtureGradient(
      mean: [Double](repeating: 0, count: mixture.means.count),
      variance: [Double](repeating: 0, count: mixture.componentCount))
    for (block, values) in sums.enumerated() {
      for (place, component) in plan.gradient.components(ofBlock: block).enumerated() {
        let offset = place * (dimension + 2)
        for coordinate in 0..<dimension {
          gradient.mean[component * dimension + coordinate] = values[offset + coordinate] / samples
        }
        gradient.variance[component] =
          values[offset + dimension] / (samples * Double(dimension) * mixture.variances[component])
      }
    }
    return gradient
  }

  private func evaluate(_ sums: [[Double]]) throws -> TraceRow {
    let draws = plan.objective.samples
    var integrands = [Double](repeating: 0, count: mixture.componentCount * draws)
    for (block, values) in sums.enumerated() {
      let samples = plan.objective.samples(ofObjectiveBlock: block)
      for (place, component) in plan.objective.components(ofBlock: block).enumerated() {
        for (index, sample) in samples.enumerated() {
          integrands[component * draws + sample] = values[place * samples.count + index]
        }
      }
    }
    let objective = ObjectiveEstimate(integrands: integrands, components: mixture.componentCount)
    guard objective.elbo.isFinite else {
      throw FitError(
        .diverged,
        iteration == 0
          ? "the ELBO is not finite at the start: the target can't be evaluated in the box of mixture.initial; try a "
            + "smaller box or variance, and look at the data's range"
          : "diverged: the ELBO at iteration \(iteration) is not finite. Try a smaller inference.step_size")
    }
    return TraceRow(
      iteration: iteration, objective: objective, kl: logNormalizer.map { $0 - objective.elbo },
      gradientNorm: gradientNorm, stepSize: lastStepSize,
      varianceMinimum: mixture.variances.min() ?? .nan, varianceMaximum: mixture.variances.max() ?? .nan)
  }

  private func scores(_ sums: [[Double]]) -> TestScores {
    let values = sums.first ?? [0, 0, 0, 0]
    let rows = max(values[0], 1)
    return TestScores(
      rows: Int(values[0]), logPredictiveDensity: values[1] / rows,
      accuracy: isClassification ? values[2] / rows : nil,
      rmse: isClassification ? nil : (values[3] / rows).squareRoot())
  }

  /// SHA-256 of means then variances as little-endian float64.
  public var stateDigest: Digest {
    var builder = DigestBuilder()
    builder.update(mixture.means)
    builder.update(mixture.variances)
    return builder.finalize()
  }
}
