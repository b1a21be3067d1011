import Foundation
import Reporting
import TestKit
import Testing

extension Commands {
  @Suite(.serialized) struct Diagnose {
    private static let keys: Set<String> = [
      "family", "dimension", "components", "factorization", "metric", "iterations", "draws", "seed", "elbo",
      "elbo_se", "kl", "khat",
      "khat_threshold", "reliable", "importance_weighted_elbo", "effective_sample_size", "effective_share",
      "idle_components", "least_usage", "largest_usage", "usage", "converged", "stopped_by", "iterates",
      "verdict",
    ]

    private func json(_ path: String, _ options: [String] = [], in folder: TemporaryFolder) async throws
      -> [String: Any]
    {
      let run = try await CommandRun.run(["diagnose", path, "--json"] + options, in: folder)
      try #require(run.exitCode == 0, "\(run)")
      return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }

    private func number(_ values: [String: Any], _ key: String) throws -> Double {
      try #require(values[key] as? Double, "\(key) of \(values)")
    }

    @Test(arguments: [
      (Examples.mixture2D, setting("inference.iterations=300")),
      (Examples.wine, setting("inference.iterations=500")),
      (
        Examples.wine,
        setting("inference.step_size=auto", "inference.metric=dense", "inference.iterations=700")
      ),
      (
        Examples.breastCancer,
        setting("inference.step_size=auto", "inference.metric=diagonal", "inference.iterations=700")
      ),
      (
        Examples.mixture2D,
        setting("inference.algorithm=bw", "mixture.components=5", "inference.iterations=300")
      ),
    ])
    func elboIsTheFitsWithinItsError(_ spec: String, _ options: [String]) async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(spec, options, in: folder)
      let summary = try done.json("summary.json")
      let result = try await json(done.path, in: folder)
      #expect(Set(result.keys) == Diagnose.keys)
      let error = try hypot(number(result, "elbo_se"), number(summary, "elbo_se"))
      #expect(abs(try number(result, "elbo") - number(summary, "elbo")) < 5 * error, "\(result)")
      if let kl = summary["kl"] as? Double {
        #expect(abs(try number(result, "kl") - kl) < 5 * error)
      } else {
        #expect(result["kl"] is NSNull)
      }
      #expect(result["stopped_by"] as? String == summary["stopped_by"] as? String)
      #expect(result["converged"] as? Bool == summary["converged"] as? Bool)
      #expect(result["iterates"] as? NSDictionary == summary["iterates"] as? NSDictionary)
      #expect(result["metric"] as? String == (try done.json("mixture.json")["metric"] as? String))
      let usage = try #require(result["usage"] as? [Double])
      #expect(usage.count == result["components"] as? Int && abs(usage.reduce(0, +) - 1) < 1e-9)
      #expect(result["least_usage"] as? Double == usage.min())
      #expect(result["idle_components"] as? Int == usage.filter { $0 < 0.1 / Double(usage.count) }.count)
      let share = try number(result, "effective_sample_size") / Double(try #require(result["draws"] as? Int))
      #expect(abs(try number(result, "effective_share") - share) < 1e-12)
    }

    @Test func drawsAreFreshAndDecidedByTheirSeed() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(
        Examples.wine, setting("inference.iterations=50", "inference.diagnosis.draws=0") + ["--seed", "7"],
        in: folder)
      let threaded = try await CommandRun.run(
        ["diagnose", done.path, "--json", "--threads", "3"], in: folder)
      let single = try await CommandRun.run(["diagnose", done.path, "--json", "--threads", "1"], in: folder)
      #expect(threaded.output == single.output && single.exitCode == 0)
      let elbo = try number(try await json(done.path, in: folder), "elbo")
      #expect(try number(try await json(done.path, ["--seed", "2"], in: folder), "elbo") != elbo)
      // With the fit's own seed and number of draws the draws are still others.
      let same = try await json(done.path, ["--seed", "7", "--draws", "1000"], in: folder)
      #expect(same["draws"] as? Int == 1000)
      #expect(try number(same, "elbo") != number(done.json("summary.json"), "elbo"))
    }

    @Test func aBadFitIsFlagged() async throws {
      let folder = try TemporaryFolder()
      for (index, spec) in [Examples.mixture2D, Examples.wine].enumerated() {
        let done = try await fit(
          spec, setting("inference.iterations=300"), in: folder, output: "out-\(index)")
        var bad = try FittedMixture.read(done.path)
        for i in bad.variances.indices { bad.variances[i] /= 100 }
        try folder.write(
          try JSONStyle.encoder(pretty: false).encode(bad), to: "out-\(index)/mixture.json")
        let result = try await json(done.path, in: folder)
        #expect(result["reliable"] as? Bool == false)
        #expect(result["khat_threshold"] as? Double == 0.7)
        if index == 0 { #expect(try number(result, "khat") > 0.7) }
        #expect((result["verdict"] as? String)?.contains("k̂") == true)
        let required = try await CommandRun.run(["diagnose", done.path, "--require-reliable"], in: folder)
        #expect(required.exitCode == 1, "\(required)")
        #expect(required.output.contains("can't be"), "\(required)")
        #expect(try await CommandRun.run(["diagnose", done.path], in: folder).exitCode == 0)
      }
    }

    @Test func aPerfectFitIsReliable() async throws {
      let folder = try TemporaryFolder()
      let spec = try folder.write(
        "model: {family: gaussian, mean: [1, 2], covariance: 4}\nmixture: {components: 1}\n", to: "g.yaml")
      let done = try await fit(spec, in: folder)
      let run = try await CommandRun.run(["diagnose", done.path, "--require-reliable"], in: folder)
      #expect(run.exitCode == 0 && run.output.contains("the fit is close to the target"), "\(run)")
      #expect(abs(try number(try await json(done.path, in: folder), "kl")) < 0.01)
    }

    @Test func anInterruptedFitCanBeJudged() async throws {
      let folder = try TemporaryFolder()
      let run = try CommandRun(
        ["fit", Examples.mixture2D, "--output", folder("out"), "--workers", "1"] + endless, in: folder)
      try await run.waitForSteps(output: folder("out"))
      run.signal(SIGINT)
      #expect(try await run.finish().exitCode == 75)
      let result = try await json(folder("out"), in: folder)
      #expect(result["converged"] is NSNull && (result["iterations"] as? Int ?? 0) > 0)
      let text = try await CommandRun.run(["diagnose", folder("out")], in: folder)
      #expect(text.exitCode == 0 && text.output.contains("interrupted by SIGINT"), "\(text)")
    }

    @Test func changedDataAreNamed() async throws {
      let folder = try TemporaryFolder()
      let data = "a,b,y\n1,2,0\n2,1,1\n3,5,0\n4,3,1\n"
      try folder.write(data, to: "train.csv")
      try folder.write(data, to: "test.csv")
      let spec = try folder.write(
        "model: {family: logistic, response: y}\ndata: {train: train.csv, test: test.csv}\n"
          + "mixture: {components: 2}\ninference: {step_size: 0.03, iterations: 5}\n", to: "spec.yaml")
      let done = try await fit(spec, in: folder)
      // Test data have no part in it.
      try FileManager.default.removeItem(atPath: folder("test.csv"))
      #expect(try await CommandRun.run(["diagnose", done.path], in: folder).exitCode == 0)
      try folder.write(data.replacingOccurrences(of: "3,5,0", with: "3,6,0"), to: "train.csv")
      let changed = try await CommandRun.run(["diagnose", done.path], in: folder)
      #expect(changed.exitCode == 65 && changed.errors.contains("not those of the fit"), "\(changed)")
      try FileManager.default.removeItem(atPath: folder("train.csv"))
      let gone = try await CommandRun.run(["diagnose", done.path], in: folder)
      #expect(gone.exitCode == 66 && gone.errors.contains("train.csv"), "\(gone)")
    }

    @Test func whatCantBeJudgedIsNamed() async throws {
      let folder = try TemporaryFolder()
      let short = setting("inference.iterations=2", "inference.diagnosis.draws=0")
      let done = try await fit(Examples.mixture2D, short, in: folder)
      let other = try await fit(Examples.wine, short, in: folder, output: "other")
      try FileManager.default.createDirectory(atPath: folder("empty"), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: done.path, toPath: folder("mixed"))
      try folder.write(try other.text("mixture.json"), to: "mixed/mixture.json")
      try FileManager.default.copyItem(atPath: done.path, toPath: folder("unfinished"))
      try FileManager.default.removeItem(atPath: folder("unfinished/mixture.json"))
      for (path, code, words) in [
        (folder("nothing"), 66, "there is no folder"),
        ("\(done.path)/mixture.json", 66, "the folder of a fit"),
        (folder("empty"), 66, "spec.yaml"), (folder("unfinished"), 66, "not finished"),
        (folder("mixed"), 65, "not a mixture of"),
      ] {
        let run = try await CommandRun.run(["diagnose", path], in: folder)
        #expect(run.exitCode == code && run.output.isEmpty && run.errors.contains(words), "\(run)")
        Commands.expectPlainWords(run.errors)
      }
      for option in [["--draws", "99"], ["--draws", "10000001"], ["--threads", "0"]] {
        #expect(try await CommandRun.run(["diagnose", done.path] + option, in: folder).exitCode == 64)
      }
    }
  }

  /// What a fit says about its convergence.
  @Suite(.serialized) struct Convergence {
    private func spec(in folder: TemporaryFolder) throws -> String {
      try folder.write(
        "model: {family: gaussian, mean: [1, 2], covariance: 4}\nmixture: {components: 1}\n", to: "g.yaml")
    }

    @Test func convergenceCanBeRequired() async throws {
      let folder = try TemporaryFolder()
      let arguments = ["fit", try spec(in: folder), "--output", folder("out"), "--require-convergence"]
      let good = try await CommandRun.run(arguments, in: folder)
      #expect(good.exitCode == 0 && good.output.contains("\nEnd   converged: "), "\(good)")
      #expect(good.output.contains("\nFit   k̂ "), "\(good)")
      let short = try await CommandRun.run(
        arguments + ["--progress", "none"] + setting("inference.iterations=40"), in: folder)
      #expect(short.exitCode == 1 && short.output.isEmpty, "\(short)")
      #expect(short.errors.contains("not converged: the 40 iterations asked for"), "\(short)")
      let summary = try FitFolder(path: folder("out")).json("summary.json")
      #expect(summary["converged"] as? Bool == false && summary["iterations"] as? Int == 40)
      let plain = try await CommandRun.run(
        arguments.dropLast() + setting("inference.iterations=40"), in: folder)
      #expect(plain.exitCode == 0 && plain.output.contains("\nEnd   not converged: "), "\(plain)")
    }

    @Test func withoutAStoppingRuleItCantBeRequired() async throws {
      let folder = try TemporaryFolder()
      let run = try await CommandRun.run(
        ["fit", Examples.mixture2D, "--output", folder("out"), "--require-convergence"], in: folder)
      #expect(run.exitCode == 64 && run.errors.contains("inference.stop: converged"), "\(run)")
      #expect(!FileManager.default.fileExists(atPath: folder("out")))
      let plain = try await CommandRun.run(
        ["fit", Examples.mixture2D, "--output", folder("out")] + setting("inference.iterations=20"),
        in: folder)
      #expect(plain.exitCode == 0 && plain.output.contains("convergence was not tested"), "\(plain)")
    }
  }
}
