import Foundation
import TestKit
import Testing

extension Commands {
  /// Hostile HTTP: whatever comes, the fit goes on to its bits, and the dashboard answers again.
  @Suite struct DashboardUnderAttack {
    private struct Attack: Sendable, CustomStringConvertible {
      let description: String
      /// Bytes that each connection sends at once.
      let bytes: [UInt8]
      let connections: Int
      /// Whether bytes follow slowly.
      var drips = false
    }

    private static let attacks: [Attack] = [
      Attack(
        description: "garbage", bytes: (0..<4000).map { UInt8(truncatingIfNeeded: $0 &* 97 ^ ($0 >> 3)) },
        connections: 20),
      Attack(
        description: "a header of a megabyte",
        bytes: Array("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ".utf8)
          + [UInt8](repeating: 65, count: 1 << 20),
        connections: 10),
      Attack(
        description: "headers without end",
        bytes: Array("GET / HTTP/1.1\r\n".utf8) + Array(String(repeating: "a: b\r\n", count: 200_000).utf8),
        connections: 10),
      Attack(
        description: "impossible bodies",
        bytes: Array(
          "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nFFFFFFFFFFFFFFFF\r\nx"
            .utf8),
        connections: 10),
      Attack(
        description: "a body of many exabytes",
        bytes: Array(
          "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9223372036854775807\r\n\r\n".utf8)
          + [UInt8](repeating: 0, count: 1 << 18), connections: 10),
      Attack(description: "slow loris", bytes: Array("GET / HT".utf8), connections: 200, drips: true),
      Attack(
        description: "a flood of open connections", bytes: Array("GET / HTTP/1.1\r\n".utf8), connections: 900),
      Attack(
        description: "readers who do not read",
        bytes: Array("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8), connections: 200),
      Attack(
        description: "more pages than there may be",
        bytes: Array("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8), connections: 400),
    ]

    @Test(
      "Hostile requests neither end the fit nor change its bits, and the dashboard answers when they are over"
    )
    func attacked() async throws {
      let folder = try TemporaryFolder()
      let settings = setting("inference.objective.every=200", "inference.objective.draws=50")
      let dashboard = try await DashboardRun(
        Examples.breastCancer, ["--workers", "2"] + settings + setting("inference.iterations=1000000000"),
        in: folder)
      try await dashboard.waitForIterations()
      for attack in Self.attacks {
        var held: [HostileTCP] = []
        for _ in 0..<attack.connections {
          guard let connection = try? dashboard.http.connect() else { break }
          connection.send(attack.bytes)
          held.append(connection)
        }
        for _ in 0..<10 {
          if attack.drips { for connection in held { connection.send([65]) } }
          try await Task.sleep(for: .milliseconds(50))
        }
        // The fit goes on meanwhile: its file says so, whatever its dashboard does.
        let before = try dashboard.files.json("status.json")["iteration"] as? Int ?? 0
        let goesOn = try await eventually(within: 10) {
          (try? dashboard.files.json("status.json")["iteration"] as? Int ?? 0) ?? 0 > before
        }
        #expect(goesOn && !dashboard.run.hasEnded, "\(attack)")
        held = []
        let answers = try await eventually(within: 20) { (try? dashboard.http.get("/healthz").code) == 200 }
        #expect(answers, "\(attack): the dashboard does not answer any more")
      }
      let log = try dashboard.files.text("log.jsonl")
      #expect(!log.contains("dashboard's process ended"), "\(log)")
      dashboard.run.signal(SIGTERM)
      let end = try await dashboard.run.finish(within: 20)
      #expect(end.exitCode == 75, "\(end)")
      let iterations = try #require(try dashboard.files.json("summary.json")["iterations"] as? Int)
      let alone = try await fit(
        Examples.breastCancer, settings + setting("inference.iterations=\(iterations)") + ["--workers", "1"],
        in: folder, output: "alone")
      #expect(try dashboard.files.digest() == alone.digest())
    }

    @Test("Who takes too long is cut off, and so is who sends too much")
    func limits() async throws {
      let folder = try TemporaryFolder()
      let dashboard = try await DashboardRun(Examples.breastCancer, ["--workers", "1"] + endless, in: folder)
      let large = try dashboard.http.connect(), slow = try dashboard.http.connect()
      slow.send(Array("GET /".utf8))
      large.send(Array("GET /".utf8) + [UInt8](repeating: 65, count: 100_000))
      #expect(try await eventually(within: 5) { large.isEnded })
      #expect(!slow.isEnded)
      #expect(try await eventually(within: 20) { slow.isEnded })
    }
  }
}
