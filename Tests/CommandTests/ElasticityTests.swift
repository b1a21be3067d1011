import Foundation
import TestKit
import Testing

extension Commands {
  /// Workers come and go during a fit, on purpose.
  @Suite(.serialized) struct Elasticity {
    @Test func workersComeAndGo() async throws {
      let folder = try TemporaryFolder()
      let live = try LiveFit(
        Examples.breastCancer, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"], in: folder)
      var workers = [try live.worker()]
      try await live.waitForWorkers(1)
      try await live.waitForProgress()
      for _ in 0..<3 { workers.append(try live.worker()) }
      try await live.waitForWorkers(4)
      try await live.waitForProgress()
      // The first one leaves too: no worker is special.
      for leaving in [workers[0], workers[2]] {
        leaving.signal(SIGTERM)
        let end = try await leaving.finish(within: 20)
        #expect(end.exitCode == 0, "\(end)")
      }
      try await live.waitForWorkers(2)
      try await live.waitForProgress()
      #expect(live.largestGap_s < 3, "\(live.largestGap_s) s without progress")
      let numbers = live.workersOverTime
      #expect(numbers.first == 1 && numbers.max() == 4 && numbers.last == 2, "\(numbers)")
      let summary = try await live.stopAndExpectUndisturbedBits()
      #expect(summary["lost_workers"] as? Int == 0, "who leaves is not lost")
      withExtendedLifetime(workers) {}
    }

    /// What a worker computes must not keep its messages waiting, nor its coordinator's.
    @Test func computingThreadsYieldToTheirSockets() async throws {
      let folder = try TemporaryFolder()
      let output = folder("out")
      let run = try CommandRun(
        ["fit", Examples.breastCancer, "--output", output, "--workers", "2", "--threads", "2"] + endless,
        in: folder)
      #expect(try await run.waitForReady(2, output: output))
      let processes = run.workers
      #expect(processes.count == 2)
      for process in processes {
        let threads = ProcessTable.schedulingPolicies(of: process)
        let sockets = threads.filter { $0.thread.contains("ZMQ") }
        #expect(!sockets.isEmpty && sockets.allSatisfy { $0.policy == 0 }, "\(threads)")
        #expect(threads.count { $0.policy == 3 } == 2, "\(threads)")
      }
    }

    /// No worker at all for a while: the fit waits for the next one.
    @Test func fitWaitsForTheNextWorker() async throws {
      let folder = try TemporaryFolder()
      let live = try LiveFit(
        Examples.breastCancer, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"], in: folder)
      for number in [SIGTERM, SIGKILL] {
        let worker = try live.worker()
        try await live.waitForProgress()
        worker.signal(number)
        #expect(try await worker.finish(within: 20).exitCode == (number == SIGTERM ? 0 : -number))
        try await Task.sleep(for: .milliseconds(500))
        let before = live.rows.count
        try await Task.sleep(for: .milliseconds(500))
        #expect(live.rows.count == before && !live.run.hasEnded, "\(live.run.errors)")
      }
      let last = try live.worker()
      try await live.waitForProgress()
      try await live.stopAndExpectUndisturbedBits()
      last.signal(SIGKILL)
    }

    @Test func noWorkerForTooLongEndsTheFit() async throws {
      let folder = try TemporaryFolder()
      let live = try LiveFit(
        Examples.breastCancer,
        ["--workers", "0", "--listen", "tcp://127.0.0.1:0", "--worker-timeout", "2"], in: folder)
      let worker = try live.worker()
      try await live.waitForProgress()
      worker.signal(SIGKILL)
      let end = try await live.run.finish(within: 30)
      #expect(end.exitCode == 69, "\(end)")
      // What was reached is kept.
      #expect(try #require(try live.files.json("summary.json")["iterations"] as? Int) > 0)
      var again = live
      try again.resume(["--workers", "2"])
      try await again.waitForProgress()
      try await again.stopAndExpectUndisturbedBits()
    }

    /// Workers join the resumed fit by themselves: at the same endpoint, or where the rendezvous file says.
    @Test(arguments: ["endpoint", "rendezvous"])
    func workersOutliveTheirCoordinator(found by: String) async throws {
      let folder = try TemporaryFolder()
      let options =
        ["--workers", "0", "--checkpoint-interval", "0.1", "--silence-timeout", "2", "--listen"]
      var live = try LiveFit(Examples.breastCancer, options + ["tcp://127.0.0.1:0"], in: folder)
      let endpoint = try await live.endpoint()
      let workers = try (0..<2).map { _ in
        try by == "endpoint" ? CommandRun(["worker", "--connect", endpoint], in: folder) : live.worker()
      }
      for _ in 0..<2 {
        try await live.waitForProgress()
        try await live.waitForWorkers(2)
        live.run.signal(SIGKILL)
        #expect(try await live.run.finish(within: 20).exitCode == -SIGKILL)
        try await Task.sleep(for: .seconds(1))
        try live.resume(options + [by == "endpoint" ? endpoint : "tcp://127.0.0.1:0"])
      }
      try await live.waitForProgress()
      try await live.waitForWorkers(2)
      for worker in workers { #expect(!worker.hasEnded, "\(worker.errors)") }
      try await live.stopAndExpectUndisturbedBits()
      withExtendedLifetime(workers) {}
    }
  }
}
