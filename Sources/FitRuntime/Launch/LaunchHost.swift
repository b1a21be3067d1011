import Coordination
import Foundation

/// A host for workers, as a line of a hostfile has it: `[user@]host[:port] [slots=N]`.
public struct LaunchHost: Sendable, Equatable {
  /// What ssh is called with: `user@host`, or `ssh://user@host:port`.
  public let destination: String
  /// Worker processes; nil: as many as it has cores for.
  public let slots: Int?

  private static let mostSlots = 1024

  /// Reads the lines of a hostfile; empty ones and those that start with `#` are skipped.
  /// - Throws: ``RuntimeError``, 65, that names the line.
  public static func parse(_ text: String, source: String) throws -> [LaunchHost] {
    var hosts: [LaunchHost] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      guard let first = words.first else { continue }
      func failure(_ reason: String) -> RuntimeError {
        RuntimeError("\(source), line \(number + 1): \(reason)", exitCode: ExitCode.badData)
      }
      var slots: Int?
      for word in words.dropFirst() {
        guard word.hasPrefix("slots="), let count = Int(word.dropFirst("slots=".count)),
          (1...mostSlots).contains(count)
        else { throw failure("'\(word)' is not slots=N, with N from 1 to \(mostSlots)") }
        slots = count
      }
      guard let destination = destination(String(first)) else {
        throw failure(
          "'\(first)' is not a host: write [user@]host, with :port after it if it is not ssh's own")
      }
      hosts.append(LaunchHost(destination: destination, slots: slots))
    }
    return hosts
  }

  /// A host that nobody could take for an option of ssh, with its port in ssh's own notation.
  private static func destination(_ text: String) -> String? {
    guard !text.hasPrefix("-"), !text.contains(where: { $0.isWhitespace || $0 == "/" || $0.isNewline }) else {
      return nil
    }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }), let host = parts.last,
      !host.hasPrefix("-")
    else { return nil }
    if host.hasPrefix("[") {
      guard let close = host.lastIndex(of: "]") else { return nil }
      let rest = host[host.index(after: close)...]
      let inner = host[host.index(after: host.startIndex)..<close]
      if rest.isEmpty { return (parts.count == 2 ? "\(parts[0])@" : "") + inner }
      guard rest.hasPrefix(":"), UInt16(rest.dropFirst()) != nil else { return nil }
      return "ssh://\(text)"
    }
    let pieces = host.split(separator: ":", omittingEmptySubsequences: false)
    // Several colons: an IPv6 address without a port.
    guard pieces.count == 2 else { return text }
    guard !pieces[0].isEmpty, let port = UInt16(pieces[1]), port > 0 else { return nil }
    return "ssh://\(text)"
  }
}
