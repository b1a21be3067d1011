import CPlatform
import Foundation
import Glibc

/// Checks of cores, memory and limits.
enum DoctorResources {
  static func cores() -> DoctorCheck {
    let usable = Int(isomix_available_cores())
    let present = ProcessInfo.processInfo.processorCount
    var finding = "\(usable) core(s) for this process"
    if present > usable { finding += " of \(present)" }
    guard let quota = cpuQuota(), quota < Double(usable) else { return DoctorCheck("cores", finding) }
    return DoctorCheck(
      "cores", .warning, finding + String(format: ", but the control group allows %.1f", quota),
      advice: "start as many workers as the group allows: --workers \(max(1, Int(quota)))")
  }

  static func memory() -> DoctorCheck {
    let information = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
    let total = kibibytes("MemTotal", information)
    let available = kibibytes("MemAvailable", information)
    var finding = "\(gibibytes(available)) available of \(gibibytes(total))"
    if let limit = number(in: "/sys/fs/cgroup/memory.max"), limit < total {
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

  /// `cpu.max` of the control group in cores; nil without a limit.
  private static func cpuQuota() -> Double? {
    guard let text = try? String(contentsOfFile: "/sys/fs/cgroup/cpu.max", encoding: .utf8) else {
      return nil
    }
    let parts = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    return parts.count == 2 && parts[1] > 0 ? parts[0] / parts[1] : nil
  }

  private static func number(in file: String) -> Int64? {
    (try? String(contentsOfFile: file, encoding: .utf8)).flatMap {
      Int64($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
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
