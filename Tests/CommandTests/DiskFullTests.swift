import Foundation
import TestKit
import Testing

extension Commands {
  /// An output folder that can't be written, from the start or from some time on.
  @Suite(.serialized, .enabled(if: SmallDisk.unavailable == nil, "\(SmallDisk.unavailable ?? "")"))
  struct FullDisks {
    private static let settings = setting(
      "inference.iterations=12000", "inference.objective.every=100", "inference.objective.draws=50",
      "inference.diagnosis.draws=400")

    private func arguments(_ output: String, workers: Int) -> [String] {
      ["fit", Examples.breastCancer, "--output", output, "--workers", "\(workers)"]
        + ["--progress", "plain", "--checkpoint-interval", "0.05"] + FullDisks.settings
    }

    /// Nothing is left for anything, or just enough for the trace and not for a checkpoint.
    @Test(arguments: [1, 2], [0, 2])
    func fullDiskIsSaidAndLosesNothing(workers: Int, roomLeft_kB: Int) async throws {
      let folder = try TemporaryFolder()
      let undisturbed = try await fit(
        Examples.breastCancer, FullDisks.settings + ["--workers", "1"], in: folder, output: "undisturbed")
      // With room for the results once the filler is gone.
      let disk = try SmallDisk(kilobytes: 3_000)
      let output = disk("out")
      let run = try CommandRun(arguments(output, workers: workers), in: folder)
      let hasCheckpoint = try await eventually(within: 30) {
        run.hasEnded || CoordinatorMonkey.checkpoints(in: output).count == 2
      }
      try #require(hasCheckpoint && !run.hasEnded, "\(run.errors)")
      // Checkpoints come and go, so there may be room again just after the disk was full.
      let isFull = try await eventually(within: 30) {
        try disk.fill(leaving: roomLeft_kB)
        return run.hasEnded
      }
      let end = try await run.finish(within: 30)
      #expect(isFull && end.exitCode == 73, "\(end)")
      #expect(end.errors.contains("No space left on device"), "\(end)")
      #expect(end.errors.contains(disk.path), "it says where: \(end)")
      disk.makeRoom()
      let resumed = try await CommandRun.run(
        arguments(output, workers: 3 - workers) + ["--resume"], in: folder)
      #expect(resumed.exitCode == 0, "\(resumed)")
      let done = FitFolder(path: output)
      #expect(try done.digest() == undisturbed.digest())
      #expect(try done.json("summary.json")["iterations"] as? Int == 12_000)
      #expect(try done.text("log.jsonl").contains("resumed from iteration"))
      withExtendedLifetime(disk) {}
    }

    @Test func fullDiskAtTheLastFilesLosesNothing() async throws {
      let folder = try TemporaryFolder()
      let disk = try SmallDisk(kilobytes: 24_000)
      let output = disk("out")
      // Enough for everything but the draws.
      try disk.fill(leaving: 2_000)
      let settings = setting("inference.iterations=300")
      let run = try await CommandRun.run(
        ["fit", Examples.breastCancer, "--output", output, "--progress", "none"] + settings, in: folder)
      #expect(run.exitCode == 73, "\(run)")
      #expect(run.errors.contains("can't write \(output)/fit.nc: No space left on device"), "\(run)")
      #expect(run.errors.contains("--resume"), "\(run)")
      let done = FitFolder(path: output)
      #expect(done.has("mixture.json") && !done.has("summary.json"))
      #expect(
        try !FileManager.default.contentsOfDirectory(atPath: output).contains { $0.hasPrefix("fit.nc") })
      disk.makeRoom()
      let resumed = try await CommandRun.run(
        ["fit", Examples.breastCancer, "--output", output, "--resume", "--progress", "none"] + settings,
        in: folder)
      #expect(resumed.exitCode == 0 && done.has("fit.nc"), "\(resumed)")
      #expect(try done.json("summary.json")["iterations"] as? Int == 300)
      withExtendedLifetime(disk) {}
    }

    @Test func readOnlyDiskIsRefusedAtOnce() async throws {
      let folder = try TemporaryFolder()
      let disk = try SmallDisk(kilobytes: 96)
      try disk.makeReadOnly()
      let result = try await CommandRun.run(arguments(disk("out"), workers: 2), in: folder)
      withExtendedLifetime(disk) {}
      #expect(result.exitCode == 73, "\(result)")
      #expect(
        result.errors.contains("can't make the folder \(disk.path)/out: Read-only file system"), "\(result)")
    }

    @Test func fullDiskAtTheStartIsRefused() async throws {
      let folder = try TemporaryFolder()
      let disk = try SmallDisk(kilobytes: 96)
      try disk.fill()
      let result = try await CommandRun.run(arguments(disk("out"), workers: 2), in: folder)
      withExtendedLifetime(disk) {}
      #expect(result.exitCode == 73, "\(result)")
      #expect(
        result.errors.contains("No space left on device") && result.errors.contains(disk.path), "\(result)")
    }
  }
}
