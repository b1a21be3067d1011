import Foundation
import Reporting
import TestKit
import Testing

/// An example of a family of regressions and what NUTS says of its posterior.
struct FamilyCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// Least mean log predictive density on test data; nil without.
  let score: Double?
  /// Coordinates of θ with mean and standard deviation, as `cluster/examples/reference/families_nuts.py` prints them.
  let reference: String

  var testDescription: String { name }
  var spec: String { "\(Examples.folder)/\(name).yaml" }

  static let all: [FamilyCase] = [
    FamilyCase(
      name: "poisson", score: -8.5,
      reference: """
        origin[JFK] -0.35204 0.02239
        origin[LGA] -0.4339 0.02598
        season[spring] 0.49959 0.02917
        season[summer] 0.9094 0.02754
        season[winter] 0.22222 0.03075
        weekday[monday] 0.073274 0.03036
        weekday[saturday] -0.77689 0.04377
        weekday[sunday] -0.22561 0.03175
        weekday[thursday] 0.13972 0.02972
        weekday[tuesday] -0.23508 0.03278
        weekday[wednesday] -0.22842 0.0341
        flights -0.013128 0.01294
        wind 0.060292 0.009051
        rain 0.12321 0.007913
        visibility -0.24942 0.008573
        intercept 3.0301 0.03313
        """),
    FamilyCase(
      name: "negative-binomial", score: -4.0,
      reference: """
        origin[JFK] -0.34882 0.07597
        origin[LGA] -0.48454 0.08915
        season[spring] 0.52448 0.08543
        season[summer] 1.015 0.08473
        season[winter] 0.32972 0.08648
        weekday[monday] 0.011828 0.1101
        weekday[saturday] -0.70678 0.1339
        weekday[sunday] -0.22283 0.1137
        weekday[thursday] 0.18807 0.1095
        weekday[tuesday] -0.3085 0.1106
        weekday[wednesday] -0.27537 0.1102
        flights -0.0012526 0.04884
        wind 0.069972 0.03326
        rain 0.18251 0.03849
        visibility -0.29328 0.039
        intercept 2.9748 0.111
        """),
    FamilyCase(
      name: "student-t", score: nil,
      reference: """
        air_flow 7.2003 1.279
        water_temperature 2.7689 1.154
        acid -0.57843 0.6903
        intercept 17.51 0.695
        """),
    // Without what the ridge of effects, scale and intercept touches.
    FamilyCase(
      name: "groups", score: -4.0,
      reference: """
        origin[JFK] -0.34573 0.07626
        origin[LGA] -0.46407 0.08989
        season[spring] 0.51954 0.08441
        season[summer] 1.0123 0.08448
        season[winter] 0.32866 0.08634
        wind 0.071853 0.03364
        rain 0.1833 0.03844
        visibility -0.29902 0.03888
        """),
    FamilyCase(
      name: "horseshoe", score: -1.15,
      reference: """
        intercept 0.00026195 0.04801
        """),
  ]
}

extension Commands {
  @Suite(.serialized) struct Families {
    @Test(arguments: FamilyCase.all)
    func meansAndDeviationsAreThoseOfNUTS(_ example: FamilyCase) async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(example.spec, in: folder)
      #expect(try done.json("summary.json")["converged"] as? Bool == true)
      let mixture = try FittedMixture.read(done.path)
      let moments = try mixture.moments()
      for line in example.reference.split(separator: "\n") {
        let words = line.split(separator: " ")
        let place = try #require(mixture.names.firstIndex(of: String(words[0])), "\(mixture.names)")
        let (mean, deviation) = (try #require(Double(words[1])), try #require(Double(words[2])))
        let found = moments[place]
        #expect(abs(found.mean - mean) < 0.1 * deviation, "mean \(found.mean), NUTS \(line)")
        #expect(
          abs(found.standardDeviation / deviation - 1) < 0.15, "s.d. \(found.standardDeviation), NUTS \(line)"
        )
      }
      let test = try done.json("summary.json")["test"] as? [String: Any]
      #expect((test == nil) == (example.score == nil))
      if let score = example.score {
        #expect(try #require(test?["log_predictive_density"] as? Double) > score)
        #expect(test?["rmse"] is Double && test?["accuracy"] == nil)
      }
    }

    @Test func levelsThatAreNewInTestDataHaveNoEffectAsGroupsAndAreRefusedAsFeatures() async throws {
      let folder = try TemporaryFolder()
      try folder.write("g,k,y\na,p,1\nb,q,3\na,q,2\nb,p,0\n", to: "train.csv")
      try folder.write("g,k,y\nc,p,1\na,q,2\n", to: "group.csv")
      try folder.write("g,k,y\na,p,1\na,r,2\n", to: "feature.csv")
      let spec = try folder.write(
        """
        model: {family: poisson, response: y, groups: [g], prior: {normal: {scale: 1}}}
        data: {train: train.csv, test: group.csv}
        mixture: {components: 1}
        inference: {iterations: 60}
        """, to: "fit.yaml")
      let done = try await fit(spec, in: folder)
      let test = try #require(try done.json("summary.json")["test"] as? [String: Any])
      #expect(test["rows"] as? Int == 2 && test["rmse"] is Double)
      #expect(
        try FittedMixture.read(done.path).names
          == ["intercept", "k[q]", "z_g[a]", "z_g[b]", "log_scale_g"])
      let refused = try await CommandRun.run(
        ["fit", spec, "--output", folder("other"), "--progress", "none"] + setting("data.test=feature.csv"),
        in: folder)
      #expect(refused.exitCode == 65)
      #expect(
        refused.errors.contains(
          "feature.csv:3: column 2 'k' holds the level 'r', which the training data don't have"), "\(refused)"
      )
    }

    @Test func responsesThatAreNoCountsAreRefusedByLine() async throws {
      let folder = try TemporaryFolder()
      try folder.write("a,y\n1,2\n2,2.5\n", to: "train.csv")
      let spec = try folder.write(
        """
        model: {family: poisson, response: y}
        data: {train: train.csv}
        mixture: {components: 1}
        """, to: "fit.yaml")
      let refused = try await CommandRun.run(
        ["fit", spec, "--output", folder("out"), "--progress", "none"], in: folder)
      #expect(refused.exitCode == 65)
      #expect(
        refused.errors.contains(
          "train.csv:3: column 2 'y' holds '2.5', but a count is a whole number from 0"),
        "\(refused)")
    }

    @Test func startsFromThePriorWorkUnderEveryLaw() async throws {
      let folder = try TemporaryFolder()
      for name in ["groups", "horseshoe", "student-t"] {
        let done = try await fit(
          "\(Examples.folder)/\(name).yaml", setting("mixture.initial=prior", "inference.iterations=200"),
          in: folder, output: name)
        #expect(try #require(try done.json("summary.json")["elbo"] as? Double).isFinite)
      }
    }
  }
}
