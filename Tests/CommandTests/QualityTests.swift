import Foundation
import TestKit
import Testing

/// A published set-up and what an independent implementation reaches with it
/// (`cluster/examples/reference/README.md`).
struct QualityCase: Sendable, CustomTestStringConvertible {
  let name: String
  let spec: String
  let options: [String]
  /// −ELBO, or KL where the target's normaliser is known, in nats.
  let expected: Double
  let tolerance: Double

  var testDescription: String { name }

  static let all: [QualityCase] = [
    QualityCase(
      name: "breast cancer, N = 5, ibw", spec: Examples.breastCancer, options: [], expected: 52.958,
      tolerance: 0.06),
    QualityCase(
      name: "breast cancer, N = 5, md", spec: Examples.breastCancer,
      options: setting("inference.algorithm=md"), expected: 52.958, tolerance: 0.06),
    QualityCase(
      name: "breast cancer, N = 20, ibw", spec: Examples.breastCancer,
      options: setting("mixture.components=20"), expected: 51.737, tolerance: 0.06),
    QualityCase(
      name: "wine, N = 5, ibw", spec: Examples.wine, options: [], expected: 31.838, tolerance: 0.06),
    QualityCase(
      name: "wine, N = 20, ibw", spec: Examples.wine, options: setting("mixture.components=20"),
      expected: 31.071, tolerance: 0.06),
    QualityCase(
      name: "sinh-arcsinh, N = 10, ibw", spec: Examples.sinhArcsinh, options: [], expected: 0.0008,
      tolerance: 0.0003),
    QualityCase(
      name: "funnel, N = 20, ibw", spec: Examples.funnel, options: [], expected: 0.022, tolerance: 0.002),
  ]
}

extension Commands {
  @Suite(.serialized) struct Quality {
    /// Evaluated once at each end, with a million draws.
    private static let precisely = setting(
      "inference.objective.draws=1000000", "inference.objective.every=100000")

    @Test(arguments: QualityCase.all)
    func fitReachesWhatTheReferenceReaches(_ example: QualityCase) async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(example.spec, example.options + Quality.precisely, in: folder)
      let summary = try done.json("summary.json")
      let elbo = try #require(summary["elbo"] as? Double)
      let reached = summary["kl"] as? Double ?? -elbo
      #expect(abs(reached - example.expected) < example.tolerance, "\(reached) is not \(example.expected)")
      if let accuracy = (summary["test"] as? [String: Any])?["accuracy"] as? Double {
        #expect(accuracy > (example.spec == Examples.wine ? 0.9 : 0.94))
      }
    }

    @Test func knownMixtureIsFound() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(Examples.mixture2D, Quality.precisely, in: folder)
      let kl = try #require(try done.json("summary.json")["kl"] as? Double)
      #expect(kl > 0 && kl < 0.03)
    }
  }
}
