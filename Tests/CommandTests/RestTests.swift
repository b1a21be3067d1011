import Foundation
import TestKit
import Testing

extension Commands {
  /// Workers that would only take turns on a processor.
  @Suite struct RestTests {
    /// The first processor that this process may use.
    private static func processor() throws -> String {
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") })
      return String(try #require(line.split { !$0.isNumber }.first))
    }

    @Test("Of more workers than processors some rest, unless the user says otherwise; the bits are the same")
    func rest() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=300")
      let serial = try await fit(
        Examples.breastCancer, options + ["--workers", "1"], in: folder, output: "serial")
      let processor = try Self.processor()
      for (name, extra, environment, resting) in [
        ("rest", [], "", true), ("all", ["--no-rest"], "", false), ("environment", [], "1", false),
      ] {
        let result = try await CommandRun.run(
          [
            "-c", processor, CommandRun.executable, "fit", Examples.breastCancer, "--output", folder(name),
            "--progress", "none", "--workers", "4",
          ] + options + extra, in: folder, environment: ["ISOMIX_NO_REST": environment],
          executable: "/usr/bin/taskset")
        try #require(result.exitCode == 0, "\(result)")
        let fitted = FitFolder(path: folder(name))
        let log = try fitted.text("log.jsonl")
        #expect(log.contains("1 of 4 workers take part in an iteration") == resting, "\(name): \(log)")
        #expect(try fitted.digest() == serial.digest())
      }
    }
  }
}
