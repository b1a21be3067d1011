import Foundation
import TestKit
import Testing

/// Fits of models in the library of misbehaving ones (`stan_test_models.c`): three independent standard normals.
private struct MisbehavingModel {
  let folder: TemporaryFolder
  let library: String

  init(_ options: String...) throws {
    folder = try TemporaryFolder()
    library = try StanLibraries.misbehaving(in: folder)
  }

  /// A spec for a mode of the library.
  func spec(_ mode: String) throws -> String {
    try folder.write("{\"mode\": \"\(mode)\"}", to: "\(mode).json")
    return try folder.write(
      """
      model: {family: stan, library: \(library), data: \(mode).json}
      mixture: {components: 2}
      inference: {iterations: 300, objective: {draws: 200}}
      """, to: "\(mode).yaml")
  }

  func run(_ mode: String, _ options: [String] = []) async throws -> CommandResult {
    try await CommandRun.run(
      ["fit", try spec(mode), "--output", folder(mode), "--progress", "plain"] + options, in: folder)
  }

  func log(_ mode: String) throws -> String {
    try String(contentsOfFile: folder("\(mode)/log.jsonl"), encoding: .utf8)
  }

  func summary(_ mode: String) throws -> [String: Any] {
    try FitFolder(path: folder(mode)).json("summary.json")
  }
}

extension Commands {
  /// Models that misbehave end, or do not end, the way that is written in the spec's reference.
  @Suite struct MisbehavingModels {
    @Test(
      "A well-behaved library is fitted with the same bits by one worker, three, and one with three threads")
    func sameBits() async throws {
      let models = try MisbehavingModel()
      var digests: Set<String> = []
      for options in [["--workers", "1"], ["--workers", "3"], ["--workers", "1", "--threads", "3"]] {
        let result = try await models.run("normal", options)
        try #require(result.exitCode == 0, "\(result)")
        digests.insert(try FitFolder(path: models.folder("normal")).digest())
      }
      #expect(digests.count == 1)
      let summary = try models.summary("normal")
      // The library keeps its constants, so that the evidence is 1.
      #expect(abs(try #require(summary["elbo"] as? Double)) < 0.05)
      #expect((summary["warnings"] as? [String]) == [])
    }

    @Test func aModelThatAlwaysFailsEndsTheFitInItsOwnWords() async throws {
      let models = try MisbehavingModel()
      let result = try await models.run("throw", ["--workers", "2"])
      #expect(result.exitCode == 65, "\(result)")
      #expect(result.errors.contains("Scale parameter is -1, but must be positive!"), "\(result)")
    }

    @Test func dataThatDoNotFitEndTheFitBeforeThereIsAFolder() async throws {
      let models = try MisbehavingModel()
      let result = try await models.run("refuse")
      #expect(result.exitCode == 65, "\(result)")
      #expect(result.errors.contains("variable name=N"), "\(result)")
      #expect(!FileManager.default.fileExists(atPath: models.folder("refuse")))
    }

    @Test(
      "Where a model rejects a part of the points the fit keeps to the others, and says how many draws were rejected",
      arguments: ["throw_beyond", "nan_beyond"])
    func rejections(mode: String) async throws {
      let models = try MisbehavingModel()
      var digests: Set<String> = []
      for workers in ["1", "3"] {
        let result = try await models.run(mode, ["--workers", workers])
        try #require(result.exitCode == 0, "\(result)")
        digests.insert(try FitFolder(path: models.folder(mode)).digest())
      }
      #expect(digests.count == 1)
      let summary = try models.summary(mode)
      let warnings = try #require(summary["warnings"] as? [String])
      #expect(warnings.contains { $0.hasPrefix("rejected: the target has no density at ") }, "\(warnings)")
      #expect(try #require(summary["elbo"] as? Double).isFinite)
      for file in ["mixture.json", "summary.json", "trace.csv"] {
        // mixture.json names the model's data file, which has the mode's name.
        let text = try FitFolder(path: models.folder(mode)).text(file).lowercased().replacing(mode, with: "")
        #expect(!text.contains("nan") && !text.contains("inf\""))
      }
      #expect(try models.log(mode).contains("the model rejects points: "))
    }

    @Test(
      "What a model prints goes to the log at a bounded rate, never to standard output",
      arguments: ["print", "flood"])
    func printing(mode: String) async throws {
      let models = try MisbehavingModel()
      for workers in ["1", "3"] {
        let result = try await models.run(mode, ["--workers", workers])
        try #require(result.exitCode == 0, "\(result)")
        #expect(!result.output.contains("by hand") && !result.output.contains("evaluated"), "\(result)")
        #expect(!result.output.contains("constructed") && !result.output.contains("xxxx"), "\(result)")
        let lines = try models.log(mode).split(separator: "\n").filter { $0.contains("the model printed: ") }
        #expect((1..<100).contains(lines.count), "\(lines.count)")
      }
    }

    @Test("A tile that crashes one worker after the other is named", arguments: ["1", "2"])
    func crashingTile(workers: String) async throws {
      let models = try MisbehavingModel()
      let result = try await models.run("crash_beyond", ["--workers", workers])
      #expect(result.exitCode == 70, "\(result)")
      #expect(result.errors.contains("3 workers were lost over tile "), "\(result)")
      #expect(result.errors.contains("it was ended by SIGABRT"), "\(result)")
    }

    @Test func aModelThatCrashesAtOnceTakesWorkersAndNotTheCoordinator() async throws {
      let models = try MisbehavingModel()
      let result = try await models.run("crash", ["--workers", "1"])
      #expect(result.exitCode == 69, "\(result)")
      #expect(result.errors.contains("no local worker is left"), "\(result)")
      #expect(result.errors.contains("it was ended by SIGABRT"), "\(result)")
    }

    @Test func aFitWhoseModelSleepsEndsWhenItIsAskedTo() async throws {
      let models = try MisbehavingModel()
      let run = try CommandRun(
        ["fit", try models.spec("sleep"), "--output", models.folder("sleep"), "--workers", "2"],
        in: models.folder)
      #expect(try await run.waitForReady(2, output: models.folder("sleep"), within: 60))
      try await Task.sleep(for: .milliseconds(500))
      run.signal(SIGTERM)
      let result = try await run.finish(within: 30)
      #expect(result.exitCode == 75, "\(result)")
      #expect(run.group.isEmpty)
    }

    @Test func anotherLibraryThanTheFitBeganWithIsRefusedByName() async throws {
      let models = try MisbehavingModel()
      let first = try await models.run("normal", ["--workers", "1"])
      try #require(first.exitCode == 0, "\(first)")
      let other = try StanLibraries.misbehaving("-DTHREADS", in: models.folder)
      try Data(contentsOf: URL(fileURLWithPath: other)).write(to: URL(fileURLWithPath: models.library))
      let resumed = try await models.run("normal", ["--workers", "1", "--resume"])
      #expect(resumed.exitCode == 65 && resumed.errors.contains("the data are others"), "\(resumed)")
    }
  }
}
