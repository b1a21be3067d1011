import Foundation
import Reporting
import TestKit
import Testing

extension Commands {
  /// Fits whose coordinates have mixtures of their own, as users see them.
  @Suite(.serialized) struct Coordinates {
    private let options = setting("model.factorization=coordinates", "mixture.components=4")

    private func json(_ arguments: [String], in folder: TemporaryFolder) async throws -> [String: Any] {
      let run = try await CommandRun.run(arguments + ["--json"], in: folder)
      try #require(run.exitCode == 0, "\(run)")
      return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }

    @Test func drawsHaveIndependentCoordinatesWithTheirMixturesMoments() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(Examples.mixture2D, options, in: folder)
      let fitted = try FittedMixture.read(done.path)
      let marginals = try #require(fitted.coordinateMixture)
      #expect(fitted.factorization == .coordinates && fitted.formatVersion == 3 && fitted.metric == "unit")
      for i in 0..<4 {
        #expect(
          abs(fitted.variances[i] - (marginals.variances[2 * i] + marginals.variances[2 * i + 1]) / 2) < 1e-12
        )
      }
      let count = 20_000
      let run = try await CommandRun.run(
        ["sample", done.path, "--draws", "\(count)", "--seed", "3"], in: folder)
      let draws = run.lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
      #expect(run.exitCode == 0 && draws.count == count)
      var standardized: [[Double]] = []
      for (k, moments) in try fitted.moments().enumerated() {
        let marginal = marginals.marginal(of: k)
        let mean = marginal.means.reduce(0, +) / 4
        let second = zip(marginal.means, marginal.variances).reduce(0) { $0 + ($1.0 * $1.0 + $1.1) / 4 }
        #expect(abs(moments.mean - mean) < 1e-12)
        #expect(abs(moments.standardDeviation - (second - mean * mean).squareRoot()) < 1e-12)
        standardized.append(draws.map { ($0[k] - mean) / moments.standardDeviation })
        // Standard errors of the mean and, for tails no heavier than a Gaussian's, of the variance.
        let average = standardized[k].reduce(0, +) / Double(count)
        let square = standardized[k].reduce(0) { $0 + $1 * $1 } / Double(count)
        #expect(abs(average) < 5 / Double(count).squareRoot())
        #expect(abs(square - 1) < 5 * (2 / Double(count)).squareRoot())
      }
      let product = zip(standardized[0], standardized[1]).reduce(0) { $0 + $1.0 * $1.1 } / Double(count)
      #expect(abs(product) < 5 / Double(count).squareRoot())
    }

    @Test func aFitIsDiagnosedComparedAndResumed() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(Examples.mixture2D, options, in: folder)
      let summary = try done.json("summary.json")
      let diagnosis = try await json(["diagnose", done.path], in: folder)
      #expect(diagnosis["factorization"] as? String == "coordinates" && diagnosis["usage"] is NSNull)
      let (elbo, error) = (diagnosis["elbo"] as? Double ?? .nan, diagnosis["elbo_se"] as? Double ?? .nan)
      let recorded = (summary["elbo"] as? Double ?? .nan, summary["elbo_se"] as? Double ?? .nan)
      #expect(abs(elbo - recorded.0) < 5 * hypot(error, recorded.1))
      let text = try await CommandRun.run(["diagnose", done.path], in: folder)
      #expect(text.exitCode == 0 && text.output.contains("4 component(s) of each coordinate"), "\(text)")

      let itself = try await json(["compare", done.path, done.path], in: folder)
      #expect(itself["mixture_distance"] as? Double == 0)
      let full = try await fit(
        Examples.mixture2D, setting("inference.iterations=200"), in: folder, output: "full")
      let other = try await json(["compare", done.path, full.path], in: folder)
      #expect(other["mixture_distance"] is NSNull && other["elbo"] is [String: Any])
      let words = try await CommandRun.run(["compare", full.path, done.path], in: folder)
      #expect(
        words.output.contains("only one of the two fits has mixtures of the whole parameter"), "\(words)")
      let start = try await CommandRun.run(
        ["fit", Examples.mixture2D, "--output", folder("again")]
          + setting("mixture.initial={file: \(done.path)}"), in: folder)
      #expect(start.exitCode == 65 && start.errors.contains("factorization: coordinates"), "\(start)")

      let run = try CommandRun(
        ["fit", Examples.mixture2D, "--output", folder("killed"), "--progress", "none", "--workers", "2"]
          + ["--checkpoint-interval", "0.01"] + options + setting("inference.iterations=20000"), in: folder)
      let checkpoints = folder("killed/checkpoint")
      let isThere = try await eventually(within: 30) {
        ((try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? []).count > 1 || run.hasEnded
      }
      #expect(isThere && !run.hasEnded)
      run.signal(SIGKILL)
      _ = try await run.finish(within: 20)
      let arguments = options + setting("inference.iterations=20000")
      let resumed = try await fit(
        Examples.mixture2D, arguments + ["--resume", "--workers", "1"], in: folder, output: "killed")
      let whole = try await fit(
        Examples.mixture2D, arguments + ["--workers", "1"], in: folder, output: "whole")
      #expect(try resumed.digest() == whole.digest())
      #expect(try resumed.text("log.jsonl").contains("resumed from iteration"))
    }

    /// A linear regression with known noise 0.7 and the prior N(0, 10²).
    private func linear(in folder: TemporaryFolder) async throws -> FitFolder {
      let spec = try folder.write(LinearTable.spec, to: "linear.yaml")
      try folder.write(LinearTable.text(rows: 60), to: "train.csv")
      return try await fit(spec, in: folder)
    }

    @Test func predictedMeansOfALinearModelAreExactAndTheirDeviationsThoseOfIndependentCoordinates()
      async throws
    {
      let folder = try TemporaryFolder()
      let done = try await linear(in: folder)
      let moments = try FittedMixture.read(done.path).moments()
      try folder.write("a,b\n0.5,-1.5\n2,1\n0,0\n-3,4\n", to: "new.csv")
      let arguments = ["predict", done.path, "--data", folder("new.csv"), "--of", "mean"]
      var outputs: Set<String> = []
      for options in [[], ["--workers", "1"], ["--workers", "2", "--threads", "2"], ["--draws", "396"]] {
        let run = try await CommandRun.run(arguments + options, in: folder)
        #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run)")
        outputs.insert(run.output)
        let found = run.lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
        #expect(found.count == 4)
        for (row, x) in zip(found, [[0.5, -1.5], [2, 1], [0, 0], [-3, 4]]) {
          // Every component of every coordinate has as many pairs.
          let mean = zip(x, moments).reduce(0) { $0 + $1.0 * $1.1.mean }
          #expect(abs(row[0] - mean) < 1e-10, "\(row) \(mean)")
          let deviation = zip(x, moments).reduce(0) {
            $0 + $1.0 * $1.0 * $1.1.standardDeviation * $1.1.standardDeviation
          }.squareRoot()
          // Of 200 pairs, to five standard errors.
          #expect(abs(row[1] - deviation) <= 5 * deviation / 400.0.squareRoot(), "\(row) \(deviation)")
        }
      }
      // 402 draws are the first multiple of pairs of three components behind the usual 400.
      #expect(outputs.count == 2)
    }

    @Test func theReportSaysWhatThereIsOfIndependentCoordinates() async throws {
      let folder = try TemporaryFolder()
      let done = try await linear(in: folder)
      #expect(try done.json("summary.json")["warnings"] as? [String] == [])
      let html = try done.text("report.html")
      #expect(html.contains("no map") && html.contains("no metric with factorization: coordinates"))
      #expect(html.contains("of each parameter") && html.contains("Marginal of a"))
      for (k, moments) in try FittedMixture.read(done.path).moments().enumerated() {
        // The table's figures have three digits.
        let shown = String(format: "%.3g", moments.standardDeviation)
        #expect(html.contains(shown), "\(k): \(shown)")
      }
      let again = try await CommandRun.run(
        ["report", done.path, "--output", folder("again.html")], in: folder)
      #expect(again.exitCode == 0, "\(again)")
    }

    @Test func alteredVariancesAreRefused() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(
        Examples.mixture2D, options + setting("inference.iterations=2", "mixture.components=1"), in: folder)
      let text = try done.text("mixture.json")
      let start = try #require(text.range(of: "\"coordinate_variances\":"))
      let end = try #require(text.range(of: "]]", range: start.upperBound..<text.endIndex))
      for change in ["[[1]]", "[[1,-1]]", "[]", "[[1,1],[1,1]]", "null"] {
        let altered = text.replacingCharacters(in: start.upperBound..<end.upperBound, with: change)
        let file = try folder.write(altered, to: "bad.json")
        #expect(throws: ReportingError.self) { try FittedMixture.read(file) }
      }
      let other = text.replacingOccurrences(
        of: "\"factorization\":\"coordinates\"", with: "\"factorization\":\"full\"")
      let file = try folder.write(other, to: "bad.json")
      #expect(throws: ReportingError.self) { try FittedMixture.read(file) }
    }
  }
}

/// A table of two columns for a linear regression without intercept, and the spec of its fit.
enum LinearTable {
  static let spec = """
    model:
      family: linear
      response: y
      intercept: false
      noise: 0.7
      prior: {normal: {scale: 10}}
      factorization: coordinates
    data: {train: train.csv, standardize: false}
    mixture: {components: 3}
    inference: {iterations: 2000}

    """

  static func text(rows: Int) -> String {
    var random = SeededGenerator(seed: 31)
    var text = "a,b,y\n"
    for _ in 0..<rows {
      let (a, b) = (Double.random(in: -2...2, using: &random), Double.random(in: -2...2, using: &random))
      let error = (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0...1, using: &random) }
      text += "\(a),\(b),\(1.5 * a - 0.8 * b + 0.7 * error)\n"
    }
    return text
  }
}
