import Foundation
import TestKit
import Testing

/// A spec that has to be refused, made from a good one.
struct BadSpec: Sendable, CustomTestStringConvertible {
  let name: String
  /// A line of the good spec, and what stands there instead.
  let line: String
  let replacement: String
  /// The line that the message has to name.
  let number: Int?
  let words: [String]

  init(_ name: String, _ line: String, _ replacement: String, at number: Int?, _ words: String...) {
    self.name = name
    self.line = line
    self.replacement = replacement
    self.number = number
    self.words = words
  }

  var testDescription: String { name }

  static let good = """
    model:
      family: logistic
      response: y
      prior: {normal: {scale: 10}}
    data:
      train: train.csv
      standardize: true
    mixture:
      components: 2
      initial: {uniform: {low: -1, high: 1, variance: 1}}
    inference:
      algorithm: ibw
      samples: 2
      step_size: 0.03
      iterations: 2
      seed: 1

    """

  static let data = "a,b,y\n1,2,0\n2,1,1\n3,5,0\n4,3,1\n"

  var text: String { BadSpec.good.replacingOccurrences(of: line, with: replacement) }

  static let all: [BadSpec] = [
    BadSpec(
      "mistyped key", "  components: 2", "  componets: 2", at: 9, "componets", "did you mean 'components'"),
    BadSpec("mistyped section", "mixture:", "mixtur:", at: 8, "'mixtur'", "did you mean 'mixture'"),
    BadSpec("unknown key", "  seed: 1", "  zzzzzz: 1", at: 16, "unknown key 'zzzzzz'", "Valid keys"),
    BadSpec("unknown family", "family: logistic", "family: logistics", at: 2, "logistics", "'logistic'"),
    BadSpec("foreign family", "family: logistic", "family: forest", at: 2, "forest", "softmax", "funnel"),
    BadSpec("unknown algorithm", "algorithm: ibw", "algorithm: adam", at: 12, "adam", "ibw-shared"),
    BadSpec("negative components", "components: 2", "components: -2", at: 9, "components", "at least 1"),
    BadSpec("no components", "components: 2", "components: 0", at: 9, "components", "at least 1"),
    BadSpec("components of another type", "components: 2", "components: many", at: 9, "whole number", "many"),
    BadSpec("a fraction of components", "components: 2", "components: 2.5", at: 9, "whole number"),
    BadSpec("too many components", "components: 2", "components: 9999999999", at: 9, "at most"),
    BadSpec("no samples", "samples: 2", "samples: 0", at: 13, "samples", "at least 1"),
    BadSpec("negative step", "step_size: 0.03", "step_size: -0.03", at: 14, "step_size", "greater than 0"),
    BadSpec("step that is not finite", "step_size: 0.03", "step_size: .inf", at: 14, "step_size"),
    BadSpec("step that is not a number", "step_size: 0.03", "step_size: .nan", at: 14, "step_size"),
    BadSpec("step that is a text", "step_size: 0.03", "step_size: fast", at: 14, "step_size", "fast"),
    BadSpec(
      "unknown schedule", "step_size: 0.03", "step_size: {schedule: {cosine: {size: 1}}}", at: 14, "cosine"),
    BadSpec("negative seed", "seed: 1", "seed: -1", at: 16, "seed", "-1"),
    BadSpec("iterations of another type", "iterations: 2", "iterations: [2]", at: 15, "iterations", "a list"),
    BadSpec("box upside down", "low: -1", "low: 7", at: nil, "low", "high"),
    BadSpec("initial variance of 0", "variance: 1", "variance: 0", at: 10, "variance", "greater than 0"),
    BadSpec("prior of negative scale", "scale: 10", "scale: -10", at: 4, "scale", "greater than 0"),
    BadSpec("standardize that is neither", "standardize: true", "standardize: maybe", at: 7, "true or false"),
    BadSpec(
      "a section that is a text", "data:\n  train: train.csv\n  standardize: true", "data: x", at: 5,
      "mapping"),
    BadSpec("no response", "  response: y\n", "", at: nil, "'model.response' is missing"),
    BadSpec(
      "no model", "model:\n  family: logistic\n  response: y\n  prior: {normal: {scale: 10}}\n", "", at: nil,
      "'model' is missing"),
    BadSpec("no train", "  train: train.csv\n", "", at: nil, "'data.train' is missing"),
    BadSpec("not YAML", "  family: logistic", "  family: {logistic", at: nil, "spec.yaml"),
    BadSpec("tabs", "  family: logistic", "\tfamily: logistic", at: nil, "spec.yaml"),
    BadSpec("a key twice", "  components: 2", "  components: 2\n  components: 3", at: nil, "components"),
    BadSpec("empty", BadSpec.good, "", at: nil, "empty"),
    BadSpec("a list", BadSpec.good, "- a\n- b\n", at: 1, "mapping"),
    BadSpec("a text", BadSpec.good, "hello\n", at: 1, "mapping"),
    BadSpec(
      "response among the features", "  response: y", "  response: y\n  features: [a, y]", at: 4,
      "response 'y'"),
    BadSpec("a feature twice", "  response: y", "  response: y\n  features: [a, a]", at: 4, "twice"),
    BadSpec(
      "data for a target without any", "  family: logistic\n  response: y\n  prior: {normal: {scale: 10}}",
      "  family: funnel", at: nil, "needs no data"),
  ]
}

/// A data file that has to be refused, by `fit` and by `data import`.
struct BadData: Sendable, CustomTestStringConvertible {
  let name: String
  let text: String
  let place: String
  let words: String
  /// `data import` sees nothing wrong: it does not know what the column is for.
  var importSucceeds = false
  var options: [String] = []
  var test: String?

  var testDescription: String { name }

  static let all: [BadData] = [
    BadData(name: "ragged row", text: "a,b,y\n1,2,0\n3,1\n", place: "train.csv:3:", words: "2 of 3 fields"),
    BadData(name: "long row", text: "a,b,y\n1,2,0,4\n", place: "train.csv:2:", words: "more than 3 fields"),
    BadData(
      name: "missing value", text: "a,b,y\n1,2,0\n,1,1\n", place: "train.csv:3: column 1 'a'",
      words: "missing"),
    BadData(
      name: "non-numeric cell", text: "a,b,y\n1,2,0\n2,x,1\n", place: "train.csv:3: column 2 'b'",
      words: "'x'"),
    BadData(
      name: "infinity", text: "a,b,y\n1,2,0\n2,inf,1\n", place: "train.csv:3: column 2 'b'", words: "finite"),
    BadData(
      name: "overflow", text: "a,b,y\n1e999,2,0\n", place: "train.csv:2: column 1 'a'", words: "finite"),
    BadData(
      name: "duplicate header", text: "a,a,y\n1,2,0\n", place: "train.csv:1: column 2", words: "same name 'a'"
    ),
    BadData(name: "empty file", text: "", place: "train.csv", words: "empty"),
    BadData(name: "header alone", text: "a,b,y\n", place: "train.csv", words: "no"),
    BadData(
      name: "unterminated quote", text: "a,b,y\n1,\"2,0\n2,1,1\n", place: "train.csv:2: column 2 'b'",
      words: "quote that is never closed"),
    BadData(
      name: "response outside {0, 1}", text: "a,b,y\n1,2,0\n2,1,1\n3,3,2\n",
      place: "train.csv:4: column 3 'y'",
      words: "2", importSucceeds: true),
    BadData(
      name: "constant column", text: "a,b,y\n1,2,0\n1,1,1\n1,3,1\n", place: "'a'",
      words: "the same value in every row",
      importSucceeds: true),
    BadData(
      name: "missing column", text: "a,b,z\n1,2,0\n2,1,1\n", place: "train.csv", words: "'y'",
      importSucceeds: true),
    BadData(
      name: "missing feature", text: BadSpec.data, place: "train.csv", words: "'radius'",
      importSucceeds: true,
      options: setting("model.features=[a, radius]")),
    BadData(
      name: "unknown class in the test set", text: "a,b,y\n1,2,u\n2,1,v\n3,1,w\n5,4,u\n",
      place: "test.csv:3: column 3 'y'",
      words: "'q'", importSucceeds: true, options: setting("model.family=softmax", "data.test=test.csv"),
      test: "a,b,y\n1,2,u\n2,1,q\n"),
    BadData(
      name: "missing column in the test set", text: BadSpec.data, place: "test.csv", words: "'b'",
      importSucceeds: true, options: setting("data.test=test.csv"), test: "a,y\n1,0\n2,1\n"),
  ]
}

extension Commands {
  /// What users get wrong: each is answered by one sentence and a documented exit code.
  @Suite(.serialized) struct BadInput {
    @Test(arguments: BadSpec.all)
    func badSpecIsRefusedByLineAndKey(_ example: BadSpec) async throws {
      let folder = try TemporaryFolder()
      try folder.write(BadSpec.data, to: "train.csv")
      let spec = try folder.write(example.text, to: "spec.yaml")
      let result = try await CommandRun.run(["fit", spec, "--output", folder("out")], in: folder)
      #expect(result.exitCode == 65, "\(result)")
      let place = example.number.map { "spec.yaml:\($0):" } ?? "spec.yaml"
      #expect(result.errors.contains(place), "\(result)")
      for word in example.words { #expect(result.errors.contains(word), "\(result)") }
      // libyaml's binding shows the whole file for a key that stands there twice.
      if example.name != "a key twice" { Commands.expectPlainWords(result.errors) }
      #expect(!FileManager.default.fileExists(atPath: folder("out")))
    }

    @Test func goodSpecOfTheTableIsGood() async throws {
      let folder = try TemporaryFolder()
      try folder.write(BadSpec.data, to: "train.csv")
      _ = try await fit(folder.write(BadSpec.good, to: "spec.yaml"), in: folder)
    }

    @Test(arguments: BadData.all)
    func badDataAreRefusedByFileLineAndColumn(_ example: BadData) async throws {
      let folder = try TemporaryFolder()
      let train = try folder.write(example.text, to: "train.csv")
      if let test = example.test { try folder.write(test, to: "test.csv") }
      let spec = try folder.write(BadSpec.good, to: "spec.yaml")
      let result = try await CommandRun.run(
        ["fit", spec, "--output", folder("out")] + example.options, in: folder)
      #expect(result.exitCode == 65, "\(result)")
      #expect(result.errors.contains(example.place), "\(result)")
      #expect(result.errors.contains(example.words), "\(result)")
      Commands.expectPlainWords(result.errors)
      #expect(!FitFolder(path: folder("out")).has("mixture.json"))

      let imported = try await CommandRun.run(
        ["data", "import", train, "--output", folder("table")], in: folder)
      #expect(imported.exitCode == (example.importSucceeds ? 0 : 65), "\(imported)")
      if !example.importSucceeds {
        #expect(imported.errors.contains(example.place), "\(imported)")
        Commands.expectPlainWords(imported.errors)
        #expect(!FileManager.default.fileExists(atPath: folder("table")), "a table was left")
      }
    }

    @Test func folderOfAFitThatFailedEarlyCanBeUsedAgain() async throws {
      let folder = try TemporaryFolder()
      try folder.write("a,b,y\n1,2,0\n,1,1\n", to: "train.csv")
      let spec = try folder.write(BadSpec.good, to: "spec.yaml")
      let arguments = ["fit", spec, "--output", folder("out")]
      #expect(try await CommandRun.run(arguments, in: folder).exitCode == 65)
      try folder.write(BadSpec.data, to: "train.csv")
      let result = try await CommandRun.run(arguments, in: folder)
      #expect(result.exitCode == 0, "\(result)")
    }

    @Test func missingFilesAreNamed() async throws {
      let folder = try TemporaryFolder()
      let spec = try folder.write(BadSpec.good, to: "spec.yaml")
      for (arguments, name) in [
        (["fit", folder("nospec.yaml"), "--output", folder("out")], "nospec.yaml"),
        (["fit", spec, "--output", folder("out")], folder("train.csv")),
        (["fit", folder.path, "--output", folder("out")], folder.path),
        (["sample", folder("nofit")], "nofit"),
        (["data", "import", folder("none.csv"), "--output", folder("t")], "none.csv"),
        (["data", "import", folder("none-*.csv"), "--output", folder("t")], "none-*.csv"),
        (["data", "inspect", folder("none.csv")], "none.csv"),
      ] {
        let result = try await CommandRun.run(arguments, in: folder)
        #expect(result.exitCode == 66, "\(arguments) \(result)")
        #expect(result.errors.contains(name), "\(result)")
        Commands.expectPlainWords(result.errors)
      }
    }

    @Test(arguments: [
      [], ["fit"], ["fit", "x.yaml"], ["frobnicate"], ["fit", "x.yaml", "--output", "o", "--no-such-option"],
      ["fit", "x.yaml", "--output", "o", "--workers", "-1"],
      ["fit", "x.yaml", "--output", "o", "--workers", "two"],
      ["fit", "x.yaml", "--output", "o", "--threads", "0"],
      ["fit", "x.yaml", "--output", "o", "--seed", "-4"],
      ["fit", "x.yaml", "--output", "o", "--progress", "loud"],
      ["fit", "x.yaml", "--output", "o", "--worker-timeout", "0"], ["worker"],
      ["worker", "--connect", "nowhere"], ["worker", "--connect", "tcp://127.0.0.1:1", "--rendezvous", "r"],
      ["sample", "o", "--draws", "0"], ["bench", "coordination", "--workers", "0"], ["bench", "fit"],
      ["data", "import"], ["data", "import", "x.csv"], ["bench", "kernel", "--precision", "float16"],
      ["bench", "kernel", "--rows", "0"], ["bench", "kernel", "--seconds", "-1"],
    ])
    func usageErrorsExitWith64(_ arguments: [String]) async throws {
      let folder = try TemporaryFolder()
      let result = try await CommandRun.run(arguments, in: folder)
      if arguments.isEmpty {
        // Nothing asked for: help.
        #expect(result.exitCode == 0 && result.output.contains("USAGE"), "\(result)")
      } else {
        #expect(result.exitCode == 64, "\(result)")
        #expect(!result.errors.isEmpty)
      }
    }

    @Test(arguments: [
      (["--workers", "0"], "--listen"), (["--listen", "tcp://0.0.0.0:0"], "--insecure"),
      (["--listen", "tcp://*:0"], "--insecure"), (["--listen", "tcp://[::]:0"], "--insecure"),
      (["--listen", "localhost:5555"], "tcp://HOST:PORT"),
      (["--listen", "udp://127.0.0.1:1"], "tcp://HOST:PORT"),
    ])
    func endpointsAreCheckedBeforeAnythingIsDone(_ options: [String], _ word: String) async throws {
      let folder = try TemporaryFolder()
      let result = try await CommandRun.run(
        ["fit", Examples.wine, "--output", folder("out")] + options, in: folder)
      #expect(result.exitCode == 64, "\(result)")
      #expect(result.errors.contains(word), "\(result)")
      #expect(!FileManager.default.fileExists(atPath: folder("out")))
    }

    @Test func openEndpointIsTakenOnlyOnRequest() async throws {
      let folder = try TemporaryFolder()
      let done = try await fit(
        Examples.wine,
        setting("inference.iterations=2") + ["--workers", "1", "--listen", "tcp://0.0.0.0:0", "--insecure"],
        in: folder)
      let warnings = try #require(try done.json("summary.json")["warnings"] as? [String])
      #expect(warnings.contains { $0.contains("--insecure") })
    }

    @Test func endpointInUseIsNamed() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startListening(in: folder)
      let endpoint = try await Commands.endpoint(of: folder("out"))
      let result = try await CommandRun.run(
        ["fit", Examples.wine, "--output", folder("second"), "--listen", endpoint], in: folder)
      #expect(result.exitCode == 69, "\(result)")
      #expect(result.errors.contains(endpoint), "\(result)")
      Commands.expectPlainWords(result.errors)
      try await Commands.stop(run)
    }

    @Test func outputThatCannotBeWrittenIsNamed() async throws {
      let folder = try TemporaryFolder()
      let file = try folder.write("I am a file.\n", to: "file")
      let output = "\(file)/out"
      let fitted = try await fit(Examples.wine, setting("inference.iterations=1"), in: folder, output: "fit")
      for arguments in [
        ["fit", Examples.wine, "--output", output], ["fit", Examples.wine, "--output", file],
        ["fit", Examples.wine, "--output", folder("o"), "--cache", "\(file)/cache"],
        ["data", "import", Examples.data("wine-train.csv"), "--output", output],
        ["sample", fitted.path, "--output", output],
      ] {
        let result = try await CommandRun.run(arguments, in: folder)
        #expect(result.exitCode == 73, "\(arguments) \(result)")
        #expect(result.errors.contains(file), "\(result)")
        Commands.expectPlainWords(result.errors)
      }
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "I am a file.\n")
    }

    @Test func foreignFoldersAreLeftAlone() async throws {
      let folder = try TemporaryFolder()
      try FileManager.default.createDirectory(atPath: folder("mine"), withIntermediateDirectories: true)
      try folder.write("dear diary\n", to: "mine/diary.txt")
      for arguments in [
        ["fit", Examples.wine, "--output", folder("mine")],
        ["data", "import", Examples.data("wine-train.csv"), "--output", folder("mine")],
      ] {
        let result = try await CommandRun.run(arguments, in: folder)
        #expect(result.exitCode == 73, "\(result)")
        #expect(result.errors.contains(folder("mine")), "\(result)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("mine")) == ["diary.txt"])
      }
    }

    @Test func earlierFitsAreMovedAside() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=1")
      var digests: [String] = []
      for seed in ["1", "2", "3"] {
        digests.append(try await fit(Examples.wine, options + ["--seed", seed], in: folder).digest())
      }
      #expect(try FitFolder(path: folder("out")).digest() == digests[2])
      #expect(try FitFolder(path: folder("out.1")).digest() == digests[0])
      #expect(try FitFolder(path: folder("out.2")).digest() == digests[1])
    }

    @Test func twoFitsDoNotShareAFolder() async throws {
      let folder = try TemporaryFolder()
      let first = try Commands.startEndless(Examples.mixture2D, ["--workers", "2"], in: folder)
      try #require(try await first.waitForReady(2, output: folder("out")))
      let second = try await CommandRun.run(["fit", Examples.wine, "--output", folder("out")], in: folder)
      #expect(second.exitCode == 73, "\(second)")
      #expect(second.errors.contains("another fit is writing to \(folder("out"))"), "\(second)")
      try await Commands.stop(first)
      #expect(try FitFolder(path: folder("out")).text("spec.yaml").contains("gaussian_mixture"))
    }

    @Test func fitsThatStartTogetherDoNotShareAFolder() async throws {
      let folder = try TemporaryFolder()
      for _ in 0..<5 {
        let arguments = ["fit", Examples.mixture2D, "--output", folder("out"), "--progress", "none"]
        let runs = try (1...3).map {
          try CommandRun(arguments + setting("inference.iterations=300") + ["--seed", "\($0)"], in: folder)
        }
        var ends: [CommandResult] = []
        for run in runs { ends.append(try await run.finish()) }
        #expect(ends.contains { $0.exitCode == 0 })
        for end in ends where end.exitCode != 0 {
          #expect(end.exitCode == 73 && end.errors.contains("another fit is writing"), "\(end)")
        }
      }
      // Whoever won, its folder is whole: what the spec says is what the mixture was fitted with.
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasPrefix("out")
      {
        let done = FitFolder(path: folder(name))
        let resolved = folder(name) + "/spec.yaml"
        #expect(try await fit(resolved, in: folder, output: "again-\(name)").digest() == done.digest())
      }
    }

    @Test func divergenceIsNamed() async throws {
      let folder = try TemporaryFolder()
      for workers in ["1", "2"] {
        let result = try await CommandRun.run(
          ["fit", Examples.wine, "--output", folder("out"), "--workers", workers]
            + setting("inference.step_size=1e9"), in: folder)
        #expect(result.exitCode == 65, "\(result)")
        #expect(result.errors.contains("diverged at iteration"), "\(result)")
        #expect(result.errors.contains("smaller inference.step_size"), "\(result)")
      }
    }
  }

  /// Interrupts a fit and waits for its end.
  static func stop(_ run: CommandRun) async throws {
    run.signal(SIGTERM)
    #expect(try await run.finish(within: 30).exitCode == 75)
  }
}
