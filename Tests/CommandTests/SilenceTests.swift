import Foundation
import TestKit
import Testing

/// Processes that wait for others which have gone quiet. These tests mostly sleep, so they run beside the rest.
@Suite struct SilenceTests {
  /// Generous: what is promised is 10 s.
  private let promptly = 60.0

  @Test func silentWorkersAreNamedAndComeBack() async throws {
    let folder = try TemporaryFolder()
    let local = try Commands.startEndless(
      Examples.wine, ["--workers", "2", "--silence-timeout", "3"], in: folder, output: "a")
    let listening = try Commands.startEndless(
      Examples.wine, ["--workers", "0", "--listen", "tcp://127.0.0.1:0", "--silence-timeout", "3"],
      in: folder, output: "b")
    let remote = try CommandRun(["worker", "--rendezvous", folder("b/rendezvous.json")], in: folder)
    try #require(try await local.waitForReady(2, output: folder("a")))
    try #require(try await listening.waitForReady(1, output: folder("b")))
    let victim = try #require(local.workers.last)
    kill(victim, SIGSTOP)
    remote.signal(SIGSTOP)
    let isNoticed = try await eventually(within: promptly) {
      local.errors.contains("/\(victim): it has been silent for 3 s")
        && listening.errors.contains("/\(remote.processID): it has been silent for 3 s")
    }
    #expect(isNoticed, "\(local.errors)\n\(listening.errors)")
    #expect(!local.hasEnded && !listening.hasEnded)
    kill(victim, SIGCONT)
    remote.signal(SIGCONT)
    // They find out that they were given up, and register again.
    #expect(try await local.waitForReady(3, output: folder("a"), within: promptly))
    #expect(try await listening.waitForReady(2, output: folder("b"), within: promptly))
    #expect(!remote.hasEnded)
    for run in [local, listening] {
      run.signal(SIGTERM)
      #expect(try await run.finish(within: promptly).exitCode == 75)
      try await Commands.expectNothingLeft(of: run, in: folder)
    }
  }

  @Test func killedCoordinatorLeavesNoWorkerOfItsOwn() async throws {
    let folder = try TemporaryFolder()
    let run = try Commands.startEndless(
      Examples.breastCancer, ["--workers", "2", "--listen", "tcp://127.0.0.1:0"], in: folder)
    let remote = try CommandRun(
      ["worker", "--rendezvous", folder("out/rendezvous.json"), "--wait", "2"], in: folder)
    try #require(try await run.waitForReady(3, output: folder("out")))
    #expect(run.workers.count == 2)
    run.signal(SIGKILL)
    #expect(try await run.finish(within: promptly).exitCode == -SIGKILL)
    #expect(try await eventually(within: 10) { run.group.isEmpty })
    let result = try await remote.finish(within: promptly)
    #expect(result.exitCode == 69, "\(result)")
    #expect(result.errors.contains("the coordinator has been silent for 15 s"), "\(result)")
    #expect(result.errors.contains("no coordinator answered within 2 s"), "\(result)")
    // The dead socket's folder goes with the next fit.
    _ = try await fit(
      Examples.wine, setting("inference.iterations=1") + ["--workers", "2"], in: folder, output: "next")
    try await Commands.expectNothingLeft(of: run, in: folder)
  }

  @Test func workersJoinTheResumedFitByThemselves() async throws {
    let folder = try TemporaryFolder()
    let options = setting("inference.iterations=40000", "inference.objective.every=2000")
    let alone = try await fit(Examples.wine, options + ["--workers", "1"], in: folder).digest()
    let output = folder("resumed")
    func start(_ more: [String], listen: String) throws -> CommandRun {
      try CommandRun(
        ["fit", Examples.wine, "--output", output, "--workers", "0", "--listen", listen]
          + ["--progress", "plain", "--checkpoint-interval", "0.1"] + options + more, in: folder)
    }
    let first = try start([], listen: "tcp://127.0.0.1:0")
    let endpoint = try await Commands.endpoint(of: output)
    let byName = try CommandRun(["worker", "--rendezvous", "\(output)/rendezvous.json"], in: folder)
    let byAddress = try CommandRun(["worker", "--connect", endpoint], in: folder)
    try #require(try await first.waitForReady(2, output: output))
    try await Task.sleep(for: .milliseconds(500))
    first.signal(SIGKILL)
    #expect(try await first.finish().exitCode == -SIGKILL)
    // At the same address both come back; interrupted again, and at another address, the one that reads the file does.
    let second = try start(["--resume"], listen: endpoint)
    try #require(try await second.waitForReady(4, output: output))
    second.signal(SIGTERM)
    #expect(try await second.finish().exitCode == 75)
    let third = try start(["--resume"], listen: "tcp://127.0.0.1:0")
    let result = try await third.finish()
    #expect(result.exitCode == 0, "\(result)")
    #expect(try FitFolder(path: output).digest() == alone)
    #expect(try await byName.finish(within: 20).exitCode == 0)
    #expect(!byAddress.hasEnded)
  }

  @Test func workersWithoutCoordinatorGiveUp() async throws {
    let folder = try TemporaryFolder()
    let nobody = try CommandRun(["worker", "--connect", "tcp://127.0.0.1:1", "--wait", "3"], in: folder)
    let gone = try CommandRun(
      ["worker", "--connect", "ipc://\(folder("nothing"))", "--wait", "3"], in: folder)
    let noFile = try await CommandRun.run(
      ["worker", "--rendezvous", folder("none.json"), "--wait", "0.2"], in: folder)
    #expect(noFile.exitCode == 66, "\(noFile)")
    #expect(noFile.errors.contains("no rendezvous file at \(folder("none.json"))"), "\(noFile)")
    let wrong = try folder.write("{\"endpoints\": 3}", to: "wrong.json")
    let noRendezvous = try await CommandRun.run(["worker", "--rendezvous", wrong], in: folder)
    #expect(noRendezvous.exitCode == 65, "\(noRendezvous)")
    for worker in [nobody, gone] {
      let result = try await worker.finish(within: 60)
      #expect(result.exitCode == 69, "\(result)")
      #expect(result.errors.contains("no coordinator answered"), "\(result)")
    }
  }
}
