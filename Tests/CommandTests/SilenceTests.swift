import Foundation
import TestKit
import Testing

/// Processes that wait for others which have gone quiet. These tests mostly sleep, so they run beside the rest.
@Suite struct SilenceTests {
  /// Generous: what is promised is 10 s.
  private let promptly = 60.0

  @Test func silentWorkersEndTheirRunsByName() async throws {
    let folder = try TemporaryFolder()
    let local = try Commands.startEndless(Examples.wine, ["--workers", "2"], in: folder, output: "a")
    let listening = try Commands.startEndless(
      Examples.wine, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"], in: folder, output: "b")
    let remote = try CommandRun(["worker", "--rendezvous", folder("b/rendezvous.json")], in: folder)
    try #require(try await local.waitForReady(2, output: folder("a")))
    try #require(try await listening.waitForReady(1, output: folder("b")))
    let victim = try #require(local.workers.last)
    kill(victim, SIGSTOP)
    remote.signal(SIGSTOP)
    let first = try await local.finish(within: promptly)
    let second = try await listening.finish(within: promptly)
    #expect(first.exitCode == 69 && second.exitCode == 69, "\(first)\n\(second)")
    #expect(first.errors.contains("/\(victim): it has been silent"), "\(first)")
    #expect(second.errors.contains("/\(remote.processID): it has been silent"), "\(second)")
    remote.signal(SIGCONT)
    // When it goes on, nobody is there any more.
    #expect(try await remote.finish(within: promptly).exitCode == 69)
    try await Commands.expectNothingLeft(of: local, in: folder)
    try await Commands.expectNothingLeft(of: listening, in: folder)
  }

  @Test func killedCoordinatorLeavesNoWorker() async throws {
    let folder = try TemporaryFolder()
    let run = try Commands.startEndless(
      Examples.breastCancer, ["--workers", "2", "--listen", "tcp://127.0.0.1:0"], in: folder)
    let remote = try CommandRun(["worker", "--rendezvous", folder("out/rendezvous.json")], in: folder)
    try #require(try await run.waitForReady(3, output: folder("out")))
    #expect(run.workers.count == 2)
    run.signal(SIGKILL)
    #expect(try await run.finish(within: promptly).exitCode == -SIGKILL)
    #expect(try await eventually(within: promptly) { run.group.isEmpty })
    let result = try await remote.finish(within: promptly)
    #expect(result.exitCode == 69, "\(result)")
    #expect(result.errors.contains("the coordinator has been silent"), "\(result)")
    // The dead socket's folder goes with the next fit.
    _ = try await fit(
      Examples.wine, setting("inference.iterations=1") + ["--workers", "2"], in: folder, output: "next")
    try await Commands.expectNothingLeft(of: run, in: folder)
  }

  @Test func workersWithoutCoordinatorGiveUp() async throws {
    let folder = try TemporaryFolder()
    let nobody = try CommandRun(["worker", "--connect", "tcp://127.0.0.1:1"], in: folder)
    let gone = try CommandRun(["worker", "--connect", "ipc://\(folder("nothing"))"], in: folder)
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
