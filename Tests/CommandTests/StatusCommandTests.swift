import Foundation
import TestKit
import Testing

extension Commands {
  /// What `isomix status` says of a fit in every state that it can be in.
  @Suite struct Status {
    private struct Told {
      let result: CommandResult
      let liveness: String
      let status: [String: Any]
    }

    private func status(_ path: String, in folder: TemporaryFolder) async throws -> Told {
      let result = try await CommandRun.run(["status", path, "--json"], in: folder)
      let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
      return Told(
        result: result, liveness: object?["liveness"] as? String ?? "",
        status: object?["status"] as? [String: Any] ?? [:])
    }

    @Test("Where there is no fit, status says so")
    func nothing() async throws {
      let folder = try TemporaryFolder()
      let none = try await CommandRun.run(["status", folder("none")], in: folder)
      #expect(none.exitCode == 66 && none.errors.contains("there is no folder"), "\(none)")
      let empty = try await CommandRun.run(["status", folder.path], in: folder)
      #expect(empty.exitCode == 66 && empty.errors.contains("no status.json"), "\(empty)")
      _ = try folder.write("{\"iteration\": 1}", to: "status.json")
      let broken = try await CommandRun.run(["status", folder.path], in: folder)
      #expect(broken.exitCode == 65 && broken.errors.contains("is not a fit's status.json"), "\(broken)")
    }

    @Test("A finished fit's status agrees with its summary", arguments: [1, 2])
    func finished(workers: Int) async throws {
      let folder = try TemporaryFolder()
      let fitted = try await fit(
        Examples.breastCancer, setting("inference.iterations=300") + ["--workers", "\(workers)"], in: folder)
      let told = try await status(fitted.path, in: folder)
      #expect(told.result.exitCode == 0 && told.liveness == "ended", "\(told.result)")
      let summary = try fitted.json("summary.json")
      for (key, other) in [
        ("iteration", "iterations"), ("elbo", "elbo"), ("elbo_se", "elbo_se"), ("seconds", "seconds"),
        ("bytes_sent", "bytes_sent"), ("bytes_received", "bytes_received"), ("workers_seen", "workers"),
      ] {
        #expect(told.status[key] as? Double == summary[other] as? Double, "\(key)")
      }
      #expect(told.status["state"] as? String == "finished")
      let trace = try #require(told.status["trace"] as? [[String: Any]])
      let rows = try fitted.text("trace.csv").split(separator: "\n").dropFirst()
      #expect(trace.count == rows.count && trace.count > 1)
      let text = try await CommandRun.run(["status", fitted.path], in: folder)
      #expect(text.exitCode == 0 && text.lines.first?.hasPrefix("Finished: ") == true, "\(text)")
    }

    @Test("A running fit, a stopped one, a lost worker, and a killed coordinator are told apart")
    func running() async throws {
      let folder = try TemporaryFolder()
      let run = try CommandRun(
        ["fit", Examples.components200, "--output", folder("out"), "--progress", "none", "--workers", "2"]
          + endless, in: folder)
      try await run.waitForSteps(output: folder("out"))
      let goesOn = try await eventually(within: 20) {
        (try? FitFolder(path: folder("out")).json("status.json")["iteration"] as? Int ?? 0) ?? 0 > 0
      }
      try #require(goesOn, "\(run.errors)")
      let alive = try await status(folder("out"), in: folder)
      #expect(alive.result.exitCode == 0 && alive.liveness == "alive", "\(alive.result)")
      #expect((alive.status["workers"] as? [Any])?.count == 2)

      let victim = try #require(run.workers.first)
      kill(victim, SIGKILL)
      let isTold = try await eventually(within: 20) {
        let lost = (try? FitFolder(path: folder("out")).json("status.json")["lost"] as? [[String: Any]]) ?? []
        return lost.contains {
          $0["pid"] as? Int == Int(victim) && ($0["reason"] as? String ?? "").contains("SIGKILL")
        }
      }
      #expect(isTold)

      run.signal(SIGSTOP)
      try await Task.sleep(for: .milliseconds(3500))
      let stopped = try await CommandRun.run(["status", folder("out")], in: folder)
      #expect(stopped.exitCode == 69 && stopped.lines.first?.hasPrefix("Stopped: ") == true, "\(stopped)")
      run.signal(SIGCONT)
      let isBack = try await eventually(within: 10) {
        (try? FitFolder(path: folder("out")).json("status.json")).map { status in
          (status["updated_at"] as? String ?? "") > (alive.status["updated_at"] as? String ?? "")
        } ?? false
      }
      #expect(isBack)

      run.signal(SIGKILL)
      _ = try await run.finish(within: 20)
      let gone = try await CommandRun.run(["status", folder("out")], in: folder)
      #expect(gone.exitCode == 69 && gone.lines.first?.hasPrefix("Gone: ") == true, "\(gone)")
      // Watching it does not wait for what never comes.
      let watched = try await CommandRun.run(["status", folder("out"), "--watch"], in: folder, within: 10)
      #expect(watched.exitCode == 69, "\(watched)")
    }

    @Test("Watching a fit ends with it, and says how it ended")
    func watching() async throws {
      let folder = try TemporaryFolder()
      let run = try CommandRun(
        ["fit", Examples.breastCancer, "--output", folder("out"), "--progress", "none", "--workers", "1"]
          + endless,
        in: folder)
      try await run.waitForSteps(output: folder("out"))
      let watch = try CommandRun(["status", folder("out"), "--watch"], in: folder)
      let hasLines = try await eventually(within: 10) { watch.output.split(separator: "\n").count >= 2 }
      #expect(hasLines, "\(watch.output)")
      run.signal(SIGTERM)
      let end = try await run.finish(within: 20)
      #expect(end.exitCode == 75)
      let watched = try await watch.finish(within: 10)
      #expect(
        watched.exitCode == 75 && watched.output.contains("Interrupted: interrupted by SIGTERM"), "\(watched)"
      )
    }
  }
}
