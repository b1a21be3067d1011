import Foundation
import TestKit
import Testing
import Wire

extension Commands {
  /// Killed, silent and stopped processes: every end is clean, named and in time.
  @Suite(.serialized) struct Faults {
    /// Generous: what is promised is 10 s.
    static let promptly = 30.0

    @Test func killedLocalWorkerIsNamedAndReplaced() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startEndless(Examples.breastCancer, ["--workers", "3"], in: folder)
      try #require(try await run.waitForReady(3, output: folder("out")))
      let victim = try #require(run.workers.first)
      kill(victim, SIGKILL)
      #expect(try await run.waitForReady(4, output: folder("out")))
      #expect(run.errors.contains("/\(victim): it was ended by SIGKILL"), "\(run.errors)")
      #expect(run.workers.count == 3 && !run.workers.contains(victim))
      run.signal(SIGTERM)
      #expect(try await run.finish(within: Faults.promptly).exitCode == 75)
      try await Commands.expectNothingLeft(of: run, in: folder)
    }

    @Test func killedRemoteWorkerIsNamedAndTheOthersGoOn() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startEndless(
        Examples.wine, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"], in: folder)
      let workers = try (0..<2).map { _ in
        try CommandRun(
          ["worker", "--rendezvous", folder("out/rendezvous.json"), "--wait", "1"], in: folder)
      }
      try #require(try await run.waitForReady(2, output: folder("out")))
      workers[0].signal(SIGKILL)
      let isNamed = try await eventually(within: 10) {
        run.errors.contains("/\(workers[0].processID): the connection to it is gone")
      }
      #expect(isNamed, "\(run.errors)")
      #expect(!run.hasEnded && !workers[1].hasEnded)
      run.signal(SIGTERM)
      let result = try await run.finish(within: Faults.promptly)
      #expect(result.exitCode == 75, "\(result)")
      // An interrupted fit may be resumed: the worker waits for it, here for a second.
      let other = try await workers[1].finish(within: Faults.promptly)
      #expect(other.exitCode == 69, "\(other)")
      #expect(other.errors.contains("the fit was interrupted; waiting for up to 1 s"), "\(other)")
      try await Commands.expectNothingLeft(of: run, in: folder)
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGUSR1])
    func signalEndsTheRunWithItsStateWritten(_ number: Int32) async throws {
      let folder = try TemporaryFolder()
      for workers in ["1", "2"] {
        let output = "out-\(workers)"
        let run = try Commands.startEndless(
          Examples.mixture2D, ["--workers", workers], in: folder, output: output)
        if workers == "2" { try #require(try await run.waitForReady(2, output: folder(output))) }
        try await run.waitForSteps(output: folder(output))
        run.signal(number)
        let result = try await run.finish(within: Faults.promptly)
        #expect(result.exitCode == 75, "\(result)")
        let name = number == SIGTERM ? "SIGTERM" : number == SIGINT ? "SIGINT" : "SIGUSR1"
        #expect(result.errors.contains("interrupted by \(name) at iteration"), "\(result)")
        #expect(result.errors.contains("mixture.json") && result.errors.contains("--resume"), "\(result)")
        let done = FitFolder(path: folder(output))
        let iteration = try #require(try done.json("mixture.json")["iteration"] as? Int)
        #expect(iteration > 0)
        #expect(try done.json("summary.json")["iterations"] as? Int == iteration)
        try await Commands.expectNothingLeft(of: run, in: folder)
      }
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGUSR1])
    func signalToEveryProcessOfAJobIsAnInterruption(_ number: Int32) async throws {
      let folder = try TemporaryFolder()
      for attempt in 0..<4 {
        let output = "out-\(attempt)"
        let run = try Commands.startEndless(Examples.wine, ["--workers", "2"], in: folder, output: output)
        try #require(try await run.waitForReady(2, output: folder(output)))
        run.signalGroup(number)
        let result = try await run.finish(within: Faults.promptly)
        #expect(result.exitCode == 75, "\(result)")
        try await Commands.expectNothingLeft(of: run, in: folder)
      }
    }

    @Test func localWorkerThatIsToldToStopLeavesAndIsNotReplaced() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startEndless(Examples.wine, ["--workers", "2"], in: folder)
      try #require(try await run.waitForReady(2, output: folder("out")))
      let victim = try #require(run.workers.first)
      kill(victim, SIGTERM)
      #expect(try await eventually(within: 10) { run.workers.count == 1 })
      try await Task.sleep(for: .milliseconds(500))
      #expect(run.workers.count == 1 && !run.hasEnded)
      let log = try FitFolder(path: folder("out")).text("log.jsonl")
      #expect(log.contains("/\(victim) left: stopped by SIGTERM"), "\(log)")
      #expect(!log.contains("lost worker"), "\(log)")
      run.signal(SIGTERM)
      #expect(try await run.finish(within: Faults.promptly).exitCode == 75)
      try await Commands.expectNothingLeft(of: run, in: folder)
    }

    @Test func workersThatDieBeforeTheyJoinAreReplaced() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startEndless(Examples.wine, ["--workers", "4"], in: folder)
      var victim: pid_t?
      _ = try await eventually(within: 20) {
        victim = run.workers.last
        return victim != nil
      }
      kill(try #require(victim), SIGKILL)
      #expect(try await run.waitForReady(4, output: folder("out")))
      run.signal(SIGTERM)
      #expect(try await run.finish(within: Faults.promptly).exitCode == 75)
      try await Commands.expectNothingLeft(of: run, in: folder)
    }

    @Test func workersThatDieAgainAndAgainBeforeTheyJoinEndTheRun() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startEndless(Examples.wine, ["--workers", "2"], in: folder)
      _ = try await eventually(within: Faults.promptly) {
        for worker in run.workers { kill(worker, SIGKILL) }
        return run.hasEnded
      }
      let result = try await run.finish(within: Faults.promptly)
      #expect(result.exitCode == 69, "\(result)")
      #expect(result.errors.contains("no local worker is left"), "\(result)")
      try await Commands.expectNothingLeft(of: run, in: folder)
    }

    /// A fit, and the moment and victim of a signal, drawn from a seed: whatever happens, the end is documented and
    /// nothing is left. `ISOMIX_SOAK=1` runs more of them.
    @Test(arguments: 0..<(ProcessInfo.processInfo.environment["ISOMIX_SOAK"] == "1" ? 300 : 12))
    func anyEndIsClean(_ seed: Int) async throws {
      var generator = SeededGenerator(seed: UInt64(seed))
      let folder = try TemporaryFolder()
      let workers = Int.random(in: 2...4, using: &generator)
      let run = try Commands.startEndless(Examples.mixture2D, ["--workers", "\(workers)"], in: folder)
      try await Task.sleep(for: .milliseconds(Int.random(in: 40...250, using: &generator)))
      let signals = [SIGKILL, SIGTERM, SIGUSR1, SIGINT]
      let number = signals.randomElement(using: &generator) ?? SIGKILL
      if Bool.random(using: &generator), let victim = run.workers.randomElement(using: &generator) {
        kill(victim, number)
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...250, using: &generator)))
        #expect(!run.hasEnded, "seed \(seed): \(run.errors)")
      }
      run.signal(number)
      let result = try await run.finish(within: Faults.promptly)
      // Before it watches for them, a signal ends the process as signals do.
      let isDocumented = [75, -number].contains(result.exitCode)
      #expect(isDocumented, "seed \(seed): \(result)")
      #expect(try await eventually(within: 10) { run.group.isEmpty }, "seed \(seed): \(run.group) are left")
    }

    @Test func interruptionBeforeTheFirstStepPromisesNoFile() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startEndless(
        Examples.wine, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"], in: folder)
      let rendezvous = folder("out/rendezvous.json")
      try #require(try await eventually(within: 30) { FileManager.default.fileExists(atPath: rendezvous) })
      run.signal(SIGTERM)
      let result = try await run.finish(within: Faults.promptly)
      #expect(result.exitCode == 75, "\(result)")
      #expect(!result.errors.contains("mixture.json"), "\(result)")
      #expect(!FitFolder(path: folder("out")).has("mixture.json"))
    }

    @Test func noWorkerWithinTheTimeoutEndsTheRun() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startEndless(
        Examples.wine, ["--workers", "0", "--listen", "tcp://127.0.0.1:0", "--worker-timeout", "1"],
        in: folder)
      let result = try await run.finish(within: Faults.promptly)
      #expect(result.exitCode == 69, "\(result)")
      #expect(result.errors.contains("waited for 1 worker(s), 0 ready"), "\(result)")
    }

    @Test func stoppedRemoteWorkerLeavesInGoodOrder() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startEndless(
        Examples.wine, ["--workers", "0", "--listen", "tcp://127.0.0.1:0", "--worker-timeout", "2"],
        in: folder)
      let worker = try CommandRun(["worker", "--rendezvous", folder("out/rendezvous.json")], in: folder)
      try #require(try await run.waitForReady(1, output: folder("out")))
      // A fit that has taken no step has nothing to sum up.
      try await run.waitForSteps(output: folder("out"))
      worker.signal(SIGTERM)
      let result = try await worker.finish(within: Faults.promptly)
      #expect(result.exitCode == 0, "\(result)")
      #expect(result.errors.contains("stopped by SIGTERM, left the run"), "\(result)")
      // Nobody else comes.
      let end = try await run.finish(within: Faults.promptly)
      #expect(end.exitCode == 69, "\(end)")
      #expect(end.errors.contains("no worker for 2 s"), "\(end)")
      let log = try FitFolder(path: folder("out")).text("log.jsonl")
      #expect(log.contains("/\(worker.processID) left: stopped by SIGTERM"), "\(log)")
      #expect(try FitFolder(path: folder("out")).json("summary.json")["lost_workers"] as? Int == 0)
    }
  }

  /// Starts a fit that does not end by itself.
  static func startEndless(
    _ spec: String, _ options: [String], in folder: TemporaryFolder, output: String = "out"
  ) throws -> CommandRun {
    try CommandRun(
      ["fit", spec, "--output", folder(output), "--progress", "plain"] + endless + options, in: folder)
  }

  /// No process of a run and no folder for its sockets is left.
  static func expectNothingLeft(
    of run: CommandRun, in folder: TemporaryFolder, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let isGone = try await eventually(within: 10) { run.group.isEmpty }
    #expect(isGone, "processes \(run.group) are left", sourceLocation: sourceLocation)
    let sockets = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
      $0.hasPrefix("isomix-")
    }
    #expect(sockets.isEmpty, "\(sockets) are left", sourceLocation: sourceLocation)
  }
}
