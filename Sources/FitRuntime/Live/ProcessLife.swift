import Foundation

/// What the kernel says of a process of this machine.
struct ProcessLife {
  /// When it started, in ticks since the boot: with its number, it names a process for good.
  let started: UInt64
  let isStopped: Bool

  /// Nil when there is no such process, when it has ended and nobody has taken note, or when it is not shown.
  static func of(_ process: Int) -> ProcessLife? {
    guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat"),
      let text = String(data: data, encoding: .utf8), let end = text.lastIndex(of: ")")
    else { return nil }
    // After the name, which may hold anything: the state, and 18 fields later the start.
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, let started = UInt64(fields[19]), fields[0] != "Z", fields[0] != "X" else {
      return nil
    }
    return ProcessLife(started: started, isStopped: fields[0] == "T" || fields[0] == "t")
  }
}
