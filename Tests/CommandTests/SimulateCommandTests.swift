import Foundation
import TestKit
import Testing

/// The simulator as a command: what it prints replays.
@Suite struct SimulateCommandTests {
  private func simulate(_ options: [String], in folder: TemporaryFolder) async throws -> CommandResult {
    try await CommandRun.run(["simulate"] + options, in: folder)
  }

  @Test func seedGoesTheSameWayInTwoProcesses() async throws {
    let folder = try TemporaryFolder()
    for seed in ["7", "21"] {
      let results = [
        try await simulate(
          ["--seeds", "1", "--first-seed", seed, "--events", folder("events-1.log")], in: folder),
        try await simulate(
          ["--seeds", "1", "--first-seed", seed, "--events", folder("events-2.log")], in: folder),
      ]
      #expect(results.allSatisfy { $0.exitCode == 0 }, "\(results)")
      let digests = results.map { $0.lines.filter { $0.hasPrefix("event log: ") } }
      #expect(digests[0] == digests[1] && digests[0].count == 1)
      let logs = try ["events-1.log", "events-2.log"].map {
        try String(contentsOfFile: folder($0), encoding: .utf8)
      }
      #expect(logs[0] == logs[1] && logs[0].contains("seed \(seed): "))
    }
  }

  @Test func manySeedsGiveOneDigestOnAnyNumberOfCores() async throws {
    let folder = try TemporaryFolder()
    var digests: Set<String> = []
    for _ in 0..<2 {
      let result = try await simulate(["--seeds", "100", "--json"], in: folder)
      #expect(result.exitCode == 0, "\(result)")
      let json = try #require(
        try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
      #expect(json["seeds"] as? Int == 100 && (json["failed_seeds"] as? [Any])?.isEmpty == true)
      digests.insert(try #require(json["event_digest"] as? String))
    }
    #expect(digests.count == 1)
  }

  @Test(arguments: [
    ["--seeds", "0"], ["--faults", "earthquake"], ["--workers", "0"], ["--events", "x"],
  ])
  func otherWordsAreUsageErrors(_ options: [String]) async throws {
    let result = try await simulate(options, in: TemporaryFolder())
    #expect(result.exitCode == 64, "\(result)")
  }

  @Test func faultsCanBeChosen() async throws {
    let folder = try TemporaryFolder()
    let none = try await simulate(["--seeds", "20", "--faults", "none"], in: folder)
    #expect(none.exitCode == 0 && none.output.contains("faults: none"), "\(none)")
    let some = try await simulate(["--seeds", "20", "--workers", "3", "--faults", "crash,loss"], in: folder)
    #expect(some.exitCode == 0 && some.output.contains("crash "), "\(some)")
    #expect(!some.output.contains("partition "), "\(some)")
  }
}
