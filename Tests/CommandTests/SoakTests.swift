import Foundation
import TestKit
import Testing

extension Commands {
  /// A long fit whose workers come, go, stop and die all the time.
  ///
  ///     ISOMIX_SOAK=1 ISOMIX_SOAK_MINUTES=20 swift test -c release --filter LongRuns
  @Suite(.serialized, .enabled(if: Soak.isWanted, Soak.reason)) struct LongRuns {
    private static let minutes =
      ProcessInfo.processInfo.environment["ISOMIX_SOAK_MINUTES"].flatMap { Double($0) } ?? 20

    /// What happens to workers, one after the other.
    private enum Event: CaseIterable {
      case remoteJoins, remoteLeaves, remoteIsKilled, localIsKilled, anyIsStopped
    }

    @Test func workersComeAndGoAndMemoryStaysFlat() async throws {
      let seed = UInt64(ProcessInfo.processInfo.environment["ISOMIX_SOAK_SEED"] ?? "") ?? 1
      print("soak: \(LongRuns.minutes) minutes, seed \(seed)")
      var generator = SeededGenerator(seed: seed)
      let folder = try TemporaryFolder()
      let live = try LiveFit(
        Examples.breastCancer, ["--workers", "2", "--listen", "tcp://127.0.0.1:0"],
        settings: setting("inference.objective.every=10000", "inference.objective.draws=50"), in: folder)
      try #require(try await live.run.waitForReady(2, output: live.files.path))
      var remote: [CommandRun] = []
      var events = 0
      var memory_kB: [Int] = []
      let start = ContinuousClock.now
      let end = start.advanced(by: .seconds(60 * LongRuns.minutes))
      var next = start
      while ContinuousClock.now < end {
        try #require(!live.run.hasEnded, "\(live.run.errors)")
        memory_kB.append(try #require(ProcessTable.kilobytes("VmRSS", of: live.run.processID)))
        if next <= .now, try await disturb(live, &remote, &generator) {
          events += 1
          next = .now.advanced(by: .milliseconds(Int.random(in: 2_000...8_000, using: &generator)))
        }
        try await Task.sleep(for: .seconds(1))
      }
      try await live.waitForProgress(rows: 1, within: 60)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      expectFlat(memory_kB)
      let lines = live.log.split(separator: "\n").count
      #expect(Double(lines) < max(60, seconds), "\(lines) lines of log in \(seconds) s")
      #expect(Double(events) > seconds / 30, "\(events) events in \(seconds) s")
      let summary = try await live.stopAndExpectUndisturbedBits(within: 120 + 4 * seconds)
      print("soak: \(events) events, \(lines) lines of log, \(summary["iterations"] ?? 0) iterations,")
      print(
        "soak: memory \(memory_kB.first ?? 0) to \(memory_kB.last ?? 0) kB, at most \(memory_kB.max() ?? 0)")
      for worker in remote { worker.signal(SIGKILL) }
      try await Commands.expectNothingLeft(of: live.run, in: folder)
    }

    /// Lets one thing happen; false when it can't happen now.
    private func disturb(
      _ live: LiveFit, _ remote: inout [CommandRun], _ generator: inout SeededGenerator
    ) async throws -> Bool {
      remote.removeAll { $0.hasEnded }
      switch Event.allCases.randomElement(using: &generator) ?? .remoteJoins {
      case .remoteJoins:
        guard remote.count < 4 else { return false }
        remote.append(try live.worker())
      case .remoteLeaves:
        guard let leaving = remote.randomElement(using: &generator) else { return false }
        leaving.signal(SIGTERM)
        let end = try await leaving.finish(within: 30)
        #expect(end.exitCode == 0, "\(end)")
      case .remoteIsKilled:
        guard let victim = remote.randomElement(using: &generator) else { return false }
        victim.signal(SIGKILL)
      case .localIsKilled:
        guard let victim = live.run.workers.sorted().randomElement(using: &generator) else { return false }
        kill(victim, SIGKILL)
      case .anyIsStopped:
        let all = live.run.workers + remote.map(\.processID)
        var monkey = WorkerMonkey(seed: generator.next())
        monkey.killShare = 0
        let faults = try await monkey.disturb(
          { all }, faults: 1, while: { !live.run.hasEnded }, within: 5)
        return faults.pauses == 1
      }
      return true
    }

    /// The last quarter takes no more memory than the second one did.
    private func expectFlat(_ samples_kB: [Int]) {
      let quarter = samples_kB.count / 4
      guard quarter >= 5 else { return }
      func median(_ samples: ArraySlice<Int>) -> Int { samples.sorted()[samples.count / 2] }
      let (second, last) = (median(samples_kB[quarter..<2 * quarter]), median(samples_kB.suffix(quarter)))
      #expect(last < second + 16_384, "from \(second) kB to \(last) kB")
    }
  }
}
