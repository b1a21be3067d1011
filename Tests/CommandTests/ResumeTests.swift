import Foundation
import TestKit
import Testing

extension Commands {
  /// A fit that was broken off goes on to the bits of one that was not.
  @Suite(.serialized) struct Resume {
    private static let options = setting("inference.iterations=6000", "inference.objective.every=500")

    /// The undisturbed fit.
    private func reference(in folder: TemporaryFolder) async throws -> FitFolder {
      try await fit(
        Examples.breastCancer, Resume.options + ["--workers", "1"], in: folder, output: "reference")
    }

    /// Starts a fit and disturbs it once it has checkpoints.
    private func interrupt(
      _ folder: TemporaryFolder, with signal: Int32, workers: Int, resuming: Bool = false,
      _ more: [String] = []
    ) async throws -> CommandResult {
      let run = try CommandRun(
        ["fit", Examples.breastCancer, "--output", folder("out"), "--workers", "\(workers)"]
          + ["--progress", "none", "--checkpoint-interval", "0.05"] + (resuming ? ["--resume"] : [])
          + Resume.options + more, in: folder)
      let before = Set(checkpoints(folder))
      let hasNew = try await eventually(within: 30) {
        run.hasEnded || Set(checkpoints(folder)).subtracting(before).count >= 2
      }
      #expect(hasNew && !run.hasEnded, "\(run.errors)")
      run.signal(signal)
      return try await run.finish(within: 20)
    }

    private func checkpoints(_ folder: TemporaryFolder) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: folder("out/checkpoint"))) ?? [])
        .filter { $0.hasSuffix(".checkpoint") }.sorted()
    }

    private func resume(_ folder: TemporaryFolder, workers: Int, _ more: [String] = []) async throws
      -> CommandResult
    {
      try await CommandRun.run(
        ["fit", Examples.breastCancer, "--output", folder("out"), "--workers", "\(workers)", "--resume"]
          + ["--progress", "plain"] + Resume.options + more, in: folder)
    }

    /// The trace without times and numbers of workers.
    private func course(_ fit: FitFolder) throws -> [String] {
      try fit.text("trace.csv").split(separator: "\n").map {
        let cells = $0.split(separator: ",", omittingEmptySubsequences: false)
        return ([cells[0]] + cells[2..<9]).joined(separator: ",")
      }
    }

    @Test func interruptionsAndDeathsDoNotChangeTheResult() async throws {
      let folder = try TemporaryFolder()
      let whole = try await reference(in: folder)
      let first = try await interrupt(folder, with: SIGTERM, workers: 2)
      #expect(first.exitCode == 75)
      #expect(first.errors.contains("--resume"))
      let second = try await interrupt(folder, with: SIGKILL, workers: 3, resuming: true)
      #expect(second.exitCode == -SIGKILL)
      let third = try await interrupt(folder, with: SIGUSR1, workers: 1, resuming: true)
      #expect(third.exitCode == 75)
      let last = try await resume(folder, workers: 2)
      #expect(last.exitCode == 0, "\(last)")
      let resumed = FitFolder(path: folder("out"))
      #expect(try resumed.digest() == whole.digest())
      #expect(try course(resumed) == course(whole))
      #expect(try resumed.json("summary.json")["iterations"] as? Int == 6000)
      #expect(try resumed.text("log.jsonl").contains("resumed from iteration"))
    }

    /// The same for everything that an automatic fit keeps: coordinates, moved components, averages.
    @Test func theSameCommandBeginsGoesOnAndFindsTheFitFinished() async throws {
      let folder = try TemporaryFolder()
      let whole = try await reference(in: folder)
      let flag = ["--resume-if-possible"]
      _ = try await interrupt(folder, with: SIGKILL, workers: 1, flag)
      let killed = FitFolder(path: folder("out"))
      #expect(killed.has("checkpoint") && !killed.has("summary.json"))
      for _ in 0..<2 {
        let result = try await CommandRun.run(
          ["fit", Examples.breastCancer, "--output", folder("out"), "--workers", "1", "--progress", "none"]
            + Resume.options + flag, in: folder)
        #expect(result.exitCode == 0, "\(result)")
        #expect(try killed.digest() == whole.digest())
      }
      #expect(try killed.text("log.jsonl").contains("resumed from iteration"))
      #expect(!FileManager.default.fileExists(atPath: folder("out.1")), "nothing is moved aside")
    }

    @Test func automaticFitGoesOnToTheSameBits() async throws {
      let folder = try TemporaryFolder()
      let spec = try SameBitsCase.fourModes(in: folder)
      // Many samples, so that it lasts long enough to be broken off in every phase.
      let options = setting("inference.samples=400", "inference.iterations=2500")
      let whole = try await fit(spec, options + ["--workers", "1"], in: folder, output: "reference")
      var deaths = 0
      while deaths < 12 {
        let run = try CommandRun(
          ["fit", spec, "--output", folder("out"), "--workers", "\(1 + deaths % 3)", "--progress", "none"]
            + ["--checkpoint-interval", "0.02"] + (deaths > 0 ? ["--resume"] : []) + options, in: folder)
        let before = Set(checkpoints(folder))
        let isOver = try await eventually(within: 60) {
          run.hasEnded || Set(checkpoints(folder)).subtracting(before).count >= 2
        }
        #expect(isOver)
        if run.hasEnded { break }
        run.signal(deaths % 2 == 0 ? SIGKILL : SIGTERM)
        _ = try await run.finish(within: 20)
        deaths += 1
      }
      #expect(deaths >= 3)
      let last = try await CommandRun.run(
        ["fit", spec, "--output", folder("out"), "--workers", "2", "--resume", "--progress", "none"]
          + options,
        in: folder)
      #expect(last.exitCode == 0, "\(last)")
      let resumed = FitFolder(path: folder("out"))
      #expect(try resumed.digest() == whole.digest())
      #expect(try course(resumed) == course(whole))
      for key in ["elbo", "khat"] {
        #expect(
          try resumed.json("summary.json")[key] as? Double == whole.json("summary.json")[key] as? Double)
      }
    }

    @Test(arguments: ["truncated", "altered", "emptied"])
    func damagedCheckpointIsNamedAndTheOlderOneUsed(damage: String) async throws {
      let folder = try TemporaryFolder()
      let whole = try await reference(in: folder)
      _ = try await interrupt(folder, with: SIGKILL, workers: 1)
      let names = checkpoints(folder)
      #expect(names.count == 2, "two are kept: \(names)")
      let newest = folder("out/checkpoint/\(names[names.count - 1])")
      var bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
      switch damage {
      case "truncated": bytes.removeLast(100)
      case "altered": bytes[bytes.count / 2] ^= 1
      default: bytes = Data()
      }
      try bytes.write(to: URL(fileURLWithPath: newest))
      let result = try await resume(folder, workers: 2)
      #expect(result.exitCode == 0, "\(result)")
      #expect(result.errors.contains(newest) && result.errors.contains("is not used"), "\(result)")
      #expect(try FitFolder(path: folder("out")).digest() == whole.digest())
    }

    @Test func nothingIsBegunAnewWhenNoCheckpointCanBeRead() async throws {
      let folder = try TemporaryFolder()
      _ = try await interrupt(folder, with: SIGKILL, workers: 1)
      let names = checkpoints(folder)
      for name in names {
        try Data("ISMXCKPT".utf8).write(to: URL(fileURLWithPath: folder("out/checkpoint/\(name)")))
      }
      let result = try await resume(folder, workers: 1)
      #expect(result.exitCode == 65, "\(result)")
      #expect(result.errors.contains("can't resume"), "\(result)")
      #expect(result.errors.contains("it is not a checkpoint"), "\(result)")
      #expect(checkpoints(folder) == names)
    }

    @Test func anotherFitIsNotResumed() async throws {
      let folder = try TemporaryFolder()
      _ = try await interrupt(folder, with: SIGTERM, workers: 1)
      let seed = try await resume(folder, workers: 1, ["--seed", "5"])
      #expect(seed.exitCode == 65)
      #expect(seed.errors.contains("the spec is another one"), "\(seed)")
      var lines = try String(contentsOfFile: Examples.data("breast-cancer-train.csv"), encoding: .utf8)
        .split(separator: "\n")
      lines.swapAt(1, 2)
      let data = try folder.write(lines.joined(separator: "\n") + "\n", to: "other.csv")
      let other = try await resume(folder, workers: 1, setting("data.train=\(data)"))
      #expect(other.exitCode == 65, "\(other)")
      let nothing = try await CommandRun.run(
        ["fit", Examples.breastCancer, "--output", folder("nowhere"), "--resume"], in: folder)
      #expect(nothing.exitCode == 66)
      #expect(nothing.errors.contains("no fit in"))
    }
  }
}
