import Foundation
import TestKit
import Testing

extension Commands {
  /// The dashboard's server, over real connections.
  @Suite struct Dashboard {
    private static let often =
      endless + setting("inference.objective.every=50", "inference.objective.draws=20")

    @Test("Page, status, metrics, health and events are served while the fit runs, and the fit's end is told")
    func served() async throws {
      let folder = try TemporaryFolder()
      let dashboard = try await DashboardRun(
        Examples.breastCancer, ["--workers", "2"] + Self.often, in: folder)
      try await dashboard.waitForIterations()
      let page = try dashboard.http.get("/")
      #expect(page.code == 200 && page.body.contains("<html lang=\"en\">"))
      #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
      #expect(try dashboard.http.get("/healthz").body == "ok\n")
      #expect(try dashboard.http.get("/nothing").code == 404)
      #expect(try dashboard.http.get("/", method: "POST").code == 405)
      let status = try dashboard.status()
      #expect(status["dashboard"] as? String == dashboard.url)
      #expect((status["workers"] as? [Any])?.count == 2)

      let (events, code) = try dashboard.http.events()
      #expect(code == 200)
      let first = try #require(PlainHTTP.chunk(events)), second = try #require(PlainHTTP.chunk(events))
      #expect(first.hasPrefix("event: status\ndata: {") && second.hasPrefix("event: status\ndata: {"))
      #expect(first != second)

      dashboard.run.signal(SIGTERM)
      var last = second
      while let chunk = PlainHTTP.chunk(events) { last = chunk }
      #expect(last.contains("\"state\":\"interrupted\""), "\(last.suffix(300))")
      let end = try await dashboard.run.finish(within: 20)
      #expect(end.exitCode == 75)
      #expect(dashboard.run.group.isEmpty)
    }

    @Test(
      "prometheus-client reads the metrics, and they are those of the status",
      .enabled(
        if: PythonEnvironment("prometheus").isThere, "no prometheus-client: run cluster/python.sh"))
    func metrics() async throws {
      let folder = try TemporaryFolder()
      let dashboard = try await DashboardRun(
        Examples.breastCancer, ["--workers", "2"] + Self.often, in: folder)
      try await dashboard.waitForIterations()
      let before = try dashboard.status()
      let answer = try dashboard.http.get("/metrics")
      let after = try dashboard.status()
      #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      let file = try folder.write(answer.body, to: "metrics.txt")
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("read_metrics.py").path
      let read = try await CommandRun.run(
        [script, file], in: folder, executable: PythonEnvironment("prometheus").python)
      try #require(read.exitCode == 0, "\(read)")
      struct Family: Decodable {
        struct Sample: Decodable {
          let labels: [String: String]
          let value: Double
        }
        let type: String
        let samples: [Sample]
      }
      let families = try JSONDecoder().decode([String: Family].self, from: Data(read.output.utf8))
      let iterations = try #require(families["isomix_iterations"]?.samples.first?.value)
      #expect(try #require(before["iteration"] as? Double) <= iterations)
      #expect(iterations <= (try #require(after["iteration"] as? Double)))
      #expect(families["isomix_worker_tiles"]?.samples.count == 2)
      #expect(families["isomix_workers"]?.samples.first { $0.labels["state"] == "ready" }?.value == 2)
      #expect(families["isomix_state"]?.samples.map(\.value).reduce(0, +) == 1)
    }

    @Test("Loopback answers under its own names alone; other addresses need a token, which is printed")
    func access() async throws {
      let folder = try TemporaryFolder()
      let open = try await DashboardRun(Examples.breastCancer, ["--workers", "1"] + Self.often, in: folder)
      #expect(try open.http.get("/", headers: ["Host": "evil.example"]).code == 403)
      #expect(try open.http.get("/", headers: ["Host": "localhost:\(open.http.port)"]).code == 200)
      open.run.signal(SIGTERM)
      _ = try await open.run.finish(within: 20)

      let closed = try await DashboardRun(
        Examples.breastCancer, ["--workers", "1"] + Self.often, address: "0.0.0.0:0", in: folder,
        output: "closed")
      let token = try #require(
        URLComponents(string: closed.url)?.queryItems?.first { $0.name == "token" }?.value)
      #expect(token.count >= 32)
      let almost = "\(token.dropLast())\(token.last == "x" ? "y" : "x")"
      for path in ["/", "/events", "/status.json", "/metrics"] {
        #expect(try closed.http.get(path).code == 401, "\(path)")
        #expect(try closed.http.get("\(path)?token=\(almost)").code == 401, "\(path)")
      }
      // There is no status in the first moments.
      #expect(try await eventually(within: 20) { try closed.http.get("/healthz").code == 200 })
      #expect(try closed.http.get("/metrics?token=\(token)").code == 200)
      #expect(try closed.http.get("/metrics", headers: ["Authorization": "Bearer \(token)"]).code == 200)
      #expect(try closed.http.get("/metrics", headers: ["Authorization": "Bearer x"]).code == 401)
      #expect(try closed.http.events("?token=\(token)").code == 200)
      try await closed.run.waitForSteps(output: closed.files.path)
      // What is kept tells nobody the token.
      for file in ["status.json", "log.jsonl", "spec.yaml", "plan.json"] {
        #expect(try !closed.files.text(file).contains(token), "\(file)")
      }
      #expect(try !closed.status(token: token).contains(token))
    }

    @Test("A token file is used, and refused where others could have read it or it is no token")
    func tokenFile() async throws {
      let folder = try TemporaryFolder()
      let file = try folder.write("correct-horse-battery-staple\n", to: "token")
      chmod(file, 0o644)
      func attempt() async throws -> CommandResult {
        try await CommandRun.run(
          [
            "fit", Examples.breastCancer, "--output", folder("out"), "--dashboard", "--dashboard-token-file",
            file,
          ], in: folder, within: 30)
      }
      let readable = try await attempt()
      #expect(readable.exitCode == 77 && readable.errors.contains("chmod 600"), "\(readable)")
      _ = try folder.write("short\n", to: "token")
      chmod(file, 0o600)
      let short = try await attempt()
      #expect(short.exitCode == 65 && short.errors.contains("holds no token"), "\(short)")
      _ = try folder.write("correct-horse-battery-staple\n", to: "token")
      chmod(file, 0o600)
      let dashboard = try await DashboardRun(
        Examples.breastCancer, ["--dashboard-token-file", file, "--workers", "1"] + Self.often, in: folder)
      #expect(!dashboard.run.errors.contains("correct-horse"))
      #expect(try dashboard.http.get("/metrics").code == 401)
      #expect(try dashboard.http.get("/metrics?token=correct-horse-battery-staple").code != 401)
    }

    @Test("An address that can't be had ends the fit before it begins")
    func badAddress() async throws {
      let folder = try TemporaryFolder()
      for address in ["nowhere.invalid:1", "127.0.0.1:70000", "::1:8090", "192.0.2.1:8090"] {
        let result = try await CommandRun.run(
          ["fit", Examples.breastCancer, "--output", folder("out"), "--dashboard", address], in: folder,
          within: 30)
        #expect(result.exitCode == 64 && result.errors.contains("dashboard"), "\(address) \(result)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder("out")))
    }

    @Test("A dashboard's process that dies is started again at the same port, and the fit goes on")
    func restarted() async throws {
      let folder = try TemporaryFolder()
      let dashboard = try await DashboardRun(
        Examples.breastCancer, ["--workers", "2"] + Self.often, in: folder)
      try await dashboard.waitForIterations()
      let first = try #require(dashboard.server)
      kill(first, SIGKILL)
      let isBack = try await eventually(within: 20) {
        guard let server = dashboard.server, server != first else { return false }
        return (try? dashboard.http.get("/healthz").code) == 200
      }
      #expect(isBack)
      try await dashboard.waitForIterations()
      #expect(
        try dashboard.files.text("log.jsonl").contains(
          "the dashboard's process ended (it was ended by SIGKILL)"))
    }

    @Test("A dashboard does not outlive its fit, however that ends")
    func noOrphan() async throws {
      let folder = try TemporaryFolder()
      let dashboard = try await DashboardRun(
        Examples.breastCancer, ["--workers", "1"] + Self.often, in: folder)
      let (events, _) = try dashboard.http.events()
      dashboard.run.signal(SIGKILL)
      var last = ""
      while let chunk = PlainHTTP.chunk(events) { last = chunk }
      #expect(last.hasPrefix("event: gone\n"), "\(last)")
      #expect(try await eventually(within: 10) { dashboard.run.group.isEmpty })
    }
  }
}

extension DashboardRun {
  /// The text of `/status.json` for who has the token.
  func status(token: String) throws -> String { try http.get("/status.json?token=\(token)").body }
}
