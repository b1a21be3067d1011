import Foundation
import NumericsKit
import Reporting
import TestKit
import Testing

/// What `mixture.json` says.
private struct FittedFile: Decodable {
  let components: Int
  let iteration: Int
  let metric: String
  let names: [String]
  let means: [[Double]]
  let variances: [Double]
}

/// Some of what `summary.json` says.
private struct SummaryFile: Decodable {
  let elbo: Double
  let standardError: Double
  let kl: Double?

  enum CodingKeys: String, CodingKey {
    case elbo, kl
    case standardError = "elbo_se"
  }
}

extension Commands {
  /// The files of a fit and what is printed, as the contract has them.
  @Suite(.serialized) struct Outputs {
    @Test func resolvedSpecGivesTheSameFit() async throws {
      let folder = try TemporaryFolder()
      for (index, spec) in [
        Examples.breastCancer, Examples.wine, Examples.mixture2D, Examples.funnel, Examples.components200,
      ].enumerated() {
        let first = try await fit(
          spec, setting("inference.iterations=10") + ["--seed", "18446744073709551615"], in: folder,
          output: "first-\(index)")
        let second = try await fit("\(first.path)/spec.yaml", in: folder, output: "second-\(index)")
        #expect(try first.digest() == second.digest())
        #expect(try first.text("spec.yaml") == second.text("spec.yaml"))
        #expect(
          try first.json("plan.json")["plan"] as? NSDictionary == second.json("plan.json")["plan"]
            as? NSDictionary)
      }
    }

    @Test(arguments: [
      "0.07", "{schedule: {constant: {size: 0.07}}}", "{schedule: {inverse_sqrt: {size: 0.1, offset: 3}}}",
      "{schedule: {linear: {from: 0.1, to: 0.001}}}",
      "{schedule: {step_decay: {size: 0.1, factor: 0.5, every: 4}}}",
    ])
    func resolvedScheduleGivesTheSameFit(_ schedule: String) async throws {
      let folder = try TemporaryFolder()
      let first = try await fit(
        Examples.mixture2D, setting("inference.iterations=12", "inference.step_size=\(schedule)"), in: folder,
        output: "first")
      let second = try await fit("\(first.path)/spec.yaml", in: folder, output: "second")
      #expect(try first.digest() == second.digest())
    }

    @Test func mixtureHoldsTheBitsOfTheDigest() async throws {
      let folder = try TemporaryFolder()
      for (index, spec) in [Examples.wine, Examples.mixture2D].enumerated() {
        let done = try await fit(
          spec, setting("inference.iterations=40"), in: folder, output: "out-\(index)")
        // As a stranger would: any exact JSON reader, any SHA-256.
        let mixture = try done.decode(FittedFile.self, "mixture.json")
        var bytes: [UInt8] = []
        for value in mixture.means.joined() + mixture.variances {
          withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
        }
        #expect(try done.digest() == Digest.of(bytes).description)
        #expect(mixture.components == mixture.means.count && mixture.components == mixture.variances.count)
        #expect(mixture.names.count == mixture.means.first?.count)
        #expect(mixture.metric == "unit")
        #expect(mixture.iteration == 40)
      }
    }

    @Test func traceHasTheColumnsOfTheContract() async throws {
      let folder = try TemporaryFolder()
      for (spec, hasKL) in [(Examples.mixture2D, true), (Examples.wine, false)] {
        let done = try await fit(
          spec, setting("inference.iterations=25", "inference.objective.every=10") + ["--workers", "2"],
          in: folder, output: hasKL ? "known" : "unknown")
        let lines = try done.text("trace.csv").split(separator: "\n").map {
          $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(
          lines[0] == [
            "iteration", "seconds", "elbo", "elbo_se", "kl", "gradient_norm", "step_size", "variance_min",
            "variance_max", "workers",
          ])
        #expect(lines.dropFirst().map { $0[0] } == ["0", "10", "20", "25"])
        for line in lines.dropFirst() {
          let isFirst = line[0] == "0"
          #expect(line.count == 10)
          #expect(line[4].isEmpty == !hasKL)
          // Before the first step there is neither a gradient nor a step size.
          #expect(line[5].isEmpty == isFirst && line[6].isEmpty == isFirst)
          for cell in line where !cell.isEmpty { #expect(Double(cell)?.isFinite == true) }
          #expect(line[9] == "2")
        }
        let summary = try done.decode(SummaryFile.self, "summary.json")
        #expect(summary.elbo == Double(lines[4][2]))
        #expect(summary.standardError == Double(lines[4][3]))
        #expect(summary.kl == Double(lines[4][4]))
      }
    }

    @Test func summaryHasEveryKeyOfTheContract() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(
        Examples.breastCancer, setting("inference.iterations=50") + ["--workers", "2"], in: folder)
      let summary = try done.json("summary.json")
      let keys = [
        "converged", "iterations", "elbo", "elbo_se", "kl", "khat", "test", "seconds", "workers",
        "lost_workers", "redispatched_tiles", "bytes_sent", "bytes_received", "state_sha256",
      ]
      for key in keys { #expect(summary[key] != nil, "\(key) is missing") }
      #expect(summary["iterations"] as? Int == 50)
      #expect(summary["workers"] as? Int == 2)
      #expect(summary["lost_workers"] as? Int == 0)
      #expect(summary["kl"] is NSNull)
      #expect((summary["bytes_sent"] as? Int ?? 0) > 10_000)
      #expect((summary["bytes_received"] as? Int ?? 0) > 10_000)
      #expect((summary["state_sha256"] as? String)?.count == 64)
      let test = try #require(summary["test"] as? [String: Any])
      #expect(test["rows"] as? Int == 285)
      #expect(test["accuracy"] is Double)
    }

    @Test func logAndPlanAreThere() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(
        Examples.wine, setting("inference.iterations=5") + ["--workers", "2"], in: folder)
      let lines = try done.text("log.jsonl").split(separator: "\n")
      #expect(lines.count >= 6)
      for line in lines {
        let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(Set(entry?.keys.map { $0 } ?? []) == ["time", "level", "message"])
      }
      let plan = try done.json("plan.json")
      #expect(Set(plan.keys).isSuperset(of: ["plan", "train", "test", "numerics", "version", "build"]))
      let train = try #require(plan["train"] as? [String: String])
      #expect(train["digest"]?.count == 64)
    }

    @Test func drawsFollowTheMixture() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(Examples.wine, setting("inference.iterations=300"), in: folder)
      let count = 20_000
      let run = try await CommandRun.run(
        ["sample", done.path, "--draws", "\(count)", "--seed", "3"], in: folder)
      #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run.errors)")
      let fitted = try FittedMixture.read(done.path)
      #expect(run.lines[0] == fitted.names.joined(separator: ","))
      let draws = run.lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
      #expect(draws.count == count)
      #expect(draws.allSatisfy { $0.count == fitted.dimension })
      for coordinate in 0..<fitted.dimension {
        let means = fitted.means.map { $0[coordinate] }
        let mean = means.reduce(0, +) / Double(means.count)
        let variance =
          fitted.variances.reduce(0, +) / Double(means.count)
          + means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(means.count)
        let squares = draws.map { ($0[coordinate] - mean) * ($0[coordinate] - mean) }
        let observedMean = draws.reduce(0) { $0 + $1[coordinate] } / Double(count)
        let observedVariance = squares.reduce(0, +) / Double(count)
        let fourth = squares.reduce(0) { $0 + $1 * $1 } / Double(count)
        let varianceError = ((fourth - observedVariance * observedVariance) / Double(count)).squareRoot()
        #expect(abs(observedMean - mean) < 5 * (variance / Double(count)).squareRoot())
        #expect(abs(observedVariance - variance) < 5 * varianceError)
      }
    }

    @Test func drawsHaveFullCovariances() async throws {
      let folder = try TemporaryFolder()
      let spec = try folder.write(
        """
        model: {family: gaussian, mean: [1, -2], covariance: [[2, 1.2], [1.2, 1]]}
        mixture: {components: 1}
        inference: {algorithm: bw, iterations: 600}
        """, to: "full.yaml")
      let done = try await fit(spec, in: folder)
      let fitted = try FittedMixture.read(done.path)
      let full = try #require(fitted.fullMixture)
      #expect(zip(full.covariances, [2, 1.2, 1.2, 1]).allSatisfy { abs($0 - $1) < 1e-6 })
      #expect(abs(fitted.variances[0] - 1.5) < 1e-6)
      let count = 20_000
      let run = try await CommandRun.run(
        ["sample", done.path, "--draws", "\(count)", "--seed", "3"], in: folder)
      let draws = run.lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
      #expect(run.exitCode == 0 && draws.count == count)
      for (index, expected) in full.covariances.enumerated() {
        let (row, column) = (index / 2, index % 2)
        let products = draws.map { ($0[row] - full.means[row]) * ($0[column] - full.means[column]) }
        let mean = products.reduce(0, +) / Double(count)
        let square = products.reduce(0) { $0 + $1 * $1 } / Double(count)
        #expect(abs(mean - expected) < 5 * ((square - mean * mean) / Double(count)).squareRoot())
      }
      for change in [
        "[[[1,0],[1]]]", "[[[1,0],[1,-1]]]", "[[[1,0.5],[1,1]]]", "[]", "[[[1,0],[1,1]],[[1,0],[1,1]]]",
      ] {
        var text = try done.text("mixture.json")
        let start = try #require(text.range(of: "\"covariance_factors\":"))
        let end = try #require(text.range(of: "]]]", range: start.upperBound..<text.endIndex))
        text.replaceSubrange(start.upperBound..<end.upperBound, with: change)
        let file = try folder.write(text, to: "bad.json")
        #expect(throws: ReportingError.self) { try FittedMixture.read(file) }
      }
    }

    @Test func drawsAreDecidedByTheirSeed() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(Examples.mixture2D, setting("inference.iterations=20"), in: folder)
      func draws(_ options: String...) async throws -> String {
        let run = try await CommandRun.run(["sample", done.path] + options, in: folder)
        #expect(run.exitCode == 0, "\(run)")
        return run.output
      }
      let ten = try await draws("--draws", "10", "--seed", "1")
      #expect(try await draws("--draws", "10") == ten)
      #expect(try await draws("--draws", "10", "--seed", "2") != ten)
      // More draws go on where fewer end.
      #expect(try await draws("--draws", "30").hasPrefix(ten))
      let file = folder("draws.csv")
      #expect(try await draws("--draws", "10", "--output", file).isEmpty)
      #expect(try String(contentsOfFile: file, encoding: .utf8) == ten)
      let direct = try await CommandRun.run(
        ["sample", "\(done.path)/mixture.json", "--draws", "10"], in: folder)
      #expect(direct.output == ten)
    }

    @Test func alteredMixturesAreRefused() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(Examples.mixture2D, setting("inference.iterations=2"), in: folder)
      let text = try done.text("mixture.json")
      for (name, change) in [
        ("torn", String(text.prefix(text.count / 2))), ("empty", ""), ("other", "[1, 2]"),
        ("negative", text.replacingOccurrences(of: "\"variances\":[", with: "\"variances\":[-1,")),
        ("future", text.replacingOccurrences(of: "\"format_version\":3", with: "\"format_version\":9")),
        ("size", text.replacingOccurrences(of: "\"components\":20", with: "\"components\":21")),
      ] {
        let path = try folder.write(change, to: "\(name).json")
        let run = try await CommandRun.run(["sample", path], in: folder)
        #expect(run.exitCode == 65, "\(name): \(run)")
        #expect(run.errors.contains(path) && run.output.isEmpty, "\(name): \(run)")
        Commands.expectPlainWords(run.errors)
      }
    }

    @Test func progressAsJSONIsLinesOfJSONAlone() async throws {
      let folder = try TemporaryFolder()
      for workers in ["1", "2"] {
        let run = try await CommandRun.run(
          ["fit", Examples.mixture2D, "--output", folder("out"), "--progress", "json", "--workers", workers]
            + setting("inference.iterations=100", "inference.objective.every=50"), in: folder)
        #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run)")
        let events = try run.lines.map {
          try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
        }
        #expect(events.allSatisfy { $0["event"] is String })
        let progress = events.filter { $0["event"] as? String == "progress" }
        #expect(progress.map { $0["iteration"] as? Int } == [0, 50, 100])
        #expect(progress.allSatisfy { $0["kl"] is Double && $0["elbo_se"] is Double })
        let summary = try #require(events.last?["summary"] as? [String: Any])
        #expect(events.last?["event"] as? String == "summary")
        #expect(try summary["state_sha256"] as? String == FitFolder(path: folder("out")).digest())
      }
    }

    @Test func progressSuitsWhereItGoes() async throws {
      let folder = try TemporaryFolder()
      let arguments =
        ["fit", Examples.breastCancer, "--output", folder("out")] + setting("inference.iterations=400")
      let plain = try await CommandRun.run(arguments + ["--progress", "plain"], in: folder)
      #expect(plain.exitCode == 0 && plain.output.contains("state_sha256 "), "\(plain)")
      #expect(plain.errors.contains("iteration 400/400  ELBO "), "\(plain)")
      #expect(!plain.errors.contains("\r"))
      let automatic = try await CommandRun.run(arguments, in: folder)
      #expect(automatic.errors.contains("iteration 400/400") && !automatic.errors.contains("\r"))
      let none = try await CommandRun.run(arguments + ["--progress", "none"], in: folder)
      #expect(none.exitCode == 0 && none.output.isEmpty && none.errors.isEmpty, "\(none)")
      let bar = try await CommandRun.run(arguments + ["--progress", "bar"], in: folder)
      #expect(bar.errors.contains("\r\u{1B}[K[####################] iteration 400/400"), "\(bar)")
      #expect(bar.errors.hasSuffix("\n"))
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script")))
    func terminalGetsABar() async throws {
      let folder = try TemporaryFolder()
      let command =
        "\(CommandRun.executable) fit \(Examples.mixture2D) --output \(folder("out")) --set inference.iterations=50"
      let run = try await CommandRun.run(
        ["-qec", command, folder("typescript")], in: folder, environment: ["TERM": "xterm"],
        executable: "/usr/bin/script")
      #expect(run.exitCode == 0, "\(run)")
      #expect(run.output.contains("\r\u{1B}[K[####################] iteration 50/50  KL"), "\(run)")
    }

    @Test func fullDiskBehindStandardOutputIsAnError() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(Examples.mixture2D, setting("inference.iterations=5"), in: folder)
      for arguments in [
        ["data", "inspect", Examples.data("wine-train.csv")], ["sample", done.path],
        ["fit", Examples.mixture2D, "--output", folder("full"), "--progress", "json"]
          + setting("inference.iterations=20", "inference.objective.every=1"),
      ] {
        let run = try await CommandRun(arguments, in: folder, output: "/dev/full").finish()
        #expect(run.exitCode == 73, "\(run.errors)")
        #expect(run.errors.contains("standard output"), "\(run.errors)")
        Commands.expectPlainWords(run.errors)
      }
      #expect(FitFolder(path: folder("full")).has("summary.json"))
    }

    @Test(arguments: ["1", "2"])
    func fitGoesOnWhenNobodyReadsItsProgress(_ workers: String) async throws {
      let folder = try TemporaryFolder()
      let pipe = folder("pipe")
      #expect(mkfifo(pipe, 0o600) == 0)
      // Open for reading too, so that neither end waits for the other; more events follow than a pipe holds.
      let reader = open(pipe, O_RDWR | O_NONBLOCK)
      let run = try CommandRun(
        ["fit", Examples.mixture2D, "--output", folder("out"), "--progress", "json", "--workers", workers]
          + setting(
            "inference.iterations=2000", "inference.objective.every=1", "inference.objective.draws=40"),
        in: folder, output: pipe)
      let isWritten = try await eventually(within: 60) { FitFolder(path: folder("out")).has("summary.json") }
      #expect(isWritten)
      // What waits is read; the end is said then.
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      var text = ""
      let hasEnded = try await eventually(within: 30) {
        let count = read(reader, &buffer, buffer.count)
        if count > 0 { text += String(decoding: buffer[..<count], as: UTF8.self) }
        return run.hasEnded && count <= 0
      }
      close(reader)
      #expect(hasEnded)
      #expect(try await run.finish().exitCode == 0)
      let lines = text.split(separator: "\n")
      #expect(lines.last?.contains("state_sha256") == true)
      for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
    }

    @Test func fitGoesOnWhenItsReaderIsGone() async throws {
      let folder = try TemporaryFolder()
      for redirection in ["2>&1 | head -n 1", ">&- 2>&-", "2>/dev/full | head -n 1"] {
        let output = folder("out")
        let command = "\(CommandRun.executable) fit \(Examples.mixture2D) --output \(output) --progress json"
        let settings = "--set inference.iterations=400 --set inference.objective.every=4"
        let run = try await CommandRun.run(
          ["-c", "\(command) \(settings) \(redirection); exit ${PIPESTATUS[0]}"], in: folder,
          executable: "/bin/bash")
        #expect(run.exitCode == 0, "\(redirection): \(run)")
        #expect(try FitFolder(path: output).json("summary.json")["iterations"] as? Int == 400)
      }
    }

    @Test(arguments: [
      [], ["fit"], ["worker"], ["sample"], ["data", "import"], ["data", "inspect"], ["bench", "kernel"],
      ["bench", "coordination"], ["bench", "fit"], ["diagnose"], ["compare"], ["status"],
    ])
    func helpHasAnExample(_ command: [String]) async throws {
      let folder = try TemporaryFolder()
      let run = try await CommandRun.run(command + ["--help"], in: folder)
      #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run)")
      #expect(run.output.contains("EXAMPLE\n  isomix \(command.joined(separator: " "))"), "\(run)")
      #expect(run.output.contains("USAGE: isomix"), "\(run)")
    }

    @Test func versionIsPrinted() async throws {
      let folder = try TemporaryFolder()
      let run = try await CommandRun.run(["--version"], in: folder)
      #expect(run.exitCode == 0)
      #expect(run.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(run)")
    }
  }

  /// The measuring commands run and print numbers that can be.
  @Suite(.serialized) struct Benchmarks {
    private func json(_ arguments: [String]) async throws -> [String: Any] {
      let folder = try TemporaryFolder()
      let run = try await CommandRun.run(["bench"] + arguments + ["--json"], in: folder)
      try #require(run.exitCode == 0, "\(run)")
      return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }

    @Test(arguments: ["float64", "float32"]) func kernel(_ precision: String) async throws {
      let result = try await json([
        "kernel", "--rows", "1024", "--samples", "64", "--seconds", "0.1", "--precision", precision,
      ])
      #expect(result["precision"] as? String == precision)
      for key in ["gigaflops_kernel", "gigaflops_gemm", "ratio"] {
        #expect((result[key] as? Double ?? 0) > 0, "\(key)")
      }
    }

    @Test func coordination() async throws {
      let result = try await json(["coordination", "--workers", "1,2", "--iterations", "300"])
      let rows = try #require(result["rows"] as? [[String: Any]])
      #expect(rows.map { $0["workers"] as? Int } == [1, 2])
      for row in rows {
        let least = try #require(row["minimum_us"] as? Double)
        let median = try #require(row["median_us"] as? Double)
        let high = try #require(row["p99_us"] as? Double)
        #expect(0 < least && least <= median && median <= high)
      }
    }

    @Test func fits() async throws {
      let result = try await json(
        ["fit", Examples.wine, "--workers", "1,2", "--repeat", "1"] + setting("inference.iterations=100"))
      let rows = try #require(result["rows"] as? [[String: Any]])
      #expect(rows.map { $0["workers"] as? Int } == [1, 2])
      #expect(rows.map { $0["is_in_process"] as? Bool } == [true, false])
      let apart = try await json(
        ["fit", Examples.wine, "--workers", "1", "--processes", "--repeat", "1"]
          + setting("inference.iterations=100"))
      let processes = try #require(apart["rows"] as? [[String: Any]])
      #expect(processes.map { $0["is_in_process"] as? Bool } == [false])
      #expect(rows.allSatisfy { ($0["median"] as? Double ?? 0) > 0 })
      let digests = (rows + processes).compactMap { $0["state_sha256"] as? String }
      #expect(digests.count == 3 && Set(digests).count == 1)
      #expect(rows[0]["ratio_to_first"] as? Double == 1)
    }
  }
}
