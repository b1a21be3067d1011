import Foundation
import TestKit
import Testing

extension Commands {
  /// Gradients of a batch of rows, and everything else of all rows.
  @Suite(.serialized) struct Minibatches {
    private static let automatic = Examples.breastCancer.replacingOccurrences(
      of: "breast-cancer.yaml", with: "breast-cancer-auto.yaml")

    @Test(arguments: ["100", "{rows: 100, control_variate: true}"])
    func batchesReachTheFitOfAllRowsOnAnyNumberOfWorkers(minibatch: String) async throws {
      let folder = try TemporaryFolder()
      var digests: [String] = []
      for workers in [1, 3] {
        let done = try await fit(
          Self.automatic,
          setting("inference.minibatch=\(minibatch)", "inference.iterations=4000") + [
            "--workers", "\(workers)",
          ],
          in: folder, output: "out-\(workers)")
        let summary = try done.json("summary.json")
        // The fit of all rows ends at −28.19 ± 0.05 over seeds (cluster/examples/README.md), these at −28.3 to −28.6.
        #expect(try #require(summary["elbo"] as? Double) > -28.8, "\(summary)")
        #expect((summary["warnings"] as? [String])?.isEmpty == true, "\(summary)")
        digests.append(try done.digest())
      }
      #expect(digests[0] == digests[1])
    }

    @Test func interruptedBatchesGoOnToTheSameBits() async throws {
      let folder = try TemporaryFolder()
      let options = setting(
        "inference.minibatch={rows: 64, control_variate: true, refresh: 7}", "inference.iterations=4000",
        "inference.stop=iterations")
      let whole = try await fit(Self.automatic, options + ["--workers", "1"], in: folder, output: "whole")
      let arguments =
        ["fit", Self.automatic, "--output", folder("out"), "--progress", "none"]
        + ["--checkpoint-interval", "0.02"] + options
      let run = try CommandRun(arguments + ["--workers", "2"], in: folder)
      let checkpoints = folder("out/checkpoint")
      let hasBegun = try await eventually(within: 30) {
        run.hasEnded
          || ((try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? []).count >= 2
      }
      #expect(hasBegun && !run.hasEnded, "\(run.errors)")
      run.signal(SIGKILL)
      _ = try await run.finish(within: 20)
      let resumed = try await CommandRun.run(arguments + ["--workers", "3", "--resume"], in: folder)
      #expect(resumed.exitCode == 0, "\(resumed)")
      #expect(try FitFolder(path: folder("out")).digest() == whole.digest())
    }

    @Test func aBatchOfAllRowsIsTheFitOfAllRowsWithAWarning() async throws {
      let folder = try TemporaryFolder()
      let short = setting("inference.iterations=200") + ["--workers", "1"]
      let whole = try await fit(Self.automatic, short, in: folder, output: "whole")
      let done = try await fit(
        Self.automatic, short + setting("inference.minibatch=1000"), in: folder, output: "out")
      #expect(try done.digest() == whole.digest())
      let warnings = try #require(try done.json("summary.json")["warnings"] as? [String])
      #expect(
        warnings.contains { $0.hasPrefix("inference.minibatch: 1000 rows are no fewer than") }, "\(warnings)")
    }

    @Test func aMinibatchWithoutRowsIsRefusedAtItsLine() async throws {
      let folder = try TemporaryFolder()
      let spec = try folder.write(
        "model: {family: funnel}\nmixture: {components: 2}\ninference:\n  minibatch: 100\n", to: "funnel.yaml"
      )
      let run = try await CommandRun.run(["fit", spec, "--output", folder("out")], in: folder)
      #expect(run.exitCode == 65)
      #expect(run.errors.contains("funnel.yaml:4:14: inference.minibatch draws rows of a data set"), "\(run)")
    }
  }
}
