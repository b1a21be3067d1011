import Foundation
import TestKit
import Testing

extension Commands {
  /// Fits as jobs of a real Slurm with four emulated nodes.
  @Suite(.serialized, .enabled(if: SlurmLab.unavailable == nil, "\(SlurmLab.unavailable ?? "")"))
  struct Slurm {
    /// Submits a fit.
    private func submit(
      _ fit: LaunchedFit, _ options: [String], _ fitOptions: [String] = [], to lab: SlurmLab
    ) async throws -> SlurmJob {
      let run = try CommandRun(
        ["launch", "slurm", LaunchedFit.spec, "--output", fit.output] + options + fit.settings
          + (fitOptions.isEmpty ? [] : ["--"] + fitOptions), in: fit.folder, environment: lab.environment)
      return try await lab.job(submittedBy: run)
    }

    private func log(_ fit: LaunchedFit, _ job: SlurmJob) -> String { fit.text(log(of: fit, job)) }
    private func log(of fit: LaunchedFit, _ job: SlurmJob) -> String { fit.launch("slurm-\(job.number).log") }

    @Test func fitOverThreeNodesHasTheSerialBits() async throws {
      let folder = try TemporaryFolder()
      let lab = try SlurmLab()
      let fit = LaunchedFit(in: folder)
      let job = try await submit(fit, ["--nodes", "3", "--workers-per-node", "2"], to: lab)
      try await fit.waitForWorkers(6) { log(fit, job) + lab.log }
      // Every node has a pool of two; nobody else can read the keys.
      let nodes = Set(fit.pools.compactMap { ProcessTable.environment(of: $0.processID)["SLURMD_NODENAME"] })
      #expect(nodes == ["node1", "node2", "node3"])
      let keys = fit.launch("keys/")
      for name in ["coordinator.secret", "worker.secret"] {
        let mode = try FileManager.default.attributesOfItem(atPath: keys + name)[.posixPermissions] as? Int
        #expect(mode == 0o600)
      }
      let end = try await job.finish()
      #expect(end.state == "COMPLETED" && end.exitCode == "0:0", "\(end)\n\(log(fit, job))")
      #expect(try await fit.expectSerialBits()["workers"] as? Int == 6)
      for task in 0..<3 {
        #expect(FileManager.default.fileExists(atPath: fit.launch("logs/workers-\(job.number)-\(task).log")))
      }
      #expect(!FileManager.default.fileExists(atPath: keys + "worker.secret"), "the keys are of no more use")
      try await fit.expectNothingLeft()
      #expect(lab.jobProcesses.isEmpty)
    }

    @Test func preemptedFitGoesOnLater() async throws {
      let folder = try TemporaryFolder()
      let lab = try SlurmLab()
      let fit = LaunchedFit(in: folder)
      let job = try await submit(
        fit, ["--nodes", "3", "--workers-per-node", "1"], ["--silence-timeout", "300"], to: lab)
      try await fit.waitForProgress { log(fit, job) + lab.log }
      // Nobody computes, so that it can't be finished before.
      for worker in fit.computing + fit.pools { kill(worker.processID, SIGSTOP) }
      try lab.tool(
        "sbatch", "--partition=high", "--nodes=4", "--exclusive", "--output=/dev/null", "--wrap=sleep 1")
      try await fit.wait(for: "the coordinator ended with code 75", in: log(of: fit, job))
      let end = try await job.finish()
      #expect(end.state == "COMPLETED" && end.exitCode == "0:0", "\(end)\n\(log(fit, job))")
      #expect(try job.restarts == 1)
      #expect(log(fit, job).contains("run 2") && log(fit, job).contains("going on from iteration"))
      try await fit.expectSerialBits()
      try await fit.expectNothingLeft()
    }

    /// The time limit is a minute, the shortest there is, and comes twice; on a slow machine, which doesn't finish
    /// what is left in a minute, it may come more often.
    @Test func timeLimitPutsTheFitBackIntoTheQueueUntilItIsDone() async throws {
      let folder = try TemporaryFolder()
      let lab = try SlurmLab()
      let fit = LaunchedFit(in: folder, iterations: 10_000)
      let job = try await submit(
        fit, ["--nodes", "2", "--workers-per-node", "2", "--time", "1", "--signal-margin", "58"],
        ["--worker-timeout", "300", "--silence-timeout", "300"], to: lab)
      for run in 1...2 {
        try await fit.wait(for: "run \(run) on", in: log(of: fit, job))
        try await fit.waitForProgress { log(fit, job) + lab.log }
        // Nobody computes, so that it can't be finished before; told to stop, they can.
        let stopped = fit.computing
        for worker in stopped { kill(worker.processID, SIGSTOP) }
        let code = { log(fit, job).components(separatedBy: "the coordinator ended with code 75").count - 1 }
        #expect(try await eventually(within: 90) { code() == run }, "\(log(fit, job))")
        for worker in stopped { kill(worker.processID, SIGCONT) }
      }
      let end = try await job.finish()
      #expect(end.state == "COMPLETED" && end.exitCode == "0:0", "\(end)\n\(log(fit, job))")
      let restarts = try job.restarts
      #expect(restarts >= 2)
      #expect(
        log(fit, job).components(separatedBy: "interrupted by SIGUSR1").count - 1 == restarts,
        "\(log(fit, job))")
      try await fit.expectSerialBits()
      try await fit.expectNothingLeft()
    }

    @Test func killedTaskAndKilledWorkerDoNotEndTheFit() async throws {
      let folder = try TemporaryFolder()
      let lab = try SlurmLab()
      let fit = LaunchedFit(in: folder)
      let job = try await submit(fit, ["--nodes", "3", "--workers-per-node", "2"], to: lab)
      try await fit.waitForWorkers(6) { log(fit, job) + lab.log }
      let pools = fit.pools
      try #require(pools.count == 3)
      // A whole task with its two workers, and one worker of another task.
      kill(pools[0].processID, SIGKILL)
      let victim = try #require(fit.computing.first { $0.parent == pools[1].processID })
      kill(victim.processID, SIGKILL)
      #expect(
        try await eventually(within: 10) { fit.pools.count == 2 && fit.computing.count == 4 },
        "\(fit.computing)")
      let end = try await job.finish()
      #expect(end.state == "COMPLETED" && end.exitCode == "0:0", "\(end)\n\(log(fit, job))")
      let summary = try await fit.expectSerialBits()
      #expect((summary["lost_workers"] as? Int ?? 0) >= 1)
      let logs = (0..<3).map { fit.text(fit.launch("logs/workers-\(job.number)-\($0).log")) }.joined()
      #expect(logs.contains("was ended by SIGKILL; it is started again"), "\(logs)")
      try await fit.expectNothingLeft()
    }

    @Test func stepThatIsKilledAsAWholeIsStartedAgain() async throws {
      let folder = try TemporaryFolder()
      let lab = try SlurmLab()
      let fit = LaunchedFit(in: folder)
      let job = try await submit(fit, ["--nodes", "3", "--workers-per-node", "2"], to: lab)
      try await fit.waitForWorkers(6) { log(fit, job) + lab.log }
      let before = Set(fit.computing.map(\.processID))
      try lab.tool("scancel", "--signal=KILL", "\(job.number).0")
      #expect(
        try await eventually(within: 60) {
          Set(fit.computing.map(\.processID)).subtracting(before).count == 6
        },
        "\(log(fit, job))")
      let end = try await job.finish()
      #expect(end.state == "COMPLETED" && end.exitCode == "0:0", "\(end)\n\(log(fit, job))")
      _ = try await fit.expectSerialBits()
      #expect(log(fit, job).contains("it is started again"), "\(log(fit, job))")
      try await fit.expectNothingLeft()
    }

    @Test func moreWorkersJoinFromASecondJob() async throws {
      let folder = try TemporaryFolder()
      let lab = try SlurmLab()
      let fit = LaunchedFit(in: folder, iterations: 40_000)
      let job = try await submit(fit, ["--nodes", "1", "--workers-per-node", "1"], to: lab)
      try await fit.waitForProgress { log(fit, job) + lab.log }
      for worker in fit.coordinators { kill(worker.processID, SIGSTOP) }
      let join = try await lab.job(
        submittedBy: CommandRun(
          ["launch", "slurm", "--join", fit.output, "--nodes", "2", "--workers-per-node", "2"], in: folder,
          environment: lab.environment))
      // Two pools of two beside the worker of the first job, which is no pool.
      #expect(try await eventually(within: 30) { fit.computing.count == 4 }, "\(lab.log)")
      for worker in fit.coordinators { kill(worker.processID, SIGCONT) }
      let end = try await job.finish()
      #expect(end.state == "COMPLETED", "\(end)\n\(log(fit, job))")
      #expect(try await fit.expectSerialBits()["workers"] as? Int == 5)
      #expect(try await join.finish().exitCode == "0:0")
      try await fit.expectNothingLeft()
    }

    @Test func cancelledJobLeavesNothingBehindAndResumes() async throws {
      let folder = try TemporaryFolder()
      let lab = try SlurmLab()
      let fit = LaunchedFit(in: folder)
      let job = try await submit(fit, ["--nodes", "3", "--workers-per-node", "2"], to: lab)
      try await fit.waitForProgress { log(fit, job) + lab.log }
      try job.cancel()
      #expect(try await job.finish().state == "CANCELLED")
      try await fit.expectNothingLeft()
      #expect(try await eventually(within: 10) { lab.jobProcesses.isEmpty }, "\(lab.jobProcesses)")
      #expect(try fit.files.json("summary.json")["iterations"] as? Int ?? 0 > 0, "a checkpoint was written")
      let again = try await submit(fit, ["--nodes", "2", "--workers-per-node", "1", "--resume"], to: lab)
      #expect(try await again.finish().exitCode == "0:0", "\(log(fit, again))")
      #expect(log(fit, again).contains("going on from iteration"))
      try await fit.expectSerialBits()
    }

    @Test func unprivilegedUserRunsAFit() async throws {
      let folder = try TemporaryFolder()
      let lab = try SlurmLab()
      let fit = LaunchedFit(in: folder, iterations: 2000)
      // Wherever this is built: another user can read the program here.
      let program = folder("isomix")
      try FileManager.default.copyItem(atPath: CommandRun.executable, toPath: program)
      for name in [
        LaunchedFit.spec, Examples.data("breast-cancer-train.csv"), Examples.data("breast-cancer-test.csv"),
      ] {
        let path = folder(name.hasSuffix("csv") ? "data" : "")
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
          atPath: name, toPath: path + "/" + URL(fileURLWithPath: name).lastPathComponent)
      }
      let nobody: UInt32 = 65534
      for path in [folder.path, folder("data")] { chown(path, nobody, nobody) }
      let run = try CommandRun(
        ["--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups", program, "launch", "slurm"]
          + [folder("breast-cancer.yaml"), "--output", fit.output, "--nodes", "3", "--workers-per-node", "1"]
          + fit.settings, in: folder, environment: lab.environment, executable: "/usr/bin/setpriv")
      let job = try await lab.job(submittedBy: run)
      let end = try await job.finish()
      #expect(end.state == "COMPLETED" && end.exitCode == "0:0", "\(end)\n\(log(fit, job))")
      let owner = try FileManager.default.attributesOfItem(atPath: fit.output)[.ownerAccountID] as? Int
      #expect(owner == Int(nobody))
      try await fit.expectSerialBits()
    }

    @Test func severalSpecsAreAnArrayAndTheExitCodeIsTheCoordinators() async throws {
      let folder = try TemporaryFolder()
      let lab = try SlurmLab()
      let text = try String(contentsOfFile: Examples.mixture2D, encoding: .utf8)
      try folder.write(text, to: "good.yaml")
      try folder.write(
        "model: {family: logistic, response: y}\ndata: {train: missing.csv}\nmixture: {components: 2}\n",
        to: "bad.yaml")
      let run = try CommandRun(
        ["launch", "slurm", folder("good.yaml"), folder("bad.yaml"), "--output", folder("all")]
          + ["--workers-per-node", "1"] + setting("inference.iterations=50"), in: folder,
        environment: lab.environment)
      let job = try await lab.job(submittedBy: run)
      let good = FitFolder(path: folder("all/good"))
      #expect(try await eventually(within: 60) { good.has("summary.json") }, "\(lab.log)")
      let alone = try await fit(
        folder("good.yaml"), setting("inference.iterations=50") + ["--workers", "1"], in: folder)
      #expect(try good.digest() == alone.digest())
      let ended = try await eventually(within: 60) {
        try lab.tool("scontrol", "show", "job", "\(job.number)_1").contains("ExitCode=66:0")
      }
      #expect(ended, "\(lab.log)")
    }

    @Suite(
      .enabled(if: NetworkNamespaces.unavailable == nil, "\(NetworkNamespaces.unavailable ?? "")"))
    struct Network {
      /// Nodes with networks of their own, one of which is cut off for good.
      @Test func cutNodeDoesNotEndTheFit() async throws {
        let folder = try TemporaryFolder()
        let network = try NetworkNamespaces(count: 5)
        let lab = try SlurmLab(network: network)
        let fit = LaunchedFit(in: folder)
        let run = try CommandRun(
          [
            "launch", "slurm", LaunchedFit.spec, "--output", fit.output, "--nodes", "3", "--workers-per-node",
            "1",
          ]
            + ["--interface", "eth0"] + fit.settings + ["--", "--silence-timeout", "2"], in: folder,
          environment: lab.environment, namespace: network[0])
        let job = try await lab.job(submittedBy: run)
        let log = fit.launch("slurm-\(job.number).log")
        try await fit.waitForWorkers(3) { fit.text(log) + lab.log }
        let coordinator = try #require(fit.coordinators.first)
        kill(coordinator.processID, SIGSTOP)
        try network[3].linkDown()
        kill(coordinator.processID, SIGCONT)
        try await fit.wait(for: "the coordinator ended with code 0", in: log)
        let summary = try await fit.expectSerialBits()
        #expect(summary["workers"] as? Int == 3 && summary["lost_workers"] as? Int == 1, "\(fit.text(log))")
        // The job ends although a node does not answer.
        #expect(
          try await eventually(within: 60) { try job.field("ExitCode") == "0:0" && job.state != "RUNNING" })
        try network[3].linkUp()
        try await fit.expectNothingLeft(within: 60)
      }
    }
  }
}
