import Foundation
import Mixtures
import NumericsKit

/// Stages after the warm-up: each averages its iterates, and the next one takes half the step, until that gains nothing
/// any more.
extension Fit {
  /// Gains below this many nats are not worth a stage.
  static let smallestGain = 0.01
  /// Stages at most: the last one's step is a thousandth of the first one's.
  static let mostStages = 11

  /// Takes `log q + V` at the common draws of a stage's average.
  mutating func compare(_ average: IsotropicMixture, _ integrands: [Double]) {
    stagesDone += 1
    let candidate = Average(
      mixture: average, integrands: integrands, summary: stage.statistics(of: average))
    stage = newStage
    let isOver = iteration >= settings.iterations || stagesDone >= Fit.mostStages
    let gain = best.map { self.gain(of: candidate, over: $0) }
    if gain.map({ $0.mean > 0 }) ?? true, areUsable(integrands) { best = candidate }
    let hasSettled = gain.map { $0.mean <= max(Fit.smallestGain, 2 * $0.standardError) } ?? false
    guard isOver || hasSettled else {
      if settings.hasAutomaticSteps { control.beginStage() } else { stepFactor /= 2 }
      previousGradient = []
      return advance()
    }
    if let best {
      mixture = best.mixture
      iterates = best.summary
    }
    if let gain, hasSettled {
      let text = String(format: "%.3f ± %.3f", gain.mean, gain.standardError)
      end(
        "converged: with half the step the ELBO of the averaged iterates changed by \(text) nats",
        converged: true)
    } else if iteration >= settings.iterations {
      end(Fit.limitReached(settings.iterations), converged: false)
    } else {
      end("the steps have become as small as they get, and the ELBO still gains", converged: false)
    }
  }

  static func limitReached(_ iterations: Int) -> String {
    "the \(iterations) iterations asked for were taken before the averages settled"
  }

  /// At the last iteration: with the average of the stage under way, or the best one so far, or as it stands.
  mutating func endAtLimit() {
    guard settings.stop == .converged else {
      return end("the number of iterations asked for", converged: nil)
    }
    if let average = stage.average(like: mixture) { return begin(.comparing(average)) }
    if let best {
      mixture = best.mixture
      iterates = best.summary
    }
    end(Fit.limitReached(settings.iterations), converged: false)
  }

  /// By how much the ELBO of one average is above another's, at the same draws, and the standard error of that.
  private func gain(of new: Average, over old: Average) -> (mean: Double, standardError: Double) {
    // Where either has no density there is nothing to compare.
    let differences = zip(new.integrands, old.integrands).map {
      mayReject && max($0, $1) == .infinity ? .infinity : $0 - $1
    }
    let estimate = estimate(differences)
    guard estimate.elbo.isFinite else { return (0, 0) }
    return (estimate.elbo, estimate.standardError)
  }
}
