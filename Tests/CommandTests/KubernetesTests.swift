import Foundation
import TestKit
import Testing

/// The manifests of the repository, rendered with keys of their own.
private struct Overlays {
  static let python = PythonEnvironment("kubernetes")
  static let unavailable = PythonEnvironment.unavailable([python])
  static let names = ["local", "cluster"]
  static let kubernetes = URL(fileURLWithPath: Examples.folder).deletingLastPathComponent()
    .appendingPathComponent("kubernetes").path
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

  static var check: String { "\(kubernetes)/check.py" }

  /// The path of a script of the tests.
  static func script(_ name: String) -> String { "\(tests)/\(name)" }

  /// Renders an overlay from a copy, as its page says: keys, then `kubectl kustomize`.
  static func render(_ name: String, in folder: TemporaryFolder) async throws -> String {
    let copy = folder("kubernetes")
    if !FileManager.default.fileExists(atPath: copy) {
      try FileManager.default.copyItem(atPath: kubernetes, toPath: copy)
    }
    let keys = "\(copy)/overlays/\(name)/keys"
    try? FileManager.default.removeItem(atPath: keys)
    let made = try await CommandRun.run(["keys", "new", keys], in: folder)
    try #require(made.exitCode == 0, "\(made)")
    let rendered = try await CommandRun.run(
      ["kustomize", "\(copy)/overlays/\(name)"], in: folder, executable: python.command("kubectl"))
    try #require(rendered.exitCode == 0 && rendered.errors.isEmpty, "\(rendered)")
    return try folder.write(rendered.output, to: "\(name).yaml")
  }
}

extension Commands {
  /// What `cluster/kubernetes` holds.
  @Suite(.serialized, .enabled(if: Overlays.unavailable == nil, "\(Overlays.unavailable ?? "")"))
  struct Kubernetes {
    @Test func everyOverlayIsValidAndEveryFaultIsFound() async throws {
      let folder = try TemporaryFolder()
      var paths: [String] = []
      for name in Overlays.names {
        let path = try await Overlays.render(name, in: folder)
        // The pod for copying files belongs to each of them.
        let files = try String(contentsOfFile: "\(Overlays.kubernetes)/files.yaml", encoding: .utf8)
        let manifests = try String(contentsOfFile: path, encoding: .utf8)
        paths.append(try folder.write(manifests + "---\n" + files, to: "\(name)-with-files.yaml"))
      }
      let result = try await CommandRun.run(
        [Overlays.script("kubernetes_mutations.py"), Overlays.check] + paths, in: folder,
        executable: Overlays.python.python)
      #expect(result.exitCode == 0, "\(result)")
      #expect(result.lines.last?.hasSuffix(" faults in 2 set(s)") == true, "\(result)")
    }

    @Test func checkEndsWithOneWhenManifestsAreWrong() async throws {
      let folder = try TemporaryFolder()
      let path = try await Overlays.render("local", in: folder)
      let python = Overlays.python.python
      let right = try await CommandRun.run([Overlays.check, path], in: folder, executable: python)
      #expect(right.exitCode == 0 && right.output.isEmpty, "\(right)")
      let text = try String(contentsOfFile: path, encoding: .utf8)
        .replacingOccurrences(of: "restartPolicy: Never", with: "restartPolicy: Always")
      let wrong = try await CommandRun.run(
        [Overlays.check, try folder.write(text, to: "wrong.yaml")], in: folder, executable: python)
      #expect(wrong.exitCode == 1, "\(wrong)")
      #expect(wrong.output.contains("Job isomix-workers: restartPolicy Always"), "\(wrong)")
    }

    /// A Job's containers, with the read-only root file system, the user, the claim and the keys that the manifests say;
    /// the keys as a kubelet lays them out for the pods' group.
    @Test(.enabled(if: ContainerEngine.unavailable == nil, "\(ContainerEngine.unavailable ?? "")"))
    func podsOfTheManifestsFitToTheSameBits() async throws {
      let folder = try TemporaryFolder()
      let serial = try await fit(
        "\(Examples.folder)/breast-cancer-auto.yaml", ["--workers", "1"], in: folder)
      let manifests = try await Overlays.render("local", in: folder)
      try await ContainerEngine.use(in: folder) { engine in
        try await engine.podman("network", "create", "pods")
        let script = [Overlays.script("kubernetes_pods.py"), manifests, ContainerEngine.image, "pods"]
        let started = try await engine.succeed(Overlays.python.python, script)
        let containers = try JSONDecoder().decode([String].self, from: Data(started.utf8))
        #expect(containers.count == 3)
        for name in containers {
          let code = try await engine.podman("wait", name)
          let logs = try await engine.run("podman", ["logs", name])
          #expect(code == "0", "\(name): \(logs)")
          let isReadOnly = try await engine.podman(
            "inspect", "--format", "{{.HostConfig.ReadonlyRootfs}} {{.Config.User}}", name)
          #expect(isReadOnly == "true 65532:65532")
        }
        let claim = try await engine.podman("volume", "inspect", "--format", "{{.Mountpoint}}", "isomix-work")
        #expect(try FitFolder(path: "\(claim)/fit").digest() == serial.digest())
        // The Job's next pod finds the fit finished, and so is finished itself.
        try await engine.podman("start", containers[0])
        let code = try await engine.podman("wait", containers[0])
        #expect(code == "0")
        #expect(try FitFolder(path: "\(claim)/fit").digest() == serial.digest())
      }
    }
  }
}
