import Foundation

/// A process as `/proc` shows it.
public struct ProcessEntry: Sendable {
  public let processID: pid_t
  public let parent: pid_t
  public let group: pid_t
  public let arguments: [String]
}

/// The processes of this machine.
public enum ProcessTable {
  /// Every process that has not ended.
  public static func living() -> [ProcessEntry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0).flatMap(entry) }
  }

  private static func entry(_ process: pid_t) -> ProcessEntry? {
    guard let stat = FileManager.default.contents(atPath: "/proc/\(process)/stat"),
      let line = String(data: stat, encoding: .utf8), let close = line.lastIndex(of: ")")
    else { return nil }
    // After the name, which may hold anything, come state, parent and group.
    let fields = line[line.index(after: close)...].split(separator: " ")
    guard fields.count > 3, fields[0] != "Z", fields[0] != "X", let parent = pid_t(fields[1]),
      let group = pid_t(fields[2])
    else { return nil }
    let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
    let arguments = words.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    return ProcessEntry(processID: process, parent: parent, group: group, arguments: arguments)
  }
}
