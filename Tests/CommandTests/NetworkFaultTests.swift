import Foundation
import TestKit
import Testing

extension Commands {
  /// A bad network between real processes: slow, silent, cut; by a proxy, and in networks of the kernel.
  @Suite(.serialized) struct NetworkFaults {
    /// A fit whose state takes longer to send over a slow link than the silence that is tolerated.
    private static func largeState(in folder: TemporaryFolder) throws -> String {
      let means = (0..<1000).map { "\(Double($0 % 7) / 7)" }.joined(separator: ", ")
      return try folder.write(
        """
        model: {family: gaussian, mean: [\(means)], covariance: 1}
        mixture: {components: 50, initial: {uniform: {low: -1, high: 1, variance: 1}}}
        inference: {metric: unit, step_size: 0.01, samples: 2, iterations: 1, objective: {draws: 100, every: 100}, diagnosis: {draws: 0}}
        """, to: "large.yaml")
    }

    @Test func slowLinkNeverLosesTheWorker() async throws {
      let folder = try TemporaryFolder()
      let spec = try NetworkFaults.largeState(in: folder)
      let undisturbed = try await fit(spec, ["--workers", "1"], in: folder, output: "undisturbed")
      // 400 kB of state take 4 s: longer than the timeout, but something arrives all the time.
      let run = try CommandRun(
        ["fit", spec, "--output", folder("out"), "--workers", "0", "--listen", "tcp://127.0.0.1:0"]
          + ["--silence-timeout", "3", "--progress", "none"], in: folder)
      let proxy = try await TCPProxy(to: Commands.endpoint(of: folder("out")))
      proxy.throttle(bytesPerSecond: 100_000)
      let worker = try CommandRun(["worker", "--connect", proxy.endpoint], in: folder)
      let result = try await run.finish(within: 110)
      #expect(result.exitCode == 0, "\(result)")
      let done = FitFolder(path: folder("out"))
      #expect(try done.digest() == undisturbed.digest())
      let log = try done.text("log.jsonl")
      #expect(try done.json("summary.json")["lost_workers"] as? Int == 0, "\(log)")
      #expect(proxy.connectionsAccepted == 1, "the connection was never given up")
      #expect(proxy.bytesForwarded(.up) > 400_000 && proxy.bytesForwarded(.down) > 400_000)
      #expect(try await worker.finish(within: 30).exitCode == 0)
    }

    /// A part of the state takes longer than from one beat to the next, and all of it longer than anybody waits for
    /// an assignment that is not there.
    @Test(.enabled(if: Soak.isWanted, Soak.reason))
    func slowLinkDeliversALargeState() async throws {
      let folder = try TemporaryFolder()
      let spec = try NetworkFaults.largeState(in: folder)
      let settings = setting("mixture.components=150", "inference.objective.draws=10")
      let undisturbed = try await fit(spec, ["--workers", "1"] + settings, in: folder, output: "undisturbed")
      let run = try CommandRun(
        ["fit", spec, "--output", folder("out"), "--workers", "0", "--listen", "tcp://127.0.0.1:0"]
          + ["--progress", "none"] + settings, in: folder)
      let proxy = try await TCPProxy(to: Commands.endpoint(of: folder("out")))
      proxy.throttle(bytesPerSecond: 100_000)
      let worker = try CommandRun(["worker", "--connect", proxy.endpoint], in: folder)
      let result = try await run.finish(within: 120)
      #expect(result.exitCode == 0, "\(result)")
      let done = FitFolder(path: folder("out"))
      #expect(try done.digest() == undisturbed.digest())
      let log = try done.text("log.jsonl")
      #expect(try done.json("summary.json")["lost_workers"] as? Int == 0, "\(log)")
      #expect(try await worker.finish(within: 30).exitCode == 0)
    }

    /// A network fault that lasts longer than the timeout: the worker is lost, and comes back by itself.
    @Test(
      arguments: [
        ("partition", 0), ("partition", 1), ("partition up", 1), ("partition down", 1), ("cut", 0),
        ("cut", 1),
      ] as [(String, Int)])
    func workerComesBackWhenTheNetworkHeals(fault: String, localWorkers: Int) async throws {
      let folder = try TemporaryFolder()
      let live = try LiveFit(
        Examples.breastCancer,
        ["--workers", "\(localWorkers)", "--listen", "tcp://127.0.0.1:0", "--silence-timeout", "2"],
        in: folder)
      let proxy = try await TCPProxy(to: live.endpoint())
      let worker = try CommandRun(["worker", "--connect", proxy.endpoint], in: folder)
      try await live.waitForProgress()
      try await live.waitForWorkers(localWorkers + 1)
      switch fault {
      case "partition": proxy.partition()
      case "partition up": proxy.partition([.up])
      case "partition down": proxy.partition([.down])
      default: proxy.cut()
      }
      // Longer than the timeout.
      let clock = ContinuousClock()
      let healing = clock.now.advanced(by: .seconds(4))
      if localWorkers > 0 {
        // The other one does its work meanwhile.
        try await live.waitForProgress(within: 10)
        if fault != "partition down" { try await live.waitForLog("lost worker", within: 10) }
      }
      try await clock.sleep(until: healing)
      let before = live.rows.count
      proxy.heal()
      try await live.waitForWorkers(localWorkers + 1)
      try await live.waitForProgress()
      #expect(live.rows.count > before && !worker.hasEnded, "\(worker.errors)")
      let summary = try await live.stopAndExpectUndisturbedBits()
      if fault != "partition down" {
        #expect((summary["lost_workers"] as? Int ?? 0) >= 1, "\(live.log.suffix(3000))")
      }
      withExtendedLifetime((worker, proxy)) {}
    }

    @Test func latencyChangesTheSpeedAndNotTheBits() async throws {
      let folder = try TemporaryFolder()
      let live = try LiveFit(
        Examples.breastCancer, ["--workers", "1", "--listen", "tcp://127.0.0.1:0", "--silence-timeout", "2"],
        settings: setting("inference.objective.every=2", "inference.objective.draws=50"), in: folder)
      let proxy = try await TCPProxy(to: live.endpoint())
      proxy.delay(milliseconds: 50)
      let worker = try CommandRun(["worker", "--connect", proxy.endpoint], in: folder)
      try await live.waitForWorkers(2)
      try await live.waitForProgress(rows: 10)
      let summary = try await live.stopAndExpectUndisturbedBits()
      #expect(summary["lost_workers"] as? Int == 0)
      withExtendedLifetime((worker, proxy)) {}
    }
  }
}
