import Foundation
import TestKit
import Testing

extension Commands {
  /// Draws and predictions for the reader of a pipe.
  @Suite(.serialized) struct Pipes {
    /// A command that writes more than a pipe holds, and how many lines it writes.
    private func longOutput(in folder: TemporaryFolder, lines: Int, _ name: String) async throws -> [String] {
      guard name == "predict" else {
        let done = try await fit(Examples.mixture2D, setting("inference.iterations=5"), in: folder)
        return ["sample", done.path, "--draws", "\(lines - 1)"]
      }
      try folder.write("a,y\n1,2\n2,1\n3,5\n4,3\n", to: "train.csv")
      try folder.write("a\n" + String(repeating: "0.125\n", count: lines - 1), to: "new.csv")
      let spec = try folder.write(
        "model: {family: linear, response: y, noise: 0.7}\n"
          + "data: {train: train.csv}\nmixture: {components: 2}\ninference: {iterations: 5}\n",
        to: "spec.yaml")
      let done = try await fit(spec, in: folder)
      return ["predict", done.path, "--data", folder("new.csv")]
    }

    @Test(arguments: [
      (["--format", "csv"], "head -n 1"), (["--format", "stan-csv"], "head -n 1"),
      (["--format", "npy"], "head -c 6"),
    ])
    func noMoreIsDrawnThanIsRead(_ format: [String], _ reader: String) async throws {
      let folder = try TemporaryFolder()
      let command = try await longOutput(in: folder, lines: 1 << 32, "sample") + format
      let run = try await CommandRun.run(
        [
          "-c",
          "\(([CommandRun.executable] + command).joined(separator: " ")) | \(reader); exit ${PIPESTATUS[0]}",
        ],
        in: folder, executable: "/bin/bash", within: 30)
      #expect(run.exitCode == 0 && !run.output.isEmpty && run.errors.isEmpty, "\(run)")
    }

    @Test(arguments: ["sample", "predict"])
    func pipeMayBeMadeNotToBlock(_ name: String) async throws {
      let folder = try TemporaryFolder()
      let lines = 20_000
      let command = try await longOutput(in: folder, lines: lines, name)
      let script = """
        import os, subprocess, sys, time
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        process = subprocess.Popen(sys.argv[1:], stdout=writer)
        os.close(writer)
        time.sleep(1)
        sys.stdout.write(os.fdopen(reader).read())
        sys.exit(process.wait())
        """
      let run = try await CommandRun.run(
        ["-c", script, CommandRun.executable] + command, in: folder, executable: "/usr/bin/python3")
      #expect(run.exitCode == 0, "\(run)")
      let asUsual = try await CommandRun.run(command, in: folder)
      #expect(asUsual.lines.count == lines && run.output == asUsual.output)
    }
  }
}
