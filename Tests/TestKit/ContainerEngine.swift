import Foundation

/// podman with settings and a storage of its own, and the image of the built program in it.
///
/// The storage is kept under `.build`; what a test makes in it is removed after the test.
public struct ContainerEngine: Sendable {
  public static let image = "localhost/isomix"
  private static let tools = ["podman", "runc", "mmdebstrap"]
  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
  private static let storage = "\(repository)/.build/containers"

  /// Why there are no containers here; nil when there are.
  public static let unavailable: String? = {
    guard geteuid() == 0 else { return "containers are run by root only" }
    for tool in tools where Spawn.toolPath(tool) == nil {
      return "there is no '\(tool)': run cluster/bootstrap.sh --tests"
    }
    do {
      try configure()
      let settings = environment.map { "\($0.key)=\($0.value)" }
      try Spawn.tool(["env"] + settings + ["podman", "info"])
      return nil
    } catch {
      return "podman does not run here: \(error)"
    }
  }()

  private static let environment = [
    "CONTAINERS_CONF": "\(storage)/containers.conf", "CONTAINERS_STORAGE_CONF": "\(storage)/storage.conf",
  ]

  /// crun does not run where control groups of both versions are mounted; journald and systemd may not be there.
  private static func configure() throws {
    try FileManager.default.createDirectory(atPath: storage, withIntermediateDirectories: true)
    let settings = """
      [containers]
      default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
      [engine]
      cgroup_manager = "cgroupfs"
      events_logger = "file"
      runtime = "runc"
      [network]
      network_backend = "netavark"
      network_config_dir = "\(storage)/networks"

      """
    // Without a mount of its own, so that the folder can be removed like any other.
    let places = """
      [storage]
      driver = "overlay"
      graphroot = "\(storage)/graph"
      runroot = "\(storage)/run"
      [storage.options.overlay]
      skip_mount_home = "true"

      """
    try settings.write(toFile: "\(storage)/containers.conf", atomically: true, encoding: .utf8)
    try places.write(toFile: "\(storage)/storage.conf", atomically: true, encoding: .utf8)
  }

  private let folder: TemporaryFolder

  /// The image of the built program, made once.
  private actor Images {
    static let shared = Images()
    private var isThere = false
    private(set) var base = ""

    func build(with engine: ContainerEngine) async throws {
      guard !isThere else { return }
      let archive = try await engine.succeed(
        "\(repository)/cluster/container/base.sh", ["--archive"], within: 600)
      // Its name says what is in it.
      let name = URL(fileURLWithPath: archive).deletingPathExtension().lastPathComponent
      let base = "localhost/isomix-base:\(name)"
      if try await engine.run("podman", ["image", "exists", base]).exitCode != 0 {
        try await engine.succeed("podman", ["import", "--quiet", archive, base])
      }
      try await engine.succeed(
        "\(repository)/cluster/container/build.sh",
        ["--base", base, "--program", CommandRun.executable, "--tag", ContainerEngine.image])
      self.base = base
      isThere = true
    }
  }

  /// Does some work with the image at hand, and removes all containers, networks and volumes afterwards.
  public static func use(
    in folder: TemporaryFolder, _ work: (ContainerEngine) async throws -> Void
  ) async throws {
    let engine = ContainerEngine(folder: folder)
    // What a run that was killed has left.
    await engine.removeAll()
    do {
      try await Images.shared.build(with: engine)
      try await work(engine)
    } catch {
      await engine.removeAll()
      throw error
    }
    await engine.removeAll()
  }

  private func removeAll() async {
    for words in [
      ["pod", "rm", "--all", "--force", "--time", "0"], ["rm", "--all", "--force", "--time", "0"],
      ["volume", "rm", "--all", "--force"], ["secret", "rm", "--all"], ["network", "prune", "--force"],
      ["image", "prune", "--force"],
    ] {
      _ = try? await run("podman", words)
    }
  }

  /// The image that the built program's was made from: Debian with the program's libraries, and systemd.
  public var base: String { get async { await Images.shared.base } }

  /// Runs a program whose podman is this one.
  public func run(
    _ program: String, _ arguments: [String], within seconds: Double = 120
  ) async throws -> CommandResult {
    guard let path = program.hasPrefix("/") ? program : Spawn.toolPath(program) else {
      throw TestKitError("there is no '\(program)' here")
    }
    var variables = ContainerEngine.environment
    let own = ProcessInfo.processInfo.environment
    // The root file system for the image is kept where it is for good.
    variables["XDG_CACHE_HOME"] = own["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
    return try await CommandRun.run(
      arguments, in: folder, environment: variables, executable: path, within: seconds)
  }

  /// The same where nothing but success will do; the standard output without the line's end.
  @discardableResult
  public func succeed(
    _ program: String, _ arguments: [String], within seconds: Double = 120
  ) async throws -> String {
    let result = try await run(program, arguments, within: seconds)
    guard result.exitCode == 0 else {
      throw TestKitError("\(program) \(arguments.joined(separator: " ")): \(result)")
    }
    return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Runs podman, which has to succeed.
  @discardableResult
  public func podman(_ arguments: String..., within seconds: Double = 120) async throws -> String {
    try await succeed("podman", arguments, within: seconds)
  }
}
