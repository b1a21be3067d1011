import ArgumentParser
import FitRuntime
import Foundation
import Reporting

struct LaunchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "launch", abstract: "Run a fit over the nodes of a cluster.",
    discussion: """
      Writes a script from a template, and submits or runs it; with --dry-run prints it instead. The options mean the \
      same for all launchers. The results are in the output folder, as those of `isomix fit`; the script, the logs and the \
      keys of the connections are beside it in DIR.launch.

      EXAMPLE
        isomix launch slurm flights.yaml --output out --nodes 4 --time 2:00:00
        isomix launch ssh flights.yaml --output out --hostfile hosts
        isomix launch local flights.yaml --output out
      """,
    subcommands: [LaunchSlurmCommand.self, LaunchSshCommand.self, LaunchLocalCommand.self])
}

/// The options that all launchers have.
struct LaunchOptions: ParsableArguments {
  @Option(help: "Nodes: N, or MIN-MAX to begin with those there are.")
  var nodes: String?

  @Option(help: "Worker processes on each node (default: as many as its cores have room for).")
  var workersPerNode: Int?

  @Option(help: "Compute threads of each worker process.")
  var threads: Int = 1

  @Option(
    help:
      "Time limit as Slurm writes it, for example 90 (minutes) or 1-12:00:00. The fit stops with a checkpoint."
  )
  var time: String?

  @Option(help: "Slurm's partition.")
  var partition: String?

  @Option(help: "Network interface, or address, where the coordinator takes workers, for example ib0.")
  var interface: String?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A directive for the head of the script; repeatable.", valueName: "#SBATCH …"))
  var extra: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A line of shell to run first on every node, for example 'module load openblas'; repeatable.",
      valueName: "line"))
  var envSetup: [String] = []

  @Option(help: "A template of your own; begin with a copy of the one in cluster/.", completion: .file())
  var template: String?

  @Option(help: "The isomix to run on the nodes (default: the path of this one).")
  var isomix: String?

  @Option(help: "Seconds that workers wait for a coordinator that is not there, or gone.")
  var wait: Int = 600

  @Flag(help: "Print the script, and do nothing.")
  var dryRun = false

  func validate() throws {
    if let nodes, NodeCount(nodes) == nil { throw ValidationError("--nodes must be N or MIN-MAX.") }
    if let workersPerNode, !(1...1024).contains(workersPerNode) {
      throw ValidationError("--workers-per-node must be from 1 to 1024.")
    }
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024.") }
    if let time, TimeLimit(time) == nil {
      throw ValidationError(
        "--time must be as Slurm writes it: minutes, hours:minutes:seconds, days-hours, ….")
    }
    guard (0..<1_000_000).contains(wait) else { throw ValidationError("--wait must be a number of seconds.") }
  }

  func apply(to request: inout LaunchRequest) {
    request.nodes = nodes.flatMap { NodeCount($0) }
    request.workersPerNode = workersPerNode
    request.threads = threads
    request.time = time.flatMap { TimeLimit($0) }
    request.partition = partition
    request.interface = interface
    request.extra = extra
    request.environmentSetup = envSetup
    request.program = isomix
    request.wait_s = wait
  }

  func chosenTemplate(_ other: LaunchTemplate) throws -> LaunchTemplate {
    try template.map { try LaunchTemplate(path: $0) } ?? other
  }
}

/// The options of the fit itself.
struct LaunchedFitOptions: ParsableArguments {
  @Option(name: .customLong("set"), help: "Set a value of the spec by its dotted path; repeatable.")
  var overrides: [String] = []

  @Option(help: "Seed of all random numbers.")
  var seed: UInt64?

  @Flag(help: "Go on with the interrupted fit in the output folder.")
  var resume = false

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("More options of `isomix fit`, after --.", valueName: "fit-option"))
  var others: [String] = []

  var arguments: [String] {
    overrides.flatMap { ["--set", $0] } + (seed.map { ["--seed", "\($0)"] } ?? [])
      + (resume ? ["--resume"] : [])
      + others
  }

  /// Finds what is wrong now, and not when the job begins.
  func check(_ request: LaunchRequest) throws {
    let outputs = try request.outputs()
    for (specification, output) in zip(request.specifications, outputs) {
      let words = [specification, "--output", output] + arguments
      let fit = try parsed(words)
      guard fit.listen.isEmpty, fit.keys == nil, fit.workers.workers == nil, fit.workers.threads == 1,
        !fit.insecure,
        !fit.lifeline
      else {
        throw RuntimeError(
          "--listen, --keys, --insecure, --workers and --lifeline are the launcher's to give, and --threads is an "
            + "option of its own: put it before --", exitCode: 64)
      }
      _ = try FitService.read(
        specification, overrides: fit.overrides + (fit.seed.map { ["inference.seed=\($0)"] } ?? []))
      try RunFolder.check(path: output, resuming: fit.resume, protecting: [specification])
    }
  }

  private func parsed(_ words: [String]) throws -> FitCommand {
    do {
      if let fit = try FitCommand.parseAsRoot(words) as? FitCommand { return fit }
    } catch {
      throw RuntimeError("in the options of the fit: \(FitCommand.message(for: error))", exitCode: 64)
    }
    throw RuntimeError("only options of `isomix fit` can stand after --", exitCode: 64)
  }
}
