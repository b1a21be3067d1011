import Foundation
import Inference

extension FitDiagnosis {
  /// The diagnosis as lines for a reader.
  public var text: String {
    var lines = [
      "\(family) (dimension \(dimension)), \(components) component(s)"
        + (factorization == .full ? ", metric \(metric.rawValue)" : " of each coordinate")
        + ", after \(iterations) iterations; judged by \(judgement.draws) draws"
    ]
    let error = judgement.objective.standardError
    lines.append(
      String(format: "ELBO        %.4f ± %.4f nats (standard error)", judgement.objective.elbo, error))
    if let kl { lines.append(String(format: "KL          %.4f ± %.4f nats", kl, error)) }
    if let weighted = judgement.importanceWeightedElbo {
      lines.append(String(format: "weighted    %.4f nats (importance-weighted ELBO)", weighted))
    }
    lines.append("k̂           " + tail)
    if let size = judgement.effectiveSampleSize, let share = effectiveShare {
      lines.append(
        String(
          format: "weights     effective sample size %.0f of %d draws (%.1f %%)", size, judgement.draws,
          100 * share))
    }
    if factorization == .full, let least = judgement.usage.min(), let largest = judgement.usage.max() {
      lines.append(
        String(
          format:
            "components  %d of %d carry less than a tenth of an equal share (%.4g); shares from %.4g to %.4g",
          judgement.idleComponents, components, 1 / Double(components), least, largest))
    }
    return (lines + course + [verdict]).joined(separator: "\n")
  }

  private var tail: String {
    let threshold = String(format: "threshold %.2f for so many draws", judgement.khatThreshold)
    guard let khat = judgement.khat else {
      return "not defined (\(threshold))"
    }
    return String(format: "%.3f, %@ the ", khat, khat < judgement.khatThreshold ? "below" : "above")
      + threshold
  }

  /// What the fit recorded about its course.
  private var course: [String] {
    guard let recorded else { return ["course      not recorded: the folder has no summary.json"] }
    var lines: [String] = []
    if let iterates = recorded.iterates {
      lines.append(
        String(
          format:
            "iterates    R̂ %.3f, Monte Carlo standard error %.3g, effective sample size %.0f, over the last %d",
          iterates.rhat, iterates.standardError, iterates.effectiveSampleSize, iterates.iterations))
    }
    if let stoppedBy = recorded.stoppedBy {
      lines.append("course      " + FitDiagnosis.ending(stoppedBy, converged: recorded.converged))
    }
    return lines
  }

  /// Whether a fit has converged and why it ended, in a sentence.
  public static func ending(_ stoppedBy: String, converged: Bool?) -> String {
    switch converged {
    case true: stoppedBy
    case false: "not converged: \(stoppedBy)"
    case nil: "ended by \(stoppedBy); convergence was not tested (inference.stop: iterations)"
    }
  }
}
