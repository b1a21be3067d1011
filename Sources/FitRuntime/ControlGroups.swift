import Foundation

/// The limits that Linux control groups (version 1, version 2, or both at once) put on this process.
///
/// A group's limit holds for the groups below it, so that each is the least on the way from this process's group to
/// the topmost one that can be seen here. In a container the path of the group may be one of the host's, which is not
/// there: what can be seen is then the container's own, at the top.
struct ControlGroups {
  /// Cores' worth of time; nil without a limit.
  let cores: Double?
  /// Bytes of memory; nil without a limit.
  let memory_bytes: Int64?

  /// Above this, version 1 means "no limit".
  private static let noLimit_bytes: Int64 = 1 << 60

  /// - Parameter root: what stands before `/proc` and the mount points; empty for this machine's own.
  init(root: String) {
    let memberships = ControlGroups.memberships(root)
    var cores: Double?
    var memory: Int64?
    for mount in ControlGroups.mounts(root) {
      let group = memberships.first {
        mount.isUnified ? $0.isUnified : !$0.controllers.isDisjoint(with: mount.options)
      }
      for folder in ControlGroups.chain(group?.path ?? "/", below: root + mount.point) {
        if let found = ControlGroups.cores(folder, unified: mount.isUnified) {
          cores = min(cores ?? .infinity, found)
        }
        if let found = ControlGroups.memory(folder, unified: mount.isUnified) {
          memory = min(memory ?? .max, found)
        }
      }
    }
    self.cores = cores
    memory_bytes = memory
  }

  /// A line of `/proc/self/cgroup`: controllers (none in version 2) and the group's path.
  private struct Membership {
    let controllers: Set<Substring>
    let path: String

    var isUnified: Bool { controllers.isEmpty }
  }

  /// A mounted hierarchy.
  private struct Mount {
    let point: String
    let isUnified: Bool
    let options: Set<Substring>
  }

  private static func memberships(_ root: String) -> [Membership] {
    text("\(root)/proc/self/cgroup").split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      return Membership(controllers: Set(fields[1].split(separator: ",")), path: String(fields[2]))
    }
  }

  /// The hierarchies with limits of processors or memory, from `/proc/self/mountinfo`: the mount point is the fifth
  /// word, type and options are the first and the third after a lone hyphen.
  private static func mounts(_ root: String) -> [Mount] {
    text("\(root)/proc/self/mountinfo").split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard let hyphen = words.firstIndex(of: "-"), words.count > hyphen + 3, words.count > 4 else {
        return nil
      }
      let options = Set(words[hyphen + 3].split(separator: ","))
      let isUnified = words[hyphen + 1] == "cgroup2"
      guard isUnified || words[hyphen + 1] == "cgroup" && !options.isDisjoint(with: ["cpu", "memory"]) else {
        return nil
      }
      return Mount(point: String(words[4]), isUnified: isUnified, options: options)
    }
  }

  /// The folders from a group up to the mount point.
  private static func chain(_ path: String, below mount: String) -> [String] {
    let names = path.split(separator: "/").filter { $0 != ".." }
    return (0...names.count).reversed().map {
      ([mount] + names.prefix($0).map(String.init)).joined(separator: "/")
    }
  }

  private static func cores(_ folder: String, unified: Bool) -> Double? {
    let quota: Double?
    let period: Double?
    if unified {
      // "max 100000" or "150000 100000", in microseconds.
      let words = text("\(folder)/cpu.max").split(whereSeparator: \.isWhitespace)
      quota = words.first.flatMap { Double($0) }
      period = words.dropFirst().first.flatMap { Double($0) }
    } else {
      quota = Double(trimmed("\(folder)/cpu.cfs_quota_us"))
      period = Double(trimmed("\(folder)/cpu.cfs_period_us"))
    }
    guard let quota, let period, quota > 0, period > 0 else { return nil }
    return quota / period
  }

  private static func memory(_ folder: String, unified: Bool) -> Int64? {
    let name = unified ? "memory.max" : "memory.limit_in_bytes"
    guard let bytes = Int64(trimmed("\(folder)/\(name)")), bytes > 0, bytes < noLimit_bytes else {
      return nil
    }
    return bytes
  }

  private static func trimmed(_ path: String) -> String {
    text(path).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func text(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }
}
