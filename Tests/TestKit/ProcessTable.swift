import Foundation

/// A process as `/proc` shows it.
public struct ProcessEntry: Sendable {
  public let processID: pid_t
  public let parent: pid_t
  public let group: pid_t
  public let arguments: [String]
  /// `R` running, `S` sleeping, `T` stopped by a signal, and others, as `ps` has them.
  public let state: Character
  /// Clock ticks since the machine's start when it began: with its number it names a process for good.
  public let start: UInt64
}

/// The processes of this machine.
public enum ProcessTable {
  /// Every process that has not ended.
  public static func living() -> [ProcessEntry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0).flatMap(entry) }
  }

  /// Whether a process is there and has not ended. One that nobody has waited for yet has ended.
  public static func isLiving(_ process: pid_t) -> Bool { entry(process) != nil }

  /// A process, unless it has ended.
  public static func entry(_ process: pid_t) -> ProcessEntry? {
    guard let stat = FileManager.default.contents(atPath: "/proc/\(process)/stat"),
      let line = String(data: stat, encoding: .utf8), let close = line.lastIndex(of: ")")
    else { return nil }
    // After the name, which may hold anything, come state, parent, group, and as the 20th the start.
    let fields = line[line.index(after: close)...].split(separator: " ")
    guard fields.count > 19, let state = fields[0].first, state != "Z", state != "X",
      let parent = pid_t(fields[1]), let group = pid_t(fields[2]), let start = UInt64(fields[19])
    else { return nil }
    let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
    let arguments = words.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    return ProcessEntry(
      processID: process, parent: parent, group: group, arguments: arguments, state: state, start: start)
  }

  /// A number in kB from a process's status, for example `VmRSS`, its resident memory.
  public static func kilobytes(_ field: String, of process: pid_t) -> Int? {
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    return line.flatMap { $0.split(whereSeparator: { !$0.isNumber }).first }.flatMap { Int($0) }
  }
}

extension ProcessTable {
  /// The names of a process's threads, and how the system schedules each of them: 0 as usual, 3 as `SCHED_BATCH`.
  public static func schedulingPolicies(of process: pid_t) -> [(thread: String, policy: Int)] {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
    return threads.compactMap { thread in
      guard let stat = try? String(contentsOfFile: "/proc/\(process)/task/\(thread)/stat", encoding: .utf8),
        let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")")
      else { return nil }
      // State is the 3rd field, the policy the 41st.
      let fields = stat[stat.index(after: close)...].split(separator: " ")
      guard fields.count > 38, let policy = Int(fields[38]) else { return nil }
      return (String(stat[stat.index(after: open)..<close]), policy)
    }
  }

  /// The variables that a process was started with.
  public static func environment(of process: pid_t) -> [String: String] {
    let data = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
    return data.split(separator: 0).reduce(into: [:]) { variables, entry in
      let text = String(decoding: entry, as: UTF8.self)
      guard let equal = text.firstIndex(of: "=") else { return }
      variables[String(text[..<equal])] = String(text[text.index(after: equal)...])
    }
  }
}
