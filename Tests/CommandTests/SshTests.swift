import Foundation
import TestKit
import Testing

extension Commands {
  /// Fits over three hosts with networks of their own, which are reached by ssh.
  @Suite(.serialized, .enabled(if: SshLab.unavailable == nil, "\(SshLab.unavailable ?? "")"))
  struct Ssh {
    private func launch(
      _ fit: LaunchedFit, _ options: [String] = [], fitOptions: [String] = [], over lab: SshLab
    ) throws -> CommandRun {
      let hosts = lab.hosts.map { "root@\($0) slots=1\n" }.joined()
      let file = try fit.folder.write("# host slots\n" + hosts, to: "hosts")
      return try CommandRun(
        ["launch", "ssh", LaunchedFit.spec, "--output", fit.output, "--hostfile", file]
          + ["--ssh-option", "-F \(lab.configuration)", "--ssh-option", "ServerAliveInterval=1"] + options
          + fit.settings + ["--", "--progress", "plain", "--silence-timeout", "2"] + fitOptions,
        in: fit.folder,
        namespace: lab.launcher)
    }

    @Test func fitOverThreeHostsHasTheSerialBits() async throws {
      let folder = try TemporaryFolder()
      let lab = try SshLab(hosts: 3)
      let fit = LaunchedFit(in: folder, iterations: 60_000)
      let run = try launch(fit, ["--env-setup", "export ISOMIX_GREETING=it\\'s"], over: lab)
      try await fit.waitForWorkers(3) { run.errors }
      let workers = remoteWorkers(of: lab)
      #expect(workers.count == 3, "\(run.errors)")
      for worker in workers {
        #expect(ProcessTable.environment(of: worker.processID)["ISOMIX_GREETING"] == "it's")
        // Keys go through ssh, not by words that everybody can read.
        #expect(worker.arguments.contains("-"))
      }
      let end = try await run.finish()
      #expect(end.exitCode == 0, "\(end)")
      #expect(try await fit.expectSerialBits()["workers"] as? Int == 3)
      try await expectNothingLeft(of: run, fit, lab)
    }

    @Test func cutHostDoesNotEndTheFit() async throws {
      let folder = try TemporaryFolder()
      let lab = try SshLab(hosts: 3)
      let fit = LaunchedFit(in: folder, iterations: 60_000)
      let run = try launch(fit, ["--wait", "3"], over: lab)
      try await fit.waitForWorkers(3) { run.errors }
      let coordinator = try #require(fit.coordinators.first)
      kill(coordinator.processID, SIGSTOP)
      try lab.network[2].linkDown()
      kill(coordinator.processID, SIGCONT)
      let end = try await run.finish()
      #expect(end.exitCode == 0, "\(end)")
      let summary = try await fit.expectSerialBits()
      #expect(summary["lost_workers"] as? Int == 1)
      // Its own network is down for good: its worker ends by itself.
      try await expectNothingLeft(of: run, fit, lab)
    }

    @Test func lostConnectionsAreMadeAgain() async throws {
      let folder = try TemporaryFolder()
      let lab = try SshLab(hosts: 3)
      let fit = LaunchedFit(in: folder, iterations: 40_000)
      let run = try launch(fit, over: lab)
      try await fit.waitForWorkers(3) { run.errors }
      let before = Set(remoteWorkers(of: lab).map(\.processID))
      for process in ProcessTable.living()
      where process.group == run.processID && process.arguments.first == "ssh" {
        kill(process.processID, SIGKILL)
      }
      #expect(
        try await eventually(within: 20) {
          let now = remoteWorkers(of: lab).map(\.processID)
          return now.count == 3 && before.isDisjoint(with: now)
        }, "\(run.errors)")
      #expect(run.errors.contains("ended with code 137") || run.errors.contains("255"), "\(run.errors)")
      let end = try await run.finish()
      #expect(end.exitCode == 0, "\(end)")
      try await fit.expectSerialBits()
      try await expectNothingLeft(of: run, fit, lab)
    }

    /// `kill -9` of the launcher alone, Ctrl-C in its terminal, and a terminal that closes.
    @Test(arguments: [SIGKILL, SIGINT, SIGHUP])
    func endedLauncherLeavesACheckpointAndNoProcess(_ number: Int32) async throws {
      let folder = try TemporaryFolder()
      let lab = try SshLab(hosts: 3)
      let fit = LaunchedFit(in: folder, iterations: 60_000)
      let run = try launch(fit, over: lab)
      try await fit.waitForWorkers(3) { run.errors }
      if number == SIGKILL { run.signal(number) } else { run.signalGroup(number) }
      let end = try await run.finish()
      #expect(end.exitCode == (number == SIGKILL ? -SIGKILL : 75), "\(end)")
      try await expectNothingLeft(of: run, fit, lab)
      #expect(try fit.files.json("summary.json")["iterations"] as? Int ?? 0 > 0)
      let again = try await launch(fit, ["--resume"], over: lab).finish()
      #expect(again.exitCode == 0 && again.errors.contains("going on from iteration"), "\(again)")
      try await fit.expectSerialBits()
    }

    private func remoteWorkers(of lab: SshLab) -> [ProcessEntry] {
      ProcessTable.living().filter { process in
        process.arguments.contains("worker") && process.arguments.contains("--lifeline")
          && process.arguments.contains { $0.contains(lab.launcher.address) } && process.arguments[0] != "ssh"
      }
    }

    /// On no host, nor here.
    private func expectNothingLeft(
      of run: CommandRun, _ fit: LaunchedFit, _ lab: SshLab, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      try await fit.expectNothingLeft(sourceLocation: sourceLocation)
      let isGone = try await eventually(within: 20) { remoteWorkers(of: lab).isEmpty && run.group.isEmpty }
      #expect(isGone, "left: \(remoteWorkers(of: lab)), \(run.group)", sourceLocation: sourceLocation)
      let folders = try FileManager.default.contentsOfDirectory(atPath: fit.folder.path)
      #expect(!folders.contains { $0.hasPrefix("isomix-") }, "\(folders)", sourceLocation: sourceLocation)
    }
  }
}
