import Coordination
import Foundation
import Glibc

/// A folder for the sockets of local workers: only this user can enter it, and its path is short enough for a
/// socket.
struct SocketFolder {
  let path: String

  private static let prefix = "isomix-"

  /// Makes a folder under `$TMPDIR` or `/tmp`, and removes those that killed coordinators left behind.
  /// - Throws: ``RuntimeError`` when none can be made.
  init() throws {
    let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    SocketFolder.removeOrphans(in: base)
    var template = Array("\(base)/\(SocketFolder.prefix)\(getpid())-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw RuntimeError(
        "can't make a folder for sockets in \(base): \(String(cString: strerror(errno))). Set TMPDIR",
        exitCode: ExitCode.cannotCreate)
    }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes the folder with its sockets.
  func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// Folders are named by the process that made them; those of processes that are gone hold dead sockets.
  private static func removeOrphans(in base: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] {
      guard name.hasPrefix(prefix),
        let process = pid_t(name.dropFirst(prefix.count).prefix { $0.isNumber }),
        name.dropFirst(prefix.count).contains("-"), kill(process, 0) != 0, errno == ESRCH
      else { continue }
      try? FileManager.default.removeItem(atPath: "\(base)/\(name)")
    }
  }
}
