import Foundation
import TestKit
import Testing

/// Two made-up mixtures and what POT makes of them (`comparison` in cluster/examples/reference/diagnostics.py).
struct ComparedPair: Sendable, CustomTestStringConvertible {
  let first: String
  let second: String
  let distance: Double
  let firstDeviations: [Double]
  let secondDeviations: [Double]

  var testDescription: String { "\(first) against \(second)" }

  static let factors = [
    "dense": "[[1,0.5],[0.25,2]]", "other": "[[2,0],[-1,0.5]]", "diagonal": "[[0.5,3]]", "unit": "[]",
  ]
  static let firstNumbers = #""components":2,"means":[[0,1],[3,-2]],"variances":[0.5,1.5]"#
  static let secondNumbers = #""components":3,"means":[[1,1],[2,-3],[-4,0.5]],"variances":[1,0.25,2]"#

  /// A `mixture.json`.
  static func file(_ numbers: String, factor: String, names: String = #"["x[1]","x[2]"]"#) -> String {
    let metric = factor == "other" ? "dense" : factor
    return
      #"{"dimension":2,"factorization":"full","family":"gaussian","format_version":3,"specification":"","iteration":1,"metric":"\#(metric)","#
      + #""metric_factor":\#(factors[factor] ?? "[]"),"names":\#(names),\#(numbers)}"#
  }

  static let all = [
    ComparedPair(
      first: "dense", second: "other", distance: 3.782796033127981,
      firstDeviations: [1.8708286933869707, 2.5124689052802225],
      secondDeviations: [3.34995854037363, 2.1262251370288454]),
    ComparedPair(
      first: "diagonal", second: "unit", distance: 3.7171634421112896,
      firstDeviations: [1.5811388300841898, 3.3541019662496847],
      secondDeviations: [2.823512391016236, 2.0615528128088303]),
    ComparedPair(
      first: "diagonal", second: "other", distance: 4.079434063484053,
      firstDeviations: [1.5811388300841898, 3.3541019662496847],
      secondDeviations: [3.34995854037363, 2.1262251370288454]),
    ComparedPair(
      first: "unit", second: "unit", distance: 3.024169690568556,
      firstDeviations: [1.8027756377319946, 1.8027756377319946],
      secondDeviations: [2.823512391016236, 2.0615528128088303]),
  ]
}

extension Commands {
  @Suite(.serialized) struct Compare {
    private func json(_ a: String, _ b: String, in folder: TemporaryFolder) async throws -> [String: Any] {
      let run = try await CommandRun.run(["compare", a, b, "--json"], in: folder)
      try #require(run.exitCode == 0 && run.errors.isEmpty, "\(run)")
      return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }

    /// `Σ = F Fᵀ = [[1, 1], [1, 2]]` with `tr Σ^½ = √5` against the identity: `W₂² = 3 + 2 − 2√5`, and the means' distance.
    @Test func fullCovariancesAreComparedAsTheyAre() async throws {
      let folder = try TemporaryFolder()
      let full = try folder.write(
        ComparedPair.file(
          #""components":1,"means":[[0,1]],"variances":[1.5],"covariance_factors":[[[1,0],[1,1]]]"#,
          factor: "unit"), to: "full.json")
      let unit = try folder.write(
        ComparedPair.file(#""components":1,"means":[[3,-3]],"variances":[1]"#, factor: "unit"),
        to: "unit.json")
      for (a, b) in [(full, unit), (unit, full)] {
        let result = try await json(a, b, in: folder)
        let distance = try #require(result["mixture_distance"] as? Double)
        #expect(abs(distance * distance - (25 + 5 - 2 * 5.0.squareRoot())) < 1e-9)
        let parameters = try #require(result["parameters"] as? [[String: Any]])
        let deviations = parameters.map { $0[a == full ? "sd_a" : "sd_b"] as? Double ?? .nan }
        #expect(abs(deviations[0] - 1) < 1e-12 && abs(deviations[1] - 2.0.squareRoot()) < 1e-12)
      }
      #expect(try await json(full, full, in: folder)["mixture_distance"] as? Double == 0)
    }

    @Test(arguments: ComparedPair.all)
    func distanceAndMomentsAreThoseOfAnotherProgram(_ pair: ComparedPair) async throws {
      let folder = try TemporaryFolder()
      let a = try folder.write(
        ComparedPair.file(ComparedPair.firstNumbers, factor: pair.first), to: "a.json")
      let b = try folder.write(
        ComparedPair.file(ComparedPair.secondNumbers, factor: pair.second), to: "b.json")
      for (first, second) in [(a, b), (b, a)] {
        let result = try await json(first, second, in: folder)
        let distance = try #require(result["mixture_distance"] as? Double)
        #expect(abs(distance / pair.distance - 1) < 1e-12)
        #expect(result["elbo"] is NSNull && result["elbo_note"] is String)
      }
      let parameters = try #require(try await json(a, b, in: folder)["parameters"] as? [[String: Any]])
      for (k, parameter) in parameters.enumerated() {
        let expected = [
          "mean_a": [1.5, -0.5][k], "mean_b": [-1.0 / 3, -0.5][k], "sd_a": pair.firstDeviations[k],
          "sd_b": pair.secondDeviations[k],
        ]
        for (key, value) in expected {
          #expect(abs((parameter[key] as? Double ?? .nan) - value) < 1e-13, "\(key) of \(k)")
        }
        let (sdA, sdB) = (pair.firstDeviations[k], pair.secondDeviations[k])
        let difference = [-1.0 / 3 - 1.5, 0][k] / ((sdA * sdA + sdB * sdB) / 2).squareRoot()
        #expect(abs((parameter["standardized_difference"] as? Double ?? .nan) - difference) < 1e-13)
        #expect(abs((parameter["sd_ratio"] as? Double ?? .nan) - sdB / sdA) < 1e-13)
      }
    }

    @Test func aFitIsAtDistanceZeroFromItself() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=30", "inference.diagnosis.draws=0")
      for (spec, metric) in [(Examples.wine, "unit"), (Examples.wine, "dense")] {
        let done = try await fit(
          spec, options + setting("inference.metric=\(metric)"), in: folder, output: metric)
        let result = try await json(done.path, done.path, in: folder)
        #expect(result["mixture_distance"] as? Double == 0)
        let parameters = try #require(result["parameters"] as? [[String: Any]])
        #expect(parameters.allSatisfy { $0["standardized_difference"] as? Double == 0 })
        #expect(parameters.allSatisfy { $0["sd_ratio"] as? Double == 1 })
        let elbo = try #require(result["elbo"] as? [String: Double])
        #expect(elbo["difference"] == 0 && (elbo["difference_se"] ?? 0) > 0)
        let text = try await CommandRun.run(["compare", done.path, done.path], in: folder)
        #expect(text.exitCode == 0 && text.output.contains("MW₂   0 "), "\(text)")
        // 10 of 42, and their heading.
        #expect(
          text.output.contains("the 10 parameters that differ most:") && text.lines.count == 16, "\(text)")
      }
    }

    @Test func elbosAreComparedForTheSameModelAndDataOnly() async throws {
      let folder = try TemporaryFolder()
      let short = setting("inference.iterations=100", "inference.diagnosis.draws=0")
      let five = try await fit(Examples.wine, short, in: folder, output: "five")
      let eight = try await fit(
        Examples.wine, short + setting("mixture.components=8", "inference.seed=2"), in: folder,
        output: "eight")
      let prior = try await fit(
        Examples.wine, short + setting("model.prior.normal.scale=3"), in: folder, output: "prior")
      let raw = try await fit(
        Examples.wine, short + setting("data.standardize=false", "inference.step_size=1e-6"), in: folder,
        output: "raw")
      let same = try await json(five.path, eight.path, in: folder)
      let elbo = try #require(same["elbo"] as? [String: Double])
      #expect(same["elbo_note"] is NSNull)
      for (key, done) in [("a", five), ("b", eight)] {
        let summary = try done.json("summary.json")
        #expect(elbo[key] == summary["elbo"] as? Double)
        #expect(elbo["\(key)_se"] == summary["elbo_se"] as? Double)
      }
      // The dictionary's numbers may lose their last bits.
      #expect(abs((elbo["difference"] ?? .nan) - (elbo["b"] ?? 0) + (elbo["a"] ?? 0)) < 1e-9)
      let errors = (elbo["a_se"] ?? 0, elbo["b_se"] ?? 0)
      #expect(abs((elbo["difference_se"] ?? .nan) - hypot(errors.0, errors.1)) < 1e-9)
      for (other, words) in [(prior, "the models differ"), (raw, "the data differ")] {
        let result = try await json(five.path, other.path, in: folder)
        #expect(result["elbo"] is NSNull && result["elbo_note"] as? String == words)
        let text = try await CommandRun.run(["compare", five.path, other.path], in: folder)
        #expect(text.exitCode == 0 && text.output.contains("ELBO  not comparable: \(words)"), "\(text)")
      }
    }

    @Test func whatCantBeComparedIsNamed() async throws {
      let folder = try TemporaryFolder()
      let a = try folder.write(ComparedPair.file(ComparedPair.firstNumbers, factor: "dense"), to: "a.json")
      let named = try folder.write(
        ComparedPair.file(ComparedPair.firstNumbers, factor: "dense", names: #"["x[1]","y"]"#), to: "b.json")
      let torn = try folder.write("{", to: "torn.json")
      let narrow = try folder.write(
        #"{"components":1,"dimension":1,"factorization":"full","family":"gaussian","format_version":3,"specification":"","iteration":1,"metric":"unit","#
          + #""metric_factor":[],"names":["x[1]"],"means":[[0]],"variances":[1]}"#, to: "narrow.json")
      for (other, code, words) in [
        (named, 65, "parameter 2 is "), (narrow, 65, "narrow.json has 1"), (torn, 65, "torn.json"),
        (folder("nothing"), 66, "nothing"), (folder.path, 66, "mixture.json"),
      ] {
        for arguments in [[a, other], [other, a]] {
          let run = try await CommandRun.run(["compare"] + arguments, in: folder)
          #expect(run.exitCode == code && run.output.isEmpty, "\(run)")
          #expect(run.errors.contains(words), "\(run)")
          Commands.expectPlainWords(run.errors)
        }
      }
    }
  }
}
