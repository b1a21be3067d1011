import Coordination
import Foundation

/// Scripts that run a fit over hosts reached by ssh, or on this machine alone.
public enum HostLaunch {
  /// What ssh is called with where the user says nothing else: the first of several values counts. No questions, and a
  /// broken connection is noticed after 45 s.
  private static let sshDefaults = [
    "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-o",
    "ServerAliveCountMax=3",
  ]

  /// Over ssh: the coordinator on this machine, workers on the hosts.
  /// - Parameter sshOptions: as `Name=value` for `ssh -o`, or words that begin with a hyphen as they are.
  /// - Throws: ``RuntimeError``, 64, when there are not hosts enough.
  public static func script(
    _ request: LaunchRequest, hosts: [LaunchHost], sshOptions: [String], template: LaunchTemplate = .sshFit
  ) throws -> String {
    let least = request.nodes?.least ?? 1
    guard hosts.count >= least else {
      throw RuntimeError(
        "\(least) node(s) are asked for, and there are \(hosts.count) host(s): give more with --hostfile or --host",
        exitCode: ExitCode.usage)
    }
    let used = hosts.prefix(request.nodes?.most ?? hosts.count)
    let given = sshOptions.flatMap { option in
      option.hasPrefix("-") ? option.split(separator: " ").map(String.init) : ["-o", option]
    }
    return try script(
      request, ssh: ["ssh"] + given + sshDefaults, hosts: used.map(\.destination),
      processes: used.map { ($0.slots ?? request.workersPerNode).map { "\($0)" } ?? "auto" },
      interface: request.interface ?? "*", template)
  }

  /// On this machine: as many pools of workers as nodes are asked for.
  public static func localScript(
    _ request: LaunchRequest, template: LaunchTemplate = .sshFit
  ) throws -> String {
    let nodes = request.nodes?.most ?? 1
    let room = max(1, Allocation.current().workers(threads: request.threads) / nodes)
    return try script(
      request, ssh: [], hosts: (1...nodes).map { "local-\($0)" },
      processes: [String](repeating: "\(request.workersPerNode ?? room)", count: nodes),
      interface: request.interface ?? "127.0.0.1", template)
  }

  /// Puts the script in the place of this process.
  public static func run(_ script: String) throws -> Never { try ChildProcess.become("bash", [script]) }

  private static func script(
    _ request: LaunchRequest, ssh: [String], hosts: [String], processes: [String], interface: String,
    _ template: LaunchTemplate
  ) throws -> String {
    try request.checkLines()
    guard let specification = request.specifications.first, request.specifications.count == 1 else {
      throw RuntimeError(
        "several specs are an array of jobs, which Slurm has: start one launcher for each here",
        exitCode: ExitCode.usage)
    }
    let own = try Identity.executablePath()
    return try template.render([
      "extra": .lines(request.extraLines),
      "env_setup": .lines(request.environmentSetup),
      "isomix": .word(own),
      "spec": .word(specification),
      "output": .word(request.output),
      "fit_options": .words(request.fitOptions),
      "ssh": .words(ssh),
      "hosts": .words(hosts),
      "processes": .words(processes),
      "remote_isomix": .word(request.program ?? own),
      "remote_setup": .word(request.environmentSetup.joined(separator: "\n")),
      "threads": .number(request.threads),
      "interface": .word(interface),
      "time_s": .number(request.time?.seconds ?? 0),
      "wait": .number(request.wait_s),
    ])
  }
}
