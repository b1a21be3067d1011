import Mixtures
import NumericsKit
import Specification

/// One job as a worker computes it: the mixture of this iteration and its coordinates.
public final class TileJob: Sendable {
  public let kind: JobKind
  public let plan: JobPlan
  public let iteration: Int
  /// In the metric's coordinates; for a job of points, these are its means, in θ. Where coordinates have mixtures of their
  /// own, N·d components of one dimension.
  public let mixture: IsotropicMixture
  /// Lower factors of full covariances, `[N, d, d]`; empty for isotropic components and for points.
  public let factors: [Double]
  public let metric: Metric
  /// The row tiles of a gradient's minibatch, ascending; nil for all rows.
  public let batch: [Int]?
  /// What a gradient's minibatch is compared with; nil for nothing.
  public let variate: ControlVariate?

  /// - Parameters:
  ///   - metric: the coordinates of the mixture; nil for θ itself.
  ///   - variate: what the coordinator sent along with the coordinates.
  /// - Throws: ``FitError`` when the state is not that of this problem or the kind has no plan.
  public init(
    _ problem: Problem, kind rawKind: UInt8, iteration: Int, state: [UInt8], metric: Metric? = nil,
    variate: ControlVariate? = nil
  ) throws {
    guard let kind = JobKind(rawValue: rawKind), let plan = problem.plan.job(kind) else {
      throw FitError(.software, "the coordinator asks for a job of kind \(rawKind), which this run has not")
    }
    let dimension = problem.plan.problem.dimension
    let isFull = problem.plan.problem.fullCovariances && kind != .points && kind != .reference
    let isFactorized = problem.plan.problem.factorization == .coordinates && kind != .points
    let decoded =
      isFull
      ? JobState.decodeFull(state, components: plan.components, dimension: dimension)
      : JobState.decode(
        state, components: plan.components * (isFactorized ? dimension : 1),
        dimension: isFactorized ? 1 : dimension
      ).map { ($0, []) }
    guard let (mixture, factors) = decoded else {
      throw FitError(.software, "a state of \(state.count) bytes is not that of this run's mixture")
    }
    let coordinates = metric ?? Metric(.unit, dimension: dimension)
    guard coordinates.dimension == dimension,
      coordinates.isUnit || coordinates.kind == problem.plan.problem.metric
    else { throw FitError(.software, "the coordinates that the coordinator sent are not those of this run") }
    self.kind = kind
    self.plan = plan
    self.iteration = iteration
    self.mixture = mixture
    self.factors = factors
    self.metric = coordinates
    (batch, self.variate) = try TileJob.batch(
      of: problem, plan, kind: kind, iteration: iteration, variate: variate)
  }

  /// The same job with a given minibatch in place of the one that is drawn: what estimates are averaged over.
  package init(_ job: TileJob, batch: [Int]) {
    kind = job.kind
    plan = job.plan
    iteration = job.iteration
    mixture = job.mixture
    factors = job.factors
    metric = job.metric
    variate = job.variate
    self.batch = batch
  }
}
