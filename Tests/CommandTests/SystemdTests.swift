import Foundation
import TestKit
import Testing

extension Commands {
  /// The units of `cluster/systemd`.
  @Suite(.serialized) struct SystemdUnits {
    private static let folder = URL(fileURLWithPath: Examples.folder).deletingLastPathComponent()
      .appendingPathComponent("systemd").path
    private static let service = "isomix-worker@.service"
    private static let analyze = "/usr/bin/systemd-analyze"
    private static var unavailable: String? {
      FileManager.default.isExecutableFile(atPath: analyze) ? nil : "there is no systemd-analyze here"
    }

    /// The units with the built program in the installed one's place, which `verify` asks for.
    private func units(in folder: TemporaryFolder) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: SystemdUnits.folder).filter { $0 != "README.md" }
        .map { name in
          let text = try String(contentsOfFile: "\(SystemdUnits.folder)/\(name)", encoding: .utf8)
            .replacingOccurrences(of: "/usr/local/bin/isomix", with: CommandRun.executable)
          return try folder.write(text, to: name)
        }
    }

    @Test(.enabled(if: unavailable == nil, "\(unavailable ?? "")"))
    func systemdHasNothingToSayAboutThem() async throws {
      let folder = try TemporaryFolder()
      let units = try units(in: folder)
      #expect(units.count == 2)
      let verified = try await CommandRun.run(
        ["verify"] + units, in: folder, executable: SystemdUnits.analyze)
      #expect(verified.exitCode == 0 && verified.output.isEmpty && verified.errors.isEmpty, "\(verified)")
      // It is heard when there is something to say.
      let broken = try String(contentsOfFile: folder(SystemdUnits.service), encoding: .utf8)
        .replacingOccurrences(of: "Restart=always", with: "Restart=alway")
      let heard = try await CommandRun.run(
        ["verify", try folder.write(broken, to: "broken@.service")], in: folder,
        executable: SystemdUnits.analyze)
      #expect(heard.errors.contains("restart"), "\(heard)")
    }

    @Test(.enabled(if: unavailable == nil, "\(unavailable ?? "")"))
    func workerIsConfined() async throws {
      let folder = try TemporaryFolder()
      _ = try units(in: folder)
      // 0 is perfectly confined, 10 not at all; a service left as it is has 9.6.
      let security = try await CommandRun.run(
        ["security", "--offline=yes", "--threshold=20", folder(SystemdUnits.service)], in: folder,
        executable: SystemdUnits.analyze)
      #expect(security.exitCode == 0, "\(security)")
    }

    /// Under a real systemd: it hands over the keys, confines the worker, and starts it again after every fit, but not
    /// after a refusal.
    @Test(.enabled(if: ContainerEngine.unavailable == nil, "\(ContainerEngine.unavailable ?? "")"))
    func poolUnderSystemdFitsToTheSameBits() async throws {
      let folder = try TemporaryFolder()
      let spec = "breast-cancer-auto.yaml"
      let serial = try await fit("\(Examples.folder)/\(spec)", ["--workers", "1"], in: folder)
      let digest = try serial.digest()
      let keys = try await KeyPlace("keys", in: folder)
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/systemd_pool.sh"
      try await ContainerEngine.use(in: folder) { engine in
        // The program with Swift's libraries beside it, from its image.
        let made = try await engine.podman("create", ContainerEngine.image)
        try await engine.podman("cp", "\(made):/usr/bin/isomix", folder("isomix"))
        try await engine.podman("cp", "\(made):/usr/lib/isomix", folder("libraries"))
        try await engine.succeed(
          "podman",
          ["run", "--detach", "--name", "host", "--privileged", "--systemd", "always"]
            + ["--volume", "\(folder("isomix")):/usr/local/bin/isomix:ro"]
            + ["--volume", "\(folder("libraries")):/usr/local/lib/isomix:ro"]
            + ["--volume", "\(SystemdUnits.folder):/units:ro", "--volume", "\(keys.path):/keys:ro"]
            + ["--volume", "\(Examples.folder):/examples:ro", "--volume", "\(script):/pool.sh:ro"]
            + [await engine.base, "/sbin/init"])
        try await engine.podman(
          "exec", "host", "sh", "-c", "echo /usr/local/lib/isomix >/etc/ld.so.conf.d/isomix.conf && ldconfig")
        let result = try await engine.run(
          "podman",
          ["exec", "--env", "OPENBLAS_NUM_THREADS=1", "host", "sh", "/pool.sh", "/examples/\(spec)"])
        let journal = try await engine.run(
          "podman", ["exec", "host", "journalctl", "--no-pager", "--lines", "30"])
        #expect(result.exitCode == 0, "\(result)\n\(journal.output)")
        let lines = result.lines
        #expect(lines.filter { $0.contains(digest) }.count == 2, "\(result)")
        #expect(
          lines.suffix(3).first?.hasPrefix("restarts ") == true && !lines.contains("restarts 0"), "\(result)")
        #expect(lines.suffix(2) == ["stopped success", "refused failed 77"], "\(result)\n\(journal.output)")
      }
    }

    /// The service's command line, with a pool's folder and a credentials folder in their places.
    @Test func workerOfAPoolComputesForTheFitsInItsFolder() async throws {
      let folder = try TemporaryFolder()
      let text = try String(
        contentsOfFile: "\(SystemdUnits.folder)/\(SystemdUnits.service)", encoding: .utf8)
      let start = "ExecStart=/usr/local/bin/isomix "
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(start) })
      let keys = try await KeyPlace("keys", in: folder)
      let words = line.dropFirst(start.count)
        .replacingOccurrences(of: "/srv/isomix/%i", with: folder("out"))
        .replacingOccurrences(of: "%d", with: keys.path)
        .replacingOccurrences(of: "${ISOMIX_THREADS}", with: "1")
      #expect(!words.contains("%") && !words.contains("$"), "\(words)")
      let worker = try CommandRun(words.split(separator: " ").map(String.init), in: folder)
      let live = try LiveFit(
        Examples.mixture2D, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"] + keys.options, in: folder)
      try await live.waitForProgress()
      try await live.stopAndExpectUndisturbedBits()
      #expect(!worker.hasEnded, "it waits for the fit to be resumed")
      worker.signal(SIGTERM)
      #expect(try await worker.finish(within: 30).exitCode == 0)
    }
  }
}
