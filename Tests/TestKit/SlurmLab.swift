import Foundation
import Synchronization

/// A real Slurm with several emulated nodes on this machine (`cluster/lab`), ended when it is let go.
///
///     let lab = try SlurmLab()
///     let run = try CommandRun(["launch", "slurm", …], in: folder, environment: lab.environment)
///     let job = try await lab.job(submittedBy: run)
public final class SlurmLab: Sendable {
  private let folder: TemporaryFolder
  /// Controller first, then the nodes; nil: all on this machine's own network.
  private let network: NetworkNamespaces?
  private static let counter = Atomic<Int>(0)
  private static let start_s = 60

  /// Starts the daemons.
  ///
  /// - Parameters:
  ///   - nodes: `node1`, `node2`, ….
  ///   - cpus: that each is said to have.
  ///   - network: with one namespace more than nodes, makes hosts of their own of them; the first is the controller's.
  public init(nodes: Int = 4, cpus: Int = 4, network: NetworkNamespaces? = nil) throws {
    folder = try TemporaryFolder()
    self.network = network
    // Others submit jobs, too.
    chmod(folder.path, 0o755)
    let number = SlurmLab.counter.wrappingAdd(1, ordering: .relaxed).oldValue
    var variables = spaces
    variables["NODES"] = "\(nodes)"
    variables["CPUS"] = "\(cpus)"
    variables["PORT"] = "\(20_000 + (Int(getpid()) % 1000) * 10 + number % 2 * 5)"
    try Spawn.tool(
      ["bash", SlurmLab.script("slurm-up.sh"), folder.path], environment: variables, within: SlurmLab.start_s)
  }

  deinit {
    _ = try? Spawn.tool(
      ["bash", SlurmLab.script("slurm-down.sh"), folder.path], environment: spaces, within: SlurmLab.start_s)
  }

  /// Why there can be no Slurm here; nil when there can.
  public static let unavailable: String? = {
    if let missing = ["slurmctld", "slurmd", "munged", "sbatch"].first(where: { Spawn.toolPath($0) == nil }) {
      return "no Slurm here (\(missing) is missing): run cluster/bootstrap.sh --tests"
    }
    return geteuid() == 0 ? nil : "no Slurm here: only root can start its daemons"
  }()

  /// What its tools need.
  public var environment: [String: String] { ["SLURM_CONF": folder("etc/slurm.conf")] }

  private var spaces: [String: String] {
    guard let network else { return [:] }
    let members = (0..<network.count).map { "\(network[$0].name)=\(network[$0].address)" }
    return ["NETNS": members.joined(separator: " ")]
  }

  private static func script(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("cluster/lab/\(name)").path
  }

  /// Runs one of Slurm's tools, as root, where the controller is.
  @discardableResult public func tool(_ words: String...) throws -> String {
    let prefix = network.map { ["ip", "netns", "exec", $0[0].name] } ?? []
    return try Spawn.tool(prefix + words, environment: environment)
  }

  /// The job that a launcher has submitted, once `sbatch` has told its number.
  public func job(submittedBy run: CommandRun) async throws -> SlurmJob {
    let result = try await run.finish(within: 30)
    guard result.exitCode == 0, let word = result.output.split(whereSeparator: \.isWhitespace).last,
      let number = Int(word)
    else { throw TestKitError("nothing was submitted: \(result)") }
    return SlurmJob(number: number, lab: self)
  }

  /// What the daemons have logged last.
  public var log: String {
    let text = try? String(contentsOfFile: folder("log/slurmctld.log"), encoding: .utf8)
    return String((text ?? "").suffix(3000))
  }

  /// Batch scripts and step daemons of jobs that are alive.
  public var jobProcesses: [ProcessEntry] {
    ProcessTable.living().filter { process in
      process.arguments.contains { $0.hasPrefix(folder.path) && $0.hasSuffix("slurm_script") }
        || process.arguments.first?.hasPrefix("slurmstepd: [") == true && belongs(process)
    }
  }

  private func belongs(_ process: ProcessEntry) -> Bool {
    ProcessTable.environment(of: process.processID)["SLURM_CONF"] == folder("etc/slurm.conf")
  }
}

/// A job of a ``SlurmLab``.
public struct SlurmJob: Sendable {
  public let number: Int
  private let lab: SlurmLab

  fileprivate init(number: Int, lab: SlurmLab) {
    self.number = number
    self.lab = lab
  }

  /// A field of `scontrol show job`.
  public func field(_ name: String) throws -> String {
    let words = try lab.tool("scontrol", "show", "job", "\(number)").split(whereSeparator: \.isWhitespace)
    return words.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) } ?? ""
  }

  public var state: String { get throws { try field("JobState") } }

  /// How often it went back into the queue.
  public var restarts: Int { get throws { Int(try field("Restarts")) ?? 0 } }

  private static let ends: Set<String> = [
    "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "OUT_OF_MEMORY",
  ]

  /// Waits for the job to end.
  /// - Returns: its state and its exit code.
  public func finish(within seconds: Double = 120) async throws -> (state: String, exitCode: String) {
    var last = ""
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while ContinuousClock.now < deadline {
      last = try state
      if SlurmJob.ends.contains(last) { return (last, try field("ExitCode")) }
      try await Task.sleep(for: .milliseconds(200))
    }
    throw TestKitError("job \(number) is \(last) after \(seconds) s\n\(lab.log)")
  }

  public func cancel() throws { try lab.tool("scancel", "\(number)") }
}
