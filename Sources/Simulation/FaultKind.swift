/// What can go wrong in a simulated run. Each run draws which of them it has.
public enum FaultKind: String, Sendable, CaseIterable, Codable {
  /// Single messages vanish.
  case loss
  /// Messages arrive twice.
  case duplication
  /// Messages take up to seconds.
  case delay
  /// Messages overtake each other.
  case reordering
  /// A worker is cut off, both ways, for a while.
  case partition
  /// A worker is cut off one way.
  case onewayPartition = "oneway"
  /// A connection breaks, with what is on its way, and is made anew.
  case cut
  /// What was sent over an earlier connection, or to an earlier coordinator, arrives over the present one.
  case stale
  /// A worker's process dies and another is started.
  case crash
  /// A worker's process dies and comes back under the same name, counting its incarnations from 1.
  case sameIdentity = "same-identity"
  /// A worker's process is stopped and goes on.
  case stop
  /// Some workers are many times slower than others.
  case slow
  /// Workers leave in good order, and others join.
  case churn
  /// The coordinator dies and another goes on from the last checkpoint.
  case coordinatorCrash = "coordinator-crash"
}

/// What one run has: which faults, how often, and for how long.
struct FaultPlan: Sendable {
  let kinds: [FaultKind]
  /// Probability that a message is lost, and that it comes twice.
  let lossRate: Double
  let duplicationRate: Double
  /// Longest delay of a message, in seconds.
  let longestDelay_s: Double
  /// Seconds from one fault to the next, on average.
  let interval_s: Double
  /// When faults end, in seconds.
  let healsAt_s: Double

  /// Draws a plan.
  ///
  /// - Parameter allowed: faults to draw from.
  init(allowed: [FaultKind], using generator: inout SimulationGenerator) {
    // Every fourth run has all of them; the others a random half.
    let hasAll = generator.below(4) == 0
    kinds = allowed.filter { _ in
      let isDrawn = generator.below(2) == 0
      return hasAll || isDrawn
    }
    lossRate = [0.001, 0.01, 0.05][generator.below(3)]
    duplicationRate = [0.001, 0.02, 0.1][generator.below(3)]
    longestDelay_s = [0.01, 0.2, 2, 6][generator.below(4)]
    interval_s = [0.3, 1, 4][generator.below(3)]
    healsAt_s = generator.uniform(5, 60)
  }

  func has(_ kind: FaultKind) -> Bool { kinds.contains(kind) }
}
