import Coordination
import Foundation

/// Scripts for Slurm's `sbatch`.
public enum SlurmLaunch {
  /// The job of a fit, or an array of jobs for several.
  public static func script(_ request: LaunchRequest, template: LaunchTemplate = .slurmFit) throws -> String {
    let isArray = request.specifications.count > 1
    var values = try common(request, log: isArray ? "slurm-%A_%a.log" : "slurm-%j.log", name: "isomix")
    values["specs"] = .words(request.specifications)
    values["outputs"] = .words(try request.outputs())
    values["fit_options"] = .words(request.fitOptions)
    values["array"] = isArray ? .word("0-\(request.specifications.count - 1)") : .absent
    values["interface"] = .word(request.interface ?? "*")
    values["signal_margin"] = .number(request.signalMargin_s)
    values["most_requeues"] = .number(request.mostRequeues)
    return try template.render(values)
  }

  /// A job of more workers for the fit in the request's output folder.
  public static func joinScript(_ request: LaunchRequest, template: LaunchTemplate = .slurmJoin) throws
    -> String
  {
    var values = try common(request, log: "slurm-join-%j.log", name: "isomix-join")
    values["output"] = .word(request.output)
    return try template.render(values)
  }

  /// Puts `sbatch` in the place of this process.
  /// - Parameter waiting: until the job has ended, with its exit code.
  public static func submit(_ script: String, waiting: Bool) throws -> Never {
    do {
      try ChildProcess.become("sbatch", (waiting ? ["--wait"] : []) + [script])
    } catch let error as RuntimeError where error.exitCode == ExitCode.unavailable {
      throw RuntimeError(
        "there is no sbatch here: is this a login node of the cluster? The script is in \(script)",
        exitCode: ExitCode.unavailable)
    }
  }

  private static func common(_ request: LaunchRequest, log: String, name: String) throws
    -> [String: LaunchTemplate.Value]
  {
    try request.checkLines()
    let folder = request.folder.replacingOccurrences(of: "%", with: "%%")
    let cores = request.workersPerNode.map { $0 * request.threads }
    return [
      "job_name": .word(
        request.jobName ?? "\(name)-\(URL(fileURLWithPath: request.output).lastPathComponent)"),
      "nodes": .word(request.nodes?.description ?? "1"),
      "cpus_per_node": .number(cores),
      // Without a number of workers, all that the node has.
      "whole_nodes": cores == nil ? .word("--exclusive") : .absent,
      "time": .word(request.time?.text),
      "partition": .word(request.partition),
      "log": .word("\(folder)/\(log)"),
      "extra": .lines(request.extraLines),
      "env_setup": .lines(request.environmentSetup),
      "isomix": .word(try request.programPath()),
      "workers_per_node": .word(request.workersPerNode.map { "\($0)" } ?? "auto"),
      "threads": .number(request.threads),
      "wait": .number(request.wait_s),
    ]
  }
}
