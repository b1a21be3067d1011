import Foundation

/// Many TCP connections at once that never finish their handshake.
public final class HostileFlood: @unchecked Sendable {
  // Sendable: used by one thread at a time, which the tests that use it see to.
  private var connections: [HostileTCP] = []
  /// How many were made.
  public private(set) var made = 0

  public init() {}

  /// Opens connections one after the other, each saying the same; keeps those of the last batch open.
  ///
  /// - Parameters:
  ///   - keeping: open connections that are kept at most; the oldest are closed for new ones.
  public func open(_ count: Int, to endpoint: String, saying bytes: [UInt8], keeping limit: Int) {
    for _ in 0..<count {
      guard let connection = try? HostileTCP(endpoint) else {
        usleep(1000)
        continue
      }
      if !bytes.isEmpty { connection.send(bytes) }
      connections.append(connection)
      made += 1
      if connections.count > limit { connections.removeFirst(connections.count - limit) }
    }
  }

  public func close() { connections = [] }

  /// Raises this process's limit of open files as far as it goes, and returns it.
  public static func raiseDescriptorLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
  }
}

/// What a process uses, from `/proc`.
public enum ProcessUsage {
  /// Resident memory in bytes; this process's own without a number.
  public static func residentBytes(_ process: pid_t? = nil) -> Int {
    let path = "/proc/\(process.map(String.init) ?? "self")/statm"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
  }

  /// Open descriptors.
  public static func descriptors(_ process: pid_t? = nil) -> Int {
    let path = "/proc/\(process.map(String.init) ?? "self")/fd"
    return (try? FileManager.default.contentsOfDirectory(atPath: path).count) ?? 0
  }

  /// Threads.
  public static func threads(_ process: pid_t? = nil) -> Int {
    let path = "/proc/\(process.map(String.init) ?? "self")/task"
    return (try? FileManager.default.contentsOfDirectory(atPath: path).count) ?? 0
  }
}
