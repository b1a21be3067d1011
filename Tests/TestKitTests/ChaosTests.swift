import Foundation
import TestKit
import Testing

/// The monkeys at shells that start `sleep` again when it is killed.
@Suite(.serialized) struct ChaosTests {
  /// A parent that keeps three children.
  private func keeper(in folder: TemporaryFolder) throws -> CommandRun {
    let script = "for i in 1 2 3; do (while :; do sleep 1000; done) & done; wait"
    return try CommandRun(["-c", script], in: folder, executable: "/bin/bash")
  }

  private func victims(of run: CommandRun) -> [pid_t] {
    ProcessTable.living().filter { $0.group == run.processID && $0.arguments.first == "sleep" }.map(
      \.processID)
  }

  @Test func monkeyInjectsWhatItCounts() async throws {
    let folder = try TemporaryFolder()
    let run = try keeper(in: folder)
    var monkey = WorkerMonkey(seed: 3)
    monkey.interval_ms = 1...5
    monkey.pause_ms = 1...50
    var seen = Set<pid_t>()
    let faults = try await monkey.disturb(
      {
        let now = victims(of: run)
        seen.formUnion(now)
        return now
      }, faults: 60, while: { !run.hasEnded }, within: 600)
    #expect(faults.total == 60)
    #expect(faults.kills > 15 && faults.pauses > 15, "\(faults)")
    #expect(try await eventually(within: 10) { victims(of: run).count == 3 })
    seen.formUnion(victims(of: run))
    // Each killed process has a successor, and nobody else was hurt.
    #expect(seen.count == 3 + faults.kills)
    #expect(victims(of: run).compactMap { ProcessTable.entry($0)?.state }.allSatisfy { $0 != "T" })
  }

  @Test func monkeyGivesUpWhereThereIsNobody() async throws {
    var monkey = WorkerMonkey(seed: 4)
    monkey.interval_ms = 1...2
    let none = try await monkey.disturb({ [] }, faults: 3, while: { true }, within: 0.2)
    #expect(none.total == 0)
    let ended = try await monkey.disturb({ [getpid()] }, faults: 3, while: { false })
    #expect(ended.total == 0)
  }

  @Test func coordinatorsAreKilledAfterACheckpoint() async throws {
    let folder = try TemporaryFolder()
    var monkey = CoordinatorMonkey(seed: 5)
    monkey.delay_ms = 100...200
    monkey.farewell_s = 0.5
    // A child that does not end with its parent is an error.
    await #expect(throws: TestKitError.self) {
      _ = try await monkey.killRepeatedly(times: 1, output: folder.path) { _ in
        try CommandRun(
          [
            "-c",
            "mkdir -p \(folder("checkpoint")); touch \(folder("checkpoint"))/a.checkpoint; sleep 5 & wait",
          ],
          in: folder, executable: "/bin/bash")
      }
    }
    // The fourth one ends by itself.
    let kills = try await monkey.killRepeatedly(times: 10, output: folder.path) { kills in
      let script = """
        sleep 0.05; touch \(folder("checkpoint"))/\(kills).checkpoint
        \(kills < 3 ? "exec sleep 1000" : "exit 0")
        """
      return try CommandRun(["-c", script], in: folder, executable: "/bin/bash")
    }
    #expect(kills == 3)
  }
}
