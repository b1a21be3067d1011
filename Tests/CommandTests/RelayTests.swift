import Foundation
import TestKit
import Testing

extension Commands {
  /// Workers behind relays, over real sockets.
  @Suite(.serialized) struct Relays {
    /// A relay of a fit, and its workers.
    private struct Rack {
      let folder: TemporaryFolder
      let name: String
      private(set) var relay: CommandRun
      var workers: [CommandRun] = []

      var publication: String { folder("\(name).json") }

      init(
        _ name: String, of live: LiveFit, workers count: Int, options: [String] = [],
        in folder: TemporaryFolder
      )
        async throws
      {
        self.folder = folder
        self.name = name
        relay = try Rack.start(name, of: live, options: options, in: folder)
        for _ in 0..<count {
          workers.append(try CommandRun(["worker", "--rendezvous", publication], in: folder))
        }
      }

      private static func start(
        _ name: String, of live: LiveFit, options: [String], in folder: TemporaryFolder
      ) throws
        -> CommandRun
      {
        try CommandRun(
          [
            "relay", "--rendezvous", "\(live.files.path)/rendezvous.json", "--listen", "tcp://127.0.0.1:0",
            "--publish",
            folder("\(name).json"),
          ] + options, in: folder)
      }

      mutating func restart(of live: LiveFit) throws {
        relay = try Rack.start(name, of: live, options: [], in: folder)
      }
    }

    @Test func workersAndRelaysComeAndGoBehindACoordinator() async throws {
      let folder = try TemporaryFolder()
      var live = try LiveFit(
        Examples.breastCancer,
        [
          "--workers", "0", "--listen", "tcp://127.0.0.1:0", "--silence-timeout", "5",
          "--checkpoint-interval", "0.2",
        ],
        in: folder)
      var first = try await Rack("first", of: live, workers: 2, in: folder)
      let second = try await Rack("second", of: live, workers: 1, in: folder)
      try await live.waitForWorkers(3)
      // A worker behind a relay is lost, and named.
      let victim = first.workers[0]
      victim.signal(SIGKILL)
      try await live.waitForLog("lost worker \(try hostName())/\(victim.processID)")
      try await live.waitForWorkers(2)
      // A relay is lost with its worker, which waits for another one.
      first.relay.signal(SIGKILL)
      try await live.waitForLog("lost relay")
      try await live.waitForWorkers(1)
      try first.restart(of: live)
      try await live.waitForWorkers(2)
      // The coordinator dies and comes back: relays find it, and their workers stay with them.
      live.run.signal(SIGKILL)
      _ = try await live.run.finish(within: 20)
      try live.resume(["--workers", "0", "--listen", "tcp://127.0.0.1:0"])
      try await live.waitForWorkers(2, within: 60)
      try await live.waitForProgress()
      let summary = try await live.stopAndExpectUndisturbedBits()
      #expect(summary["workers"] as? Int == 2)
      withExtendedLifetime(second) {}
    }

    @Test func aRelayThatLeavesLeavesItsWorkersWaiting() async throws {
      let folder = try TemporaryFolder()
      let live = try LiveFit(
        Examples.breastCancer, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"],
        settings: LiveFit.often, in: folder)
      let rack = try await Rack("rack", of: live, workers: 2, in: folder)
      try await live.waitForWorkers(2)
      try await live.waitForProgress()
      // A relay that is asked to leave leaves; its workers wait for another.
      rack.relay.signal(SIGTERM)
      let end = try await rack.relay.finish(within: 20)
      #expect(end.exitCode == 0, "\(end)")
      #expect(!FileManager.default.fileExists(atPath: rack.publication))
      #expect(rack.workers.allSatisfy { !$0.hasEnded })
      try await live.stopAndExpectUndisturbedBits()
    }

    /// N·(d + 1) numbers down and N·(d + 2) up an iteration, for a relay with any number of workers.
    @Test func bytesOfACoordinatorDoNotGrowWithTheWorkersBehindItsRelays() async throws {
      let folder = try TemporaryFolder()
      var traffic: [(down: Double, up: Double)] = []
      for workers in [1, 4] {
        let live = try LiveFit(
          Examples.components200, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"],
          settings: LiveFit.often,
          in: folder, output: "out\(workers)")
        let rack = try await Rack("rack\(workers)", of: live, workers: workers, in: folder)
        try await live.waitForWorkers(workers)
        try await live.waitForProgress(rows: 1)
        live.run.signal(SIGTERM)
        _ = try await live.run.finish(within: 40)
        let summary = try live.files.json("summary.json")
        let bytes = try #require(summary["bytes_per_iteration"] as? [String: Double])
        traffic.append((try #require(bytes["down"]), try #require(bytes["up"])))
        withExtendedLifetime(rack) {}
      }
      let (components, dimension) = (200.0, 30.0)
      for (down, up) in traffic {
        // And the names of some pieces, and of sums that are held.
        #expect(down < 8 * components * (dimension + 1) * 1.05, "\(traffic)")
        #expect(up < 8 * components * (dimension + 2) * 1.25, "\(traffic)")
      }
    }

    @Test func aRelayWantsKeysWhereOtherMachinesCanConnect() async throws {
      let folder = try TemporaryFolder()
      let open = ["relay", "--connect", "tcp://127.0.0.1:1", "--listen", "tcp://0.0.0.0:0", "--wait", "0"]
      let refused = try await CommandRun.run(open, in: folder)
      #expect(refused.exitCode == 64 && refused.errors.contains("--listen-keys"), "\(refused)")
      let alone = try await CommandRun.run(
        ["relay", "--connect", "tcp://127.0.0.1:1", "--listen", "tcp://127.0.0.1:0", "--wait", "0"],
        in: folder)
      #expect(alone.exitCode == 69 && alone.errors.contains("no coordinator"), "\(alone)")
    }

    @Test func workersBehindARelayMayHaveKeysOfTheirOwn() async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", in: folder)
      let rackKeys = try await KeyPlace("rack-keys", in: folder)
      let live = try LiveFit(
        Examples.breastCancer, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"] + keys.options, in: folder)
      let rack = try await Rack(
        "rack", of: live, workers: 0, options: keys.options + ["--listen-keys", folder("rack-keys")],
        in: folder)
      try #require(
        try await eventually(within: 20) { FileManager.default.fileExists(atPath: rack.publication) })
      let worker = try CommandRun(
        ["worker", "--rendezvous", rack.publication] + rackKeys.options, in: folder)
      try await live.waitForWorkers(1)
      // The fit's keys are not the rack's.
      let stranger = try await CommandRun.run(
        ["worker", "--rendezvous", rack.publication, "--wait", "6"] + keys.options, in: folder)
      #expect(stranger.exitCode == 77 || stranger.exitCode == 69, "\(stranger)")
      try await live.stopAndExpectUndisturbedBits()
      withExtendedLifetime(worker) {}
    }

    private func hostName() throws -> String {
      var buffer = [CChar](repeating: 0, count: 256)
      gethostname(&buffer, 255)
      return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
