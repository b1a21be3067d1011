import CPlatform
import Foundation
import NumericsKit
import Wire

/// What this process may use of the machine: its CPU affinity, the limits of its control group, and its share of a
/// Slurm job, whichever is least.
///
///     let allocation = Allocation.current()
///     let workers = allocation.workers(threads: 2)
public struct Allocation: Sendable, Equatable {
  /// What bounds the number of cores.
  public enum Bound: String, Sendable {
    case affinity
    case controlGroup
    case slurm
  }

  /// Cores of the machine that this process may be scheduled on (the CPU affinity), at least 1.
  public let affinity: Int
  /// Cores' worth of time that the control group allows, possibly a fraction; nil without a limit.
  public let quota: Double?
  /// Cores that Slurm gave this process on this node; nil outside of a job.
  public let slurm: Int?
  /// Nodes of the Slurm job; nil outside of a job.
  public let nodes: Int?
  /// Bytes of memory that the control group allows; nil without a limit.
  public let memory_bytes: Int64?

  /// Cores that this process may keep busy, at least 1. A fraction of a core is none: a process that waits for its
  /// share half of the time would hold up the others.
  public var cores: Int {
    max(1, min(affinity, slurm ?? Int.max, quota.map { Int($0.rounded(.down)) } ?? Int.max))
  }

  /// Which of the bounds is the least.
  public var bound: Bound {
    if let quota, Int(quota.rounded(.down)) < min(affinity, slurm ?? Int.max) { return .controlGroup }
    if let slurm, slurm < affinity { return .slurm }
    return .affinity
  }

  /// How many worker processes of so many compute threads fit in, at least 1.
  public func workers(threads: Int) -> Int { max(1, cores / max(1, threads)) }

  package init(affinity: Int, quota: Double?, slurm: Int?, nodes: Int?, memory_bytes: Int64?) {
    self.affinity = max(1, affinity)
    self.quota = quota
    self.slurm = slurm
    self.nodes = nodes
    self.memory_bytes = memory_bytes
  }

  /// The processors that this process takes turns on with others: a kernel's (containers and network namespaces share one),
  /// as far as this process's affinity goes. Nil when the system does not tell. What control groups allow is not in it: the
  /// groups of two containers can't be told apart from inside.
  static func processors() -> Processors? {
    processors(root: "", affinity: Int(isomix_available_cores()))
  }

  /// The same with the files below another folder than `/`.
  package static func processors(root: String, affinity: Int) -> Processors? {
    guard let boot = try? String(contentsOfFile: "\(root)/proc/sys/kernel/random/boot_id", encoding: .utf8),
      let status = try? String(contentsOfFile: "\(root)/proc/self/status", encoding: .utf8),
      let allowed = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") })
    else { return nil }
    return Processors(
      set: String(Digest.of(Array("\(boot)\(allowed)".utf8)).description.prefix(16)),
      count: max(1, affinity))
  }

  /// Whether the environment wants every worker to take part in every iteration, also where some would better rest:
  /// `ISOMIX_NO_REST=1`, for whoever measures or tests many workers on few processors.
  static var letsNobodyRest: Bool { ProcessInfo.processInfo.environment["ISOMIX_NO_REST"] == "1" }

  /// Finds out.
  public static func current() -> Allocation {
    measure(
      root: "", environment: ProcessInfo.processInfo.environment, affinity: Int(isomix_available_cores()))
  }

  /// The same with the files below another folder than `/`, and other variables.
  package static func measure(root: String, environment: [String: String], affinity: Int) -> Allocation {
    let groups = ControlGroups(root: root)
    return Allocation(
      affinity: affinity, quota: groups.cores, slurm: slurmCores(environment),
      nodes: environment["SLURMD_NODENAME"] == nil ? nil : count(environment["SLURM_JOB_NUM_NODES"]),
      memory_bytes: groups.memory_bytes)
  }

  /// The share of a Slurm job on this node: of this task in a step (`srun`), of the job in its batch script.
  ///
  /// `salloc` sets variables of the job in a shell on the login node, which is no part of it: `SLURMD_NODENAME` is set
  /// on the job's own nodes only.
  private static func slurmCores(_ environment: [String: String]) -> Int? {
    guard environment["SLURMD_NODENAME"] != nil else { return nil }
    let onNode = count(environment["SLURM_CPUS_ON_NODE"])
    guard environment["SLURM_STEP_ID"] != nil else { return onNode }
    if let perTask = count(environment["SLURM_CPUS_PER_TASK"]) { return perTask }
    let node = environment["SLURM_NODEID"].flatMap { Int($0) } ?? 0
    let tasks = counts(environment["SLURM_STEP_TASKS_PER_NODE"] ?? "")
    guard let onNode else { return nil }
    return max(1, onNode / (tasks.indices.contains(node) ? tasks[node] : tasks.first ?? 1))
  }

  private static func count(_ text: String?) -> Int? {
    guard let number = text.flatMap({ Int($0) }), number > 0 else { return nil }
    return number
  }

  /// Slurm's notation of a number for each node: `4(x2),3` is 4, 4, 3.
  package static func counts(_ text: String) -> [Int] {
    var counts: [Int] = []
    for part in text.split(separator: ",") {
      let pieces = part.split(separator: "(")
      guard let number = pieces.first.flatMap({ count(String($0)) }) else { return [] }
      let times = pieces.count > 1 ? Int(pieces[1].dropFirst().dropLast()) ?? 1 : 1
      counts += [Int](repeating: number, count: min(max(times, 1), mostNodes))
    }
    return counts
  }

  private static let mostNodes = 100_000
}
