import Mixtures
import NumericsKit
import Specification

/// What minibatches change in the course of a fit: a control variate is computed anew now and then.
extension Fit {
  /// The control variate and when it was computed.
  struct Reference: Sendable, Equatable {
    var variate: ControlVariate
    var iteration: Int
  }

  /// More often gains nothing: components move little in so few iterations.
  private static let shortestRefresh = 10

  /// Iterations from one reference to the next: as asked, or so that all rows at N points cost about as much as the
  /// batches at N (B + 1) points in between.
  public static func refreshInterval(_ settings: InferenceSpecification, plan: Plan) -> Int {
    if let interval = settings.minibatch?.refreshInterval { return interval }
    let batch = plan.gradient.drawnTiles * plan.gradient.rowsPerTile
    return max(shortestRefresh, ceilingDivision(plan.gradient.rows, batch * (plan.gradient.samples + 1)))
  }

  /// Whether all rows' gradients are due, before the next step.
  var needsReference: Bool {
    guard plan.reference != nil else { return false }
    return reference.map { iteration - $0.iteration >= Fit.refreshInterval(settings, plan: plan) } ?? true
  }

  /// Takes V and its gradient at the components' means, from all rows.
  mutating func refresh(_ sums: [[Double]]) {
    reference = Reference(
      variate: ControlVariate(
        points: positions, gradients: pointValues(sums).gradients, dimension: mixture.dimension),
      iteration: iteration)
    metricNumber += 1
    activity = .stepping
  }

  /// Forgets the control variate, where components are moved.
  mutating func dropReference() {
    guard reference != nil else { return }
    reference = nil
    metricNumber += 1
  }

  /// Plain batches are so much noise that an average needs far more iterates; they are cheap.
  private static let longestBatchedAveraging = 4000

  /// A stage at its begin.
  var newStage: Stage {
    let isNoisy = plan.gradient.batchRows != nil && plan.reference == nil
    return Stage(mostAveraged: isNoisy ? Fit.longestBatchedAveraging : Stage.longestAveraging)
  }

  /// Iterations between evaluations of a fit in minibatches, which cost far more than its steps: about a tenth of the
  /// fit, but ``mostBatchedEvaluations`` whatever they cost. Nil without minibatches.
  static func batchedObjectiveInterval(_ settings: InferenceSpecification, _ plan: Plan) -> Int? {
    guard plan.gradient.batchRows != nil else { return nil }
    let batch = Double(plan.gradient.drawnTiles * plan.gradient.rowsPerTile)
    let cost =
      Double(plan.objective.samples) * Double(plan.gradient.rows) / (Double(plan.gradient.samples) * batch)
    let cheap = Int((10 * cost).rounded(.up))
    return max(1, settings.iterations / 100, min(cheap, settings.iterations / mostBatchedEvaluations))
  }

  /// Evaluations that divergence is found by.
  private static let mostBatchedEvaluations = 10
}

/// The control variate in a snapshot: its iteration, and two arrays after the others.
extension Fit {
  /// Arrays that it has there.
  var referenceArrays: Int { plan.reference == nil ? 0 : 2 }

  func keepReference(in snapshot: inout FitSnapshot) {
    guard plan.reference != nil else { return }
    snapshot.course.referenceIteration = reference?.iteration
    snapshot.numbers += [reference?.variate.points ?? [], reference?.variate.gradients ?? []]
  }

  /// Whether a snapshot's arrays from some place are a control variate of this fit, or none.
  func isReference(_ snapshot: FitSnapshot, from place: Int) -> Bool {
    guard plan.reference != nil else { return snapshot.course.referenceIteration == nil }
    let count = snapshot.course.referenceIteration == nil ? 0 : mixture.means.count
    return snapshot.numbers[place].count == count && snapshot.numbers[place + 1].count == count
      && (0...snapshot.course.iteration).contains(snapshot.course.referenceIteration ?? 0)
  }

  mutating func restoreReference(from snapshot: FitSnapshot, at place: Int) {
    reference = snapshot.course.referenceIteration.map { iteration in
      Reference(
        variate: ControlVariate(
          points: snapshot.numbers[place], gradients: snapshot.numbers[place + 1],
          dimension: mixture.dimension),
        iteration: iteration)
    }
  }
}
