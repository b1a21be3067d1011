import Foundation
import TestKit
import Testing

/// A fit in which nothing is given but model, data and the number of components, and what it must reach.
struct AutomaticCase: Sendable, CustomTestStringConvertible {
  let name: String
  let model: String
  let components: Int
  /// −ELBO, or KL where the target's normaliser is known, in nats: the mean over the seeds is at most this.
  let limit: Double
  /// No −ELBO is below this: minus the log evidence.
  let floor: Double
  var seeds = 1...1

  var testDescription: String { name }

  static let all: [AutomaticCase] = [
    AutomaticCase(
      name: "breast cancer, N = 5", model: cancer, components: 5, limit: 29.0, floor: 26.16),
    AutomaticCase(
      name: "breast cancer, N = 20", model: cancer, components: 20, limit: 28.8, floor: 26.16),
    AutomaticCase(name: "wine, N = 20", model: wine, components: 20, limit: 20.8, floor: 18.21),
    AutomaticCase(
      name: "funnel", model: "model: {family: funnel}", components: 20, limit: 0.03, floor: 0, seeds: 1...5),
    AutomaticCase(name: "2-D mixture", model: mixture2D, components: 20, limit: 0.08, floor: 0, seeds: 1...5),
    AutomaticCase(
      name: "20-d mixture",
      model: "model: {family: gaussian_mixture, file: \(examples)/data/mixture-20d.json}",
      components: 20, limit: 1.5, floor: 0, seeds: 1...5),
  ]

  private static let examples = (Examples.breastCancer as NSString).deletingLastPathComponent
  private static let cancer = """
    model: {family: logistic, response: benign, intercept: false, prior: {normal: {scale: 10}}}
    data: {train: \(examples)/data/breast-cancer-train.csv}
    """
  private static let wine = """
    model: {family: softmax, response: cultivar, intercept: false, prior: {normal: {scale: 3.1622776601683795}}}
    data: {train: \(examples)/data/wine-train.csv}
    """
  private static let mixture2D = """
    model:
      family: gaussian_mixture
      means: [[-1.024, -7.585], [0.795, -1.035], [-1.274, -2.715], [-4.726, 1.908], [-3.206, -3.731]]
      covariances: [[3.106, 2.646], [0.673, 2.568], [0.922, 3.927], [4.27, 2.471], [4.233, 0.398]]
    """

  func write(to folder: TemporaryFolder) throws -> String {
    try folder.write("\(model)\nmixture: {components: \(components)}\n", to: "automatic.yaml")
  }
}

extension Commands {
  @Suite(.serialized) struct AutomaticFits {
    @Test(arguments: AutomaticCase.all)
    func reachesItsTargetWithoutANumber(_ example: AutomaticCase) async throws {
      let folder = try TemporaryFolder()
      let spec = try example.write(to: folder)
      var losses: [Double] = []
      for seed in example.seeds {
        let done = try await fit(spec, ["--seed", "\(seed)"], in: folder, output: "out-\(seed)")
        let summary = try done.json("summary.json")
        let elbo = try #require(summary["elbo"] as? Double)
        let error = try #require(summary["elbo_se"] as? Double)
        losses.append(summary["kl"] as? Double ?? -elbo)
        #expect(losses[losses.count - 1] > example.floor - 5 * error)
        #expect(summary["converged"] as? Bool == true, "\(summary["stopped_by"] ?? "")")
        #expect((summary["warnings"] as? [String])?.isEmpty == true, "\(summary["warnings"] ?? "")")
        #expect(summary["khat"] is Double && summary["verdict"] is String)
      }
      let mean = losses.reduce(0, +) / Double(losses.count)
      #expect(mean <= example.limit, "\(losses)")
    }

    @Test func weightsOfUnbalancedModesAreFoundFromEveryStart() async throws {
      let folder = try TemporaryFolder()
      let spec = try SameBitsCase.fourModes(in: folder)
      let modes = [[4.0, 4], [-4, -4], [4, -4], [-4, 4]]
      for seed in 1...5 {
        let done = try await fit(spec, ["--seed", "\(seed)"], in: folder, output: "out-\(seed)")
        let means = try #require(try done.json("mixture.json")["means"] as? [[Double]])
        var weights = [0.0, 0, 0, 0]
        for mean in means {
          let distances = modes.map { pow($0[0] - mean[0], 2) + pow($0[1] - mean[1], 2) }
          let nearest = try #require(distances.indices.min { distances[$0] < distances[$1] })
          weights[nearest] += 1 / Double(means.count)
        }
        for (weight, expected) in zip(weights, [0.05, 0.05, 0.45, 0.45]) {
          #expect(abs(weight - expected) <= 0.02, "seed \(seed): \(weights)")
        }
        // The target is inside the family.
        let summary = try done.json("summary.json")
        #expect(abs(try #require(summary["kl"] as? Double)) < 0.01)
        #expect(try #require(summary["khat"] as? Double) < 0.5)
      }
    }

    /// One observation of a Gaussian whose mean and scale are unknown: log evidence −3.4613 (one-observation.yaml).
    @Test func oneObservationIsFittedOrFlagged() async throws {
      let folder = try TemporaryFolder()
      for seed in 1...5 {
        let done = try await fit(
          Examples.breastCancer.replacingOccurrences(of: "breast-cancer", with: "one-observation"),
          ["--seed", "\(seed)"], in: folder, output: "out-\(seed)")
        let summary = try done.json("summary.json")
        let elbo = try #require(summary["elbo"] as? Double)
        let khat = try #require(summary["khat"] as? Double)
        #expect(elbo < -3.4613 + 0.05)
        #expect(elbo > -3.4613 - 0.1 || khat > 0.7, "ELBO \(elbo) with k̂ = \(khat)")
      }
    }

    @Test(arguments: ["1e-6", "1e-3", "1", "1e3"])
    func everyGivenStepEndsInAFitOrAnError(step: String) async throws {
      let folder = try TemporaryFolder()
      for spec in [Examples.breastCancer, Examples.mixture2D, Examples.funnel] {
        for metric in ["unit", "dense"] {
          let run = try await CommandRun.run(
            ["fit", spec, "--output", folder("out"), "--workers", "1", "--progress", "none"]
              + setting(
                "inference.step_size=\(step)", "inference.metric=\(metric)", "inference.iterations=600"),
            in: folder)
          guard run.exitCode == 0 else {
            #expect(run.exitCode == 65 && run.errors.contains("diverged"), "\(run)")
            continue
          }
          let done = FitFolder(path: folder("out"))
          let summary = try done.json("summary.json")
          #expect((summary["elbo"] as? Double)?.isFinite == true, "\(summary)")
          let means = try #require(try done.json("mixture.json")["means"] as? [[Double]])
          #expect(means.allSatisfy { $0.allSatisfy(\.isFinite) })
        }
      }
    }

    @Test func badFitsAreFlagged() async throws {
      let folder = try TemporaryFolder()
      let one = setting(
        "mixture.components=1", "inference.step_size=auto", "inference.metric=unit",
        "inference.diagnosis.draws=20000")
      // One isotropic component for the funnel, and for a skewed target with heavy tails.
      for (spec, more) in [(Examples.funnel, []), (Examples.sinhArcsinh, setting("model.tail=[1.2, 1.2]"))] {
        let summary = try await fit(spec, one + more, in: folder, output: "poor").json("summary.json")
        #expect(try #require(summary["kl"] as? Double) > 0.1)
        #expect(try #require(summary["khat"] as? Double) > 0.7, "\(summary)")
        #expect((summary["verdict"] as? String)?.contains("can't be trusted") == true)
      }
      // With light tails the component covers the target: weights are bounded, and say how far apart the two are.
      let light = try await fit(Examples.sinhArcsinh, one, in: folder, output: "light").json("summary.json")
      let (kl, elbo) = (try #require(light["kl"] as? Double), try #require(light["elbo"] as? Double))
      let weighted = try #require(light["importance_weighted_elbo"] as? Double)
      #expect(kl > 0.1 && abs(weighted - elbo - kl) < 0.02, "\(light)")
    }
  }
}
