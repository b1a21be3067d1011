import Foundation
import TestKit
import Testing

/// A fit of a small network, and what its test rows have to say.
struct NetworkFit: Sendable, CustomTestStringConvertible {
  let name: String
  let spec: String
  let options: [String]
  /// Accuracy at least, or root mean squared error at most.
  let accuracy: Double?
  let rmse: Double?
  let parameters: Int
  let lastName: String

  var testDescription: String { name }

  static let all = [
    NetworkFit(
      name: "wine, tanh, three classes", spec: Examples.wineNetwork,
      options: setting("inference.iterations=600", "inference.diagnosis.draws=200"), accuracy: 0.93,
      rmse: nil,
      parameters: 71, lastName: "b2[class_2]"),
    NetworkFit(
      name: "breast cancer, two layers of relu, one logit", spec: Examples.wineNetwork,
      options: setting(
        "model.response=benign", "model.hidden=[4, 3]", "model.activation=relu",
        "data.train=\(Examples.data("breast-cancer-train.csv"))",
        "data.test=\(Examples.data("breast-cancer-test.csv"))", "inference.iterations=300",
        "inference.diagnosis.draws=200"), accuracy: 0.93, rmse: nil, parameters: 30 * 4 + 4 + 12 + 3 + 3 + 1,
      lastName: "b3"),
    // Least squares has 0.738.
    NetworkFit(
      name: "diabetes, two layers of tanh, fitted noise", spec: Examples.diabetesDeep,
      options: setting("inference.iterations=600", "inference.diagnosis.draws=200"), accuracy: nil,
      rmse: 0.78,
      parameters: 140, lastName: "log_noise"),
  ]
}

extension Commands {
  @Suite(.serialized) struct NetworkFits {
    @Test(arguments: NetworkFit.all)
    func networksPredictAndHaveTheSameBitsOnAnyWorkers(_ example: NetworkFit) async throws {
      let folder = try TemporaryFolder()
      var digests: Set<String> = []
      for workers in [1, 3] {
        let done = try await fit(
          example.spec, example.options + ["--workers", "\(workers)"], in: folder, output: "out-\(workers)")
        digests.insert(try done.digest())
        let test = try #require(try done.json("summary.json")["test"] as? [String: Any])
        if let accuracy = example.accuracy {
          #expect(try #require(test["accuracy"] as? Double) >= accuracy)
          #expect(test["rmse"] == nil || test["rmse"] is NSNull)
        }
        if let rmse = example.rmse { #expect(try #require(test["rmse"] as? Double) <= rmse) }
        let mixture = try done.json("mixture.json")
        let names = try #require(mixture["names"] as? [String], "\(mixture.keys.sorted())")
        #expect(names.count == example.parameters && names.last == example.lastName)
      }
      #expect(digests.count == 1)
    }

    /// KL divergences at most; a single component leaves 1.73, 0.99 and 0.94.
    @Test(arguments: [(Examples.banana, 0.5), (Examples.funnel10D, 0.8), (Examples.studentMixture, 0.1)])
    func bentAndHeavyTargetsAreFittedFromTheirSpecs(_ spec: String, limit: Double) async throws {
      let folder = try TemporaryFolder()
      var digests: Set<String> = []
      for workers in [1, 2] {
        let done = try await fit(
          spec,
          setting("inference.iterations=1500", "inference.diagnosis.draws=200")
            + ["--workers", "\(workers)"], in: folder, output: "out-\(workers)")
        digests.insert(try done.digest())
        let kl = try #require(try done.json("summary.json")["kl"] as? Double)
        #expect(kl < limit && kl > -0.02)
      }
      #expect(digests.count == 1)
    }
  }
}
