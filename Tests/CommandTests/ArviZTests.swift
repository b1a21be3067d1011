import Foundation
import Mixtures
import Reporting
import TestKit
import Testing

/// What the outputs look like from Python.
private enum Reader {
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("read_outputs.py").path

  /// Runs the script, for which every warning is an error.
  static func read<Value: Decodable>(
    _ type: Value.Type, _ python: PythonEnvironment, _ arguments: [String], in folder: TemporaryFolder,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> Value {
    let run = try await CommandRun.run(
      [script] + arguments, in: folder, environment: ["OMP_NUM_THREADS": "1"], executable: python.python)
    try #require(run.exitCode == 0, "\(run)", sourceLocation: sourceLocation)
    return try JSONDecoder().decode(type, from: Data(run.output.utf8))
  }
}

/// What `read_outputs.py inference-data` says.
private struct InferenceDataFacts: Decodable {
  let version: String
  let groups: [String]
  let variables: [String]
  let dims: [String: Int]
  let long_names: [String: String]
  let observed: [String: [String]]
  let predictive: [String: [String]]
  let attributes: [String]
  let library: String
  let rows: [String]
  let means: [Double]
  let sds: [Double]
  let ess: [Double]
  let rhat: [Double]
  let elpd: Double
  let pareto: Double
}

/// What `read_outputs.py densities` says: largest differences from NumPy's figures.
private struct DensityFacts: Decodable {
  let draws: Int
  let lp: Double
  let log_q: Double
  let log_likelihood: Double
  let weight: Double
  let weight_sum: Double
  let pareto_k: [Double]
  let observed: Bool
  let replicas: Double
  let elbo: Double
}

/// What `read_outputs.py coordinates` says: the same, and how far draws' moments are from the mixture's, in standard
/// errors.
private struct CoordinateFacts: Decodable {
  let draws: Int
  let lp: Double
  let log_q: Double
  let log_likelihood: Double
  let means: [Double]
  let deviations: [Double]
  let correlation: Double
  let elbo: Double
}

/// What `read_outputs.py draws` says.
private struct DrawFacts: Decodable {
  let header: [String]
  let dtype: String
  let shape: [Int]
  let npy: Bool
  let stan: Bool
  let stan_names: [String]
  let stan_variables: [String: [Int]]
  let netcdf: Bool
  let groups: [String]
}

extension Commands {
  /// Outputs opened where people work.
  @Suite(
    .serialized,
    .enabled(
      if: PythonEnvironment.unavailable(PythonEnvironment.withArviZ) == nil,
      "\(PythonEnvironment.unavailable(PythonEnvironment.withArviZ) ?? "")"))
  struct Python {
    static let environments = PythonEnvironment.withArviZ.filter(\.isThere)

    /// A posterior close to a normal distribution, from a table whose names are hard to write.
    private func oddTable(_ folder: TemporaryFolder) throws -> (train: String, test: String) {
      var random = SeededGenerator(seed: 20)
      func table(_ rows: Int) -> String {
        var text = "chain,area/size,\"größe, \"\"cm\"\"\",draw ,y/n\n"
        for _ in 0..<rows {
          let x = (0..<4).map { _ in Double.random(in: -2...2, using: &random) }
          let predictor = 0.4 + 0.9 * x[0] - 0.6 * x[1] + 0.3 * x[2]
          let isOne = Double.random(in: 0...1, using: &random) < 1 / (1 + exp(-predictor))
          text += x.map { "\($0)" }.joined(separator: ",") + ",\(isOne ? 1 : 0)\n"
        }
        return text
      }
      return (try folder.write(table(300), to: "train.csv"), try folder.write(table(40), to: "test.csv"))
    }

    private func oddSpec(_ folder: TemporaryFolder) throws -> String {
      let tables = try oddTable(folder)
      return try folder.write(
        """
        model: {family: logistic, response: "y/n", prior: {normal: {scale: 10}}}
        data: {train: \(tables.train), test: \(tables.test)}
        mixture: {components: 3}
        inference: {iterations: 3000}
        """, to: "spec.yaml")
    }

    @Test(
      "ArviZ summarises, plots and cross-validates fit.nc without a warning, whatever the columns are called, and finds the mixture's own moments",
      arguments: environments)
    func inferenceData(_ python: PythonEnvironment) async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(try oddSpec(folder), in: folder)
      let facts = try await Reader.read(
        InferenceDataFacts.self, python, ["inference-data", done.path], in: folder)
      #expect(facts.version.hasPrefix("0.") == (python.name == "arviz-0"))
      for name in ["posterior", "sample_stats", "observed_data", "posterior_predictive", "log_likelihood"] {
        #expect(facts.groups.contains { $0 == name || $0 == "/\(name)" }, "\(facts.groups)")
      }
      #expect(facts.library == "isomix")
      for name in ["created_at", "creation_library", "inference_library", "inference_library_version"] {
        #expect(facts.attributes.contains(name))
      }
      #expect(
        facts.observed == ["y_n": ["row"], "y_n_test": ["test_row"]], "\(facts.observed)")
      #expect(facts.predictive["y_n"] == ["chain", "draw", "row"], "\(facts.predictive)")
      #expect(facts.predictive["y_n_test"] == ["chain", "draw", "test_row"])
      #expect(facts.dims["chain"] == 4)
      let draws = 4 * (facts.dims["draw"] ?? 0)
      #expect((4000...4200).contains(draws))
      let mixture = try FittedMixture.read(done.path)
      let moments = try mixture.moments()
      #expect(facts.variables == ["intercept", "coefficients"])
      try #require(facts.means.count == moments.count && facts.rows.count == moments.count)
      for (k, moment) in moments.enumerated() {
        // Means of independent draws, to five standard errors; ArviZ sees that they are independent.
        let error = moment.standardDeviation / Double(draws).squareRoot()
        #expect(abs(facts.means[k] - moment.mean) < 5 * error, "\(facts.rows[k])")
        #expect(abs(facts.sds[k] / moment.standardDeviation - 1) < 5 / (2 * Double(draws)).squareRoot())
        #expect(facts.ess[k] > 0.8 * Double(draws) && facts.rhat[k] < 1.01)
        let label = k == 0 ? "intercept" : "coefficients[\(mixture.names[k])]"
        #expect(facts.rows[k] == label)
      }
      #expect(facts.pareto < 0.7 && facts.elpd < 0 && facts.elpd > -300 * log(2), "\(facts.elpd)")
    }

    @Test(
      "lp, log_q, smoothed weights and likelihoods in fit.nc are those that NumPy computes from the table and mixture.json",
      arguments: zip(0..<3, ["dense", "unit", "diagonal"]))
    func densities(_ index: Int, _ metric: String) async throws {
      let python = Python.environments[index % Python.environments.count]
      let folder = try TemporaryFolder()
      let done = try await fit(
        Examples.breastCancer,
        setting(
          "inference.iterations=1200", "inference.metric=\(metric)", "inference.step_size=auto",
          "inference.stop=converged") + ["--workers", "2"],
        in: folder)
      let facts = try await Reader.read(
        DensityFacts.self, python, ["densities", done.path, Examples.data("breast-cancer-train.csv")],
        in: folder)
      #expect(facts.draws == 4000)
      #expect(facts.lp < 1e-8 && facts.log_q < 1e-8 && facts.log_likelihood < 1e-10, "\(facts)")
      // ArviZ 0.x smooths by the same steps, later versions by slightly other ones.
      let isSame = python.name == "arviz-0"
      #expect(facts.weight < (isSame ? 1e-9 : 0.05) && abs(facts.weight_sum - 1) < 1e-9, "\(facts)")
      #expect(abs(facts.pareto_k[0] - facts.pareto_k[1]) < (isSame ? 1e-9 : 0.05), "\(facts)")
      // Sums of 4000 responses that were drawn for a row, in standard deviations; of 284 rows.
      #expect(facts.observed && facts.replicas < 6, "\(facts)")
      // The draws are those that the fit was judged by.
      let elbo = try #require(try done.json("summary.json")["elbo"] as? Double)
      #expect(abs(facts.elbo - elbo) < 1e-6, "\(facts) \(elbo)")
    }

    @Test(
      "fit.nc of a fit whose coordinates have mixtures of their own has the draws that it was judged by, with densities as NumPy has them, and the coordinates' own moments",
      arguments: environments)
    func coordinates(_ python: PythonEnvironment) async throws {
      let folder = try TemporaryFolder()
      let spec = try folder.write(LinearTable.spec, to: "linear.yaml")
      let train = try folder.write(LinearTable.text(rows: 60), to: "train.csv")
      let done = try await fit(spec, in: folder)
      let facts = try await Reader.read(
        CoordinateFacts.self, python, ["coordinates", done.path, train], in: folder)
      #expect(facts.draws >= 4000)
      #expect(facts.lp < 1e-8 && facts.log_q < 1e-10 && facts.log_likelihood < 1e-10, "\(facts)")
      #expect((facts.means + facts.deviations + [facts.correlation]).allSatisfy { abs($0) < 5 }, "\(facts)")
      let elbo = try #require(try done.json("summary.json")["elbo"] as? Double)
      #expect(abs(facts.elbo - elbo) < 1e-6, "\(facts) \(elbo)")
    }

    @Test(
      "CSV, NPY, Stan's CSV and netCDF hold the same draws to the last bit, made from a copied mixture.json without data and cache",
      arguments: environments)
    func formats(_ python: PythonEnvironment) async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(try oddSpec(folder), setting("inference.iterations=600"), in: folder)
      let place = try TemporaryFolder()
      try FileManager.default.copyItem(atPath: "\(done.path)/mixture.json", toPath: place("copy.json"))
      for path in [done.path, folder("train.csv"), folder("test.csv"), folder("cache")] {
        try FileManager.default.removeItem(atPath: path)
      }
      let files = [
        ("csv", "draws.csv"), ("npy", "draws.npy"), ("stan-csv", "stan.csv"), ("netcdf", "draws.nc"),
      ]
      for (format, name) in files {
        let run = try await CommandRun.run(
          ["sample", place("copy.json"), "--draws", "600", "--seed", "3", "--format", format]
            + ["--output", place(name)], in: place)
        #expect(run.exitCode == 0 && run.output.isEmpty && run.errors.isEmpty, "\(run)")
      }
      let facts = try await Reader.read(
        DrawFacts.self, python, ["draws"] + files.map { place($0.1) }, in: place)
      let names = ["intercept", "chain", "area/size", "größe, \"cm\"", "draw"]
      #expect(facts.header == names)
      #expect(facts.dtype == "float64" && facts.shape == [600, 5])
      #expect(facts.npy && facts.stan && facts.netcdf)
      #expect(
        facts.stan_names
          == ["lp__", "accept_stat__", "intercept"] + (1...4).map { "coefficients[\($0)]" },
        "\(facts.stan_names)")
      #expect(facts.stan_variables["coefficients"] == [600, 4])
      #expect(facts.groups.contains { $0.hasSuffix("posterior") })
    }
  }

  /// Draws as files.
  @Suite(.serialized) struct DrawFiles {
    private func fitted(_ folder: TemporaryFolder) async throws -> FitFolder {
      try await fit(Examples.mixture2D, setting("inference.iterations=20"), in: folder)
    }

    @Test func anOutputFileIsThereWholeOrNotAtAll() async throws {
      let folder = try TemporaryFolder()
      let done = try await fitted(folder)
      for format in DrawFormat.allCases.map(\.rawValue) {
        let missing = try await CommandRun.run(
          ["sample", done.path, "--format", format, "--output", folder("nowhere/draws")], in: folder)
        #expect(missing.exitCode == 73 && missing.errors.contains("nowhere/draws"), "\(missing)")
        let full = try await CommandRun.run(
          ["sample", done.path, "--format", format, "--output", "/dev/full"], in: folder)
        #expect(full.exitCode == 73 && full.errors.contains("/dev/full"), "\(full)")
        Commands.expectPlainWords(full.errors)
      }
      // A device is written as it is, and nothing is left beside it.
      let names = try FileManager.default.contentsOfDirectory(atPath: "/dev")
      #expect(!names.contains { $0.hasPrefix("full.") })
    }

    @Test func unconstrainedDrawsNeedNoModel() async throws {
      let folder = try TemporaryFolder()
      let done = try await fitted(folder)
      let plain = try await CommandRun.run(["sample", done.path, "--draws", "20"], in: folder)
      let text = try done.text("mixture.json")
      let specification = try #require(
        text.range(of: #""specification":"([^"\\]|\\.)*""#, options: .regularExpression))
      let file = try folder.write(
        text.replacingCharacters(in: specification, with: #""specification":"model: {family: unknown}""#),
        to: "other.json")
      let bare = try await CommandRun.run(["sample", file, "--draws", "20", "--unconstrained"], in: folder)
      // The outputs of this family are θ itself.
      #expect(bare.exitCode == 0 && bare.output == plain.output, "\(bare)")
      let refused = try await CommandRun.run(["sample", file, "--draws", "20"], in: folder)
      #expect(refused.exitCode == 65 && refused.errors.contains("other.json"), "\(refused)")
      Commands.expectPlainWords(refused.errors)
    }

    @Test func binaryFormatsWithBadRequestsAreRefused() async throws {
      let folder = try TemporaryFolder()
      let done = try await fitted(folder)
      for options in [
        ["--format", "parquet"], ["--format", "netcdf", "--unconstrained"],
        ["--format", "netcdf", "--draws", "4000000000"],
      ] {
        let run = try await CommandRun.run(
          ["sample", done.path, "--output", folder("draws")] + options, in: folder)
        #expect(run.exitCode == 64, "\(run)")
        #expect(!FileManager.default.fileExists(atPath: folder("draws")))
      }
    }

    @Test func fitFileIsTheSameForEveryNumberOfWorkersAndAfterAResumption() async throws {
      let folder = try TemporaryFolder()
      func file(_ output: String, _ options: [String]) async throws -> Data {
        let run = try await CommandRun.run(
          ["fit", Examples.breastCancer, "--output", folder(output)] + options
            + setting("inference.iterations=200"), in: folder,
          environment: ["SOURCE_DATE_EPOCH": "1700000000"])
        try #require(run.exitCode == 0, "\(run)")
        return try Data(contentsOf: URL(fileURLWithPath: folder("\(output)/fit.nc")))
      }
      let first = try await file("a", ["--workers", "1"])
      #expect(try await file("b", ["--workers", "2"]) == first)
      try FileManager.default.removeItem(atPath: folder("a/fit.nc"))
      #expect(try await file("a", ["--workers", "2", "--resume"]) == first)
      #expect(first.range(of: Data("2023-11-14T22:13:20.000Z".utf8)) != nil)
    }

    @Test func interruptedFitHasNoFitFileUntilItIsResumed() async throws {
      let folder = try TemporaryFolder()
      let output = folder("out")
      let run = try CommandRun(
        ["fit", Examples.mixture2D, "--output", output, "--workers", "1"] + endless, in: folder)
      try await run.waitForSteps(output: output)
      kill(run.processID, SIGTERM)
      #expect(try await run.finish().exitCode == 75)
      let done = FitFolder(path: output)
      #expect(done.has("mixture.json") && !done.has("fit.nc"))
      let sample = try await CommandRun.run(
        ["sample", output, "--format", "netcdf", "--output", folder("draws.nc")], in: folder)
      #expect(sample.exitCode == 0, "\(sample)")
    }

    @Test func likelihoodsOfTooManyRowsAreLeftOutAndThatIsSaid() async throws {
      let folder = try TemporaryFolder()
      var random = SeededGenerator(seed: 21)
      var text = "x,y\n"
      for _ in 0..<2_500 {
        text += "\(Double.random(in: -1...1, using: &random)),\(Bool.random(using: &random) ? 1 : 0)\n"
      }
      let table = try folder.write(text, to: "train.csv")
      let spec = try folder.write(
        """
        model: {family: logistic, response: y, prior: {normal: {scale: 10}}}
        data: {train: \(table)}
        mixture: {components: 2}
        inference: {iterations: 50}
        """, to: "spec.yaml")
      let done = try await fit(spec, in: folder)
      let log = try done.text("log.jsonl")
      #expect(
        log.contains(
          "fit.nc: log_likelihood and the training rows' predictions are left out: 2500 rows are more than the 2000"
        ), "\(log)")
      let size = try FileManager.default.attributesOfItem(atPath: "\(done.path)/fit.nc")[.size] as? Int
      #expect((size ?? .max) < 1 << 20)
    }
  }
}
