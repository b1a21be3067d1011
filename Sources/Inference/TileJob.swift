import Mixtures
import NumericsKit
import Specification

/// One job as a worker computes it: the mixture of this iteration and its coordinates.
public final class TileJob: Sendable {
  public let kind: JobKind
  public let plan: JobPlan
  public let iteration: Int
  /// In the metric's coordinates; for a job of points, these are its means, in θ.
  public let mixture: IsotropicMixture
  /// Lower factors of full covariances, `[N, d, d]`; empty for isotropic components and for points.
  public let factors: [Double]
  public let metric: Metric

  /// - Parameter metric: the coordinates of the mixture; nil for θ itself.
  /// - Throws: ``FitError`` when the state is not that of this problem or the kind has no plan.
  public init(
    _ problem: Problem, kind rawKind: UInt8, iteration: Int, state: [UInt8], metric: Metric? = nil
  ) throws {
    guard let kind = JobKind(rawValue: rawKind), let plan = problem.plan.job(kind) else {
      throw FitError(.software, "the coordinator asks for a job of kind \(rawKind), which this run has not")
    }
    let dimension = problem.plan.problem.dimension
    let isFull = problem.plan.problem.fullCovariances && kind != .points
    let decoded =
      isFull
      ? JobState.decodeFull(state, components: plan.components, dimension: dimension)
      : JobState.decode(state, components: plan.components, dimension: dimension).map { ($0, []) }
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
  }
}
