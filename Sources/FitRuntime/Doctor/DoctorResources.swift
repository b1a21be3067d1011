import Foundation
import Glibc

/// Checks of cores, memory and limits.
package enum DoctorResources {
  static func cores() -> DoctorCheck {
    describe(Allocation.current(), present: ProcessInfo.processInfo.processorCount)
  }

  /// What a fit's default number of workers comes from.
  package static func describe(_ allocation: Allocation, present: Int) -> DoctorCheck {
    var bounds: [String] = []
    if present > allocation.affinity || allocation.bound != .affinity {
      bounds.append("\(allocation.affinity) of \(present) by its CPU affinity")
    }
    if let quota = allocation.quota { bounds.append(String(format: "%.2f by its control group", quota)) }
    if let slurm = allocation.slurm { bounds.append("\(slurm) by Slurm") }
    var finding = "\(allocation.cores) core(s) for this process"
    if !bounds.isEmpty { finding += ": " + bounds.joined(separator: ", ") }
    if let nodes = allocation.nodes, nodes > 1 { finding += "; the job has \(nodes) nodes" }
    guard let quota = allocation.quota, quota < 1 else { return DoctorCheck("cores", finding) }
    return DoctorCheck(
      "cores", .warning, finding, advice: "less than one core is slow: ask for a whole one or more")
  }

  static func memory() -> DoctorCheck {
    let information = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
    let total = kibibytes("MemTotal", information)
    let available = kibibytes("MemAvailable", information)
    var finding = "\(gibibytes(available)) available of \(gibibytes(total))"
    if let limit = Allocation.current().memory_bytes, limit < total {
      finding += ", of which the control group allows \(gibibytes(limit))"
    }
    return DoctorCheck("memory", finding)
  }

  static func descriptors() -> DoctorCheck {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return DoctorCheck("open files", .warning, "the limit can't be read")
    }
    let most = limit.rlim_max == rlim_t.max ? "no limit" : "\(limit.rlim_max)"
    // A coordinator's sockets and files, and three descriptors for each worker.
    let workers = limit.rlim_max > 1 << 30 ? Int.max : max(0, (Int(limit.rlim_max) - 64) / 3)
    guard workers >= 256 else {
      return DoctorCheck(
        "open files", .warning, "at most \(most): enough for \(workers) workers",
        advice: "raise the limit (ulimit -n) for more")
    }
    return DoctorCheck("open files", "at most \(most)")
  }

  private static func kibibytes(_ key: String, _ text: String) -> Int64 {
    for line in text.split(separator: "\n") where line.hasPrefix(key + ":") {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) }.map {
        $0 << 10
      } ?? 0
    }
    return 0
  }

  static func gibibytes(_ bytes: Int64) -> String {
    String(format: "%.1f GiB", Double(bytes) / 1_073_741_824)
  }
}
