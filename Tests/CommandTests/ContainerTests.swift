import Foundation
import TestKit
import Testing

extension Commands {
  /// The image, run with podman.
  @Suite(
    .serialized, .enabled(if: ContainerEngine.unavailable == nil, "\(ContainerEngine.unavailable ?? "")"))
  struct Containers {
    private static let examples = "/usr/share/isomix/examples"
    /// Whoever runs in the image.
    private static let user = 65532
    private static let confined = [
      "--read-only", "--user", "\(user):\(user)", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
    ]
    /// The image has the program with its libraries, 210 MB of them, and nothing else.
    private static let imageLimit_bytes = 260_000_000

    /// A folder that the user in the image may write to.
    private func work(_ name: String, in folder: TemporaryFolder) throws -> String {
      chmod(folder.path, 0o755)
      mkdir(folder(name), 0o755)
      try #require(chown(folder(name), uid_t(Containers.user), gid_t(Containers.user)) == 0)
      return folder(name)
    }

    @Test func quickstartFitsWithoutRightsToTheSameBits() async throws {
      let folder = try TemporaryFolder()
      let spec = "breast-cancer-auto.yaml"
      let serial = try await fit("\(Examples.folder)/\(spec)", ["--workers", "1"], in: folder)
      try await ContainerEngine.use(in: folder) { engine in
        let work = try work("work", in: folder)
        let printed = try await engine.succeed(
          "podman",
          ["run", "--rm", "--network", "none"] + Containers.confined + ["--volume", "\(work):/work"]
            + [ContainerEngine.image, "fit", "\(Containers.examples)/\(spec)", "--output", "/work/fit"])
        let fitted = FitFolder(path: "\(work)/fit")
        #expect(try fitted.digest() == serial.digest())
        let digest = try serial.digest()
        #expect(printed.contains(digest))
        #expect(fitted.has("fit.nc") && fitted.has("report.html"))
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(work)/fit/fit.nc")
        #expect(attributes[.ownerAccountID] as? Int == Containers.user)
      }
    }

    @Test func imageIsSmallAndHasNoShellAndNoRoot() async throws {
      try await ContainerEngine.use(in: try TemporaryFolder()) { engine in
        let facts = try await engine.podman(
          "image", "inspect", "--format", "{{.Config.User}} {{.Size}}", ContainerEngine.image)
        let words = facts.split(separator: " ")
        #expect(words.first == "65532:65532")
        let size_bytes = try #require(Int(words.last ?? ""))
        #expect(size_bytes < Containers.imageLimit_bytes)
        let shell = try await engine.run(
          "podman", ["run", "--rm", "--entrypoint", "/bin/sh", ContainerEngine.image, "-c", "true"])
        #expect(shell.exitCode == 127, "\(shell)")
        // It takes its own name for a user, and says by itself what it can do.
        let help = try await engine.podman("run", "--rm", "--network", "none", ContainerEngine.image)
        #expect(help.contains("SUBCOMMANDS"))
      }
    }

    /// A coordinator and two workers, each in a container of its own on a network of theirs. The coordinator is killed and
    /// comes back under the same name with another address; one worker is asked to leave.
    @Test func containersOfTheirOwnFitToTheSameBitsOverTheCoordinatorsDeath() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=40000") + ["--checkpoint-interval", "0.2"]
      let serial = try await fit(Examples.breastCancer, options + ["--workers", "1"], in: folder)
      let keys = try await KeyPlace("keys", in: folder)
      try await ContainerEngine.use(in: folder) { engine in
        let work = try work("work", in: folder)
        try await engine.succeed("chown", ["--recursive", "\(Containers.user)", keys.path])
        try await engine.podman("network", "create", "cluster")
        let common = ["run", "--detach", "--network", "cluster"] + Containers.confined
        let places = ["--volume", "\(keys.path):/keys:ro", ContainerEngine.image]
        func startCoordinator() async throws {
          try await engine.succeed(
            "podman",
            common + ["--name", "coordinator", "--volume", "\(work):/work"] + places
              + ["fit", "\(Containers.examples)/breast-cancer.yaml", "--output", "/work/fit"] + options
              + ["--cache", "/work/cache", "--workers", "0", "--listen", "tcp://0.0.0.0:5555"]
              + ["--keys", "/keys", "--resume-if-possible", "--progress", "none"])
        }
        try await startCoordinator()
        let workers = ["one", "two", "leaver"]
        for name in workers {
          try await engine.succeed(
            "podman",
            common + ["--name", name, "--volume", "\(work):/work:ro"] + places
              + ["worker", "--connect", "tcp://coordinator:5555", "--keys", "/keys", "--wait", "45"]
              + ["--code-when-stopped", "75"])
        }
        let fitted = FitFolder(path: "\(work)/fit")
        func log() -> String { (try? fitted.text("log.jsonl")) ?? "" }
        let isReady = try await eventually(within: 60) {
          log().components(separatedBy: "is ready").count - 1 >= workers.count
        }
        try #require(isReady, "\(log())")
        try await engine.podman("stop", "--time", "20", "leaver")
        let leaver = try await engine.podman("wait", "leaver")
        #expect(leaver == "75")
        let isKept = try await eventually(within: 60) {
          let kept = (try? FileManager.default.contentsOfDirectory(atPath: "\(work)/fit/checkpoint")) ?? []
          return !kept.isEmpty
        }
        try #require(isKept && !fitted.has("summary.json"), "\(log())")
        try await engine.podman("kill", "--signal", "KILL", "coordinator")
        try await engine.podman("rm", "--force", "coordinator")
        try #require(!fitted.has("summary.json"), "killed before the end")
        // Somebody else takes the address that it had.
        try await engine.succeed(
          "podman",
          common + ["--name", "squatter", ContainerEngine.image, "worker", "--connect", "tcp://nobody:1"])
        try await startCoordinator()
        for name in ["coordinator", "one", "two"] {
          let code = try await engine.podman("wait", name)
          let logs = try await engine.run("podman", ["logs", name])
          // A worker notices after 15 s that its coordinator is gone: by then the others may have finished the fit.
          #expect(code == "0" || (code == "69" && name != "coordinator"), "\(name): \(logs)")
        }
        #expect(log().contains("resumed from iteration"), "\(log())")
        #expect(try fitted.digest() == serial.digest())
      }
    }
  }
}
