import Foundation
import TestKit
import Testing

extension Commands {
  /// What launchers write, and the one that needs nothing but this machine.
  @Suite(.serialized) struct Launch {
    private func script(_ words: [String], in folder: TemporaryFolder) async throws -> String {
      let result = try await CommandRun.run(
        ["launch", words[0], "--dry-run"] + words.dropFirst(), in: folder)
      try #require(result.exitCode == 0, "\(result)")
      // It is a script that a shell understands.
      let path = try folder.write(result.output, to: "script.sh")
      let check = try await CommandRun.run(["-n", path], in: folder, executable: "/bin/bash")
      #expect(check.exitCode == 0, "\(check)")
      return result.output
    }

    private static let same = [
      "--output", "out dir", "--nodes", "3", "--workers-per-node", "4", "--threads", "2", "--time", "1-02:30",
      "--partition", "long", "--interface", "ib0", "--extra", "--account=stat", "--env-setup",
      "module load openblas", "--set", "mixture.components=3", "--seed", "7", "--", "--checkpoint-interval",
      "5",
    ]

    @Test func sameOptionsMeanTheSameInEveryScript() async throws {
      let folder = try TemporaryFolder()
      let slurm = try await script(["slurm", Examples.wine] + Launch.same, in: folder)
      let hosts = try folder.write("# one\nada@one:2222 slots=6\n\ntwo\nthree\nfour\n", to: "hosts")
      let ssh = try await script(["ssh", Examples.wine, "--hostfile", hosts] + Launch.same, in: folder)
      let local = try await script(["local", Examples.wine] + Launch.same, in: folder)
      for text in [slurm, ssh, local] {
        #expect(text.contains("\n#SBATCH --account=stat\n") && text.contains("\nmodule load openblas\n"))
        #expect(
          text.contains("fit_options=(--set mixture.components=3 --seed 7 --checkpoint-interval 5)"),
          "\(text)")
        #expect(text.contains("threads=2 ") && text.contains("interface=ib0 "))
        #expect(text.contains("/out dir'"))
        #expect(!text.contains("{{"))
      }
      #expect(slurm.contains("\n#SBATCH --nodes=3\n") && slurm.contains("\n#SBATCH --time=1-02:30\n"))
      #expect(
        slurm.contains("\n#SBATCH --cpus-per-task=8\n") && slurm.contains("\n#SBATCH --partition=long\n"))
      #expect(!slurm.contains("--exclusive"))
      #expect(ssh.contains("hosts=(ssh://ada@one:2222 two three)\n") && ssh.contains("processes=(6 4 4)"))
      #expect(ssh.contains("time_s=95400 "))
      #expect(local.contains("ssh=() ") && local.contains("processes=(4 4 4)"))
      #expect(!FileManager.default.fileExists(atPath: folder("out dir.launch")))
    }

    @Test func wholeNodesWithoutANumberOfWorkers() async throws {
      let folder = try TemporaryFolder()
      let text = try await script(["slurm", Examples.wine, "--output", "out"], in: folder)
      #expect(text.contains("\n#SBATCH --exclusive\n") && text.contains("processes=auto "))
      #expect(!text.contains("--cpus-per-task={") && !text.contains("#SBATCH --time"))
    }

    @Test func changedTemplateIsUsedAndItsMistakesAreNamed() async throws {
      let folder = try TemporaryFolder()
      let mine = try folder.write("#!/bin/sh\n#SBATCH --nodes={{nodes}}\necho {{specs}}\n", to: "mine.sh")
      let options = ["slurm", Examples.wine, "--output", "out", "--template", mine]
      let text = try await script(options, in: folder)
      #expect(text == "#!/bin/sh\n#SBATCH --nodes=1\necho \(Examples.wine)\n")
      try folder.write("one\ntwo {{nothing}}\n", to: "mine.sh")
      let result = try await CommandRun.run(["launch"] + options + ["--dry-run"], in: folder)
      #expect(
        result.exitCode == 65 && result.errors.contains("mine.sh, line 2: nothing is known of 'nothing'"),
        "\(result)")
    }

    @Test func mistakesAreFoundBeforeAnythingIsSubmitted() async throws {
      let folder = try TemporaryFolder()
      let cases: [(options: [String], exitCode: Int32, message: String)] = [
        (["--", "--silence-timeout", "x"], 64, "silence-timeout"),
        (["--", "--listen", "tcp://*:1"], 64, "are the launcher's to give"),
        (["--set", "mixture.component=3"], 65, "components"),
        (["--resume"], 66, "no fit in"),
        (["--time", "soon"], 64, "as Slurm writes it"),
        (["--nodes", "4-2"], 64, "MIN-MAX"),
        (["--extra", "--x\nrm -rf /"], 64, "line break"),
      ]
      for (options, exitCode, message) in cases {
        let result = try await CommandRun.run(
          ["launch", "slurm", Examples.wine, "--output", folder("out")] + options, in: folder)
        #expect(result.exitCode == exitCode && result.errors.contains(message), "\(options): \(result)")
      }
      for line in ["one slots=x", "-oProxyCommand=x", "a b", "host:port"] {
        let hosts = try folder.write("ok\n\(line)\n", to: "hosts")
        let result = try await CommandRun.run(
          ["launch", "ssh", Examples.wine, "--output", folder("out"), "--hostfile", hosts], in: folder)
        #expect(result.exitCode == 65 && result.errors.contains("hosts, line 2"), "\(result)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder("out.launch")))
    }

    @Test func localLaunchHasTheSerialBits() async throws {
      let folder = try TemporaryFolder()
      let fit = LaunchedFit(in: folder, iterations: 2000)
      let run = try CommandRun(
        [
          "launch", "local", LaunchedFit.spec, "--output", fit.output, "--nodes", "2", "--workers-per-node",
          "2",
        ]
          + fit.settings, in: folder)
      let end = try await run.finish()
      #expect(end.exitCode == 0, "\(end)")
      #expect(try await fit.expectSerialBits()["workers"] as? Int == 4)
      try await fit.expectNothingLeft()
      #expect(try await eventually(within: 10) { run.group.isEmpty })
      #expect(!FileManager.default.fileExists(atPath: fit.launch("keys")), "the keys are of no more use")
    }

    @Test func timeLimitLeavesACheckpoint() async throws {
      let folder = try TemporaryFolder()
      let fit = LaunchedFit(in: folder, iterations: 1_000_000_000)
      let run = try CommandRun(
        [
          "launch", "local", LaunchedFit.spec, "--output", fit.output, "--workers-per-node", "1", "--time",
          "0:03",
        ]
          + fit.settings, in: folder)
      let end = try await run.finish()
      #expect(end.exitCode == 75 && end.errors.contains("interrupted by SIGUSR1"), "\(end)")
      #expect(try fit.files.json("summary.json")["iterations"] as? Int ?? 0 > 0)
      try await fit.expectNothingLeft()
      #expect(try await eventually(within: 10) { run.group.isEmpty })
    }

    @Test func failedFitEndsTheLaunchWithItsCode() async throws {
      let folder = try TemporaryFolder()
      let fit = LaunchedFit(in: folder)
      let run = try CommandRun(
        [
          "launch", "local", LaunchedFit.spec, "--output", fit.output, "--set",
          "data.train=\(folder("none.csv"))",
        ],
        in: folder)
      let end = try await run.finish()
      #expect(end.exitCode == 66 && end.errors.contains("none.csv"), "\(end)")
      #expect(try await eventually(within: 10) { run.group.isEmpty })
    }

    /// The defaults are those that sites begin theirs with.
    @Test func templatesOfTheProgramAreThoseInTheRepository() async throws {
      let folder = try TemporaryFolder()
      let cluster = URL(fileURLWithPath: Examples.folder).deletingLastPathComponent().path
      let same: [([String], String)] = [
        (["slurm", Examples.wine, "--output", "out"], "slurm/fit.sh"),
        (["slurm", "--join", "out"], "slurm/join.sh"),
        (["local", Examples.wine, "--output", "out"], "ssh/fit.sh"),
      ]
      for (words, file) in same {
        let own = try await script(words, in: folder)
        let given = try await script(words + ["--template", "\(cluster)/\(file)"], in: folder)
        #expect(own == given, "\(file)")
      }
    }
  }
}
