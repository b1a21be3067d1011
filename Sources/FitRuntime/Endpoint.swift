import Coordination
import Foundation

/// Checks and words about endpoints (`tcp://host:port`, `ipc://path`).
public enum Endpoint {
  /// Checks what a user gives for `--listen` or `--connect`.
  public static func check(_ endpoint: String) throws {
    if endpoint.hasPrefix("ipc://"), endpoint.utf8.count > 6 { return }
    guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":"),
      endpoint.hasSuffix(":*") || UInt16(endpoint[endpoint.index(after: colon)...]) != nil,
      endpoint.distance(from: endpoint.startIndex, to: colon) > 6
    else {
      throw RuntimeError(
        "'\(endpoint)' is not an endpoint: write tcp://HOST:PORT (port 0: any free one) or ipc://PATH",
        exitCode: ExitCode.usage)
    }
  }

  /// Whether only processes of this machine can connect.
  public static func isLocal(_ endpoint: String) -> Bool {
    if endpoint.hasPrefix("ipc://") { return true }
    let host = Endpoint.host(endpoint)
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return host == "localhost" || host == "[::1]"
      || (parts.count == 4 && parts[0] == 127 && !parts.contains(nil))
  }

  /// An endpoint with an address where the name of one of this host's network interfaces stood.
  ///
  /// libzmq takes such names too, but with IPv6 switched on picks an address that is good on the link alone.
  /// - Throws: ``RuntimeError``, 64, when the interface has no address.
  package static func resolved(_ endpoint: String) throws -> String {
    guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return endpoint }
    let name = host(endpoint)
    let interfaces = NetworkInterface.current()
    guard let addresses = interfaces.first(where: { $0.name == name })?.addresses else { return endpoint }
    // IPv4 first; an IPv6 address of the link alone needs a zone that others would have to know.
    let four = addresses.first { !$0.contains(":") }
    guard let address = four ?? addresses.first(where: { !$0.lowercased().hasPrefix("fe80") }) else {
      throw RuntimeError(
        "the network interface \(name) has no address that others can use: "
          + interfaces.map { "\($0.name) has \($0.addresses.joined(separator: ", "))" }.joined(
            separator: "; "),
        exitCode: ExitCode.usage)
    }
    return "tcp://" + (address.contains(":") ? "[\(address)]" : address) + endpoint[colon...]
  }

  private static func host(_ endpoint: String) -> String {
    let rest = endpoint.dropFirst("tcp://".count)
    return String(rest[..<(rest.lastIndex(of: ":") ?? rest.endIndex)])
  }

  /// A bound endpoint as others can connect to it: wildcards become this host's name, and IPv4 addresses that
  /// the system writes as IPv6 ones are written as IPv4.
  package static func advertised(_ bound: String) -> String {
    let mapped = "tcp://[::ffff:"
    let endpoint =
      bound.hasPrefix(mapped)
      ? "tcp://" + bound.dropFirst(mapped.count).replacingOccurrences(of: "]", with: "") : bound
    guard endpoint.hasPrefix("tcp://"), ["0.0.0.0", "*", "[::]"].contains(host(endpoint)),
      let colon = endpoint.lastIndex(of: ":")
    else { return endpoint }
    return "tcp://\(Identity.hostName)\(endpoint[colon...])"
  }
}

/// The file `rendezvous.json`: where workers find a running fit.
public struct Rendezvous: Sendable, Codable {
  public var run: String
  public var endpoints: [String]
  public var host: String
  public var processID: Int
  public var version: String

  public static let fileName = "rendezvous.json"

  enum CodingKeys: String, CodingKey {
    case run, endpoints, host, version
    case processID = "process_id"
  }

  private static let maximumBytes = 65_536

  /// The endpoint that a file names.
  /// - Throws: ``RuntimeError`` when it is not there (66) or no rendezvous file (65).
  package static func read(_ path: String) throws -> String {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw RuntimeError("no rendezvous file at \(path)", exitCode: ExitCode.noInput)
    }
    let data = (try? file.read(upToCount: maximumBytes + 1)) ?? Data()
    guard data.count <= maximumBytes,
      let rendezvous = try? JSONDecoder().decode(Rendezvous.self, from: data),
      let endpoint = rendezvous.endpoints.first, (try? Endpoint.check(endpoint)) != nil
    else { throw RuntimeError("\(path) is not a rendezvous file", exitCode: ExitCode.badData) }
    return endpoint
  }

  /// Waits for a file to appear.
  public static func await(_ path: String, wait_s: Double) throws {
    let deadline = Clock.now.adding(milliseconds: Int(wait_s * 1000))
    while true {
      do {
        _ = try read(path)
        return
      } catch let error as RuntimeError where error.exitCode == ExitCode.noInput {
        guard Clock.now < deadline else {
          throw RuntimeError(
            "\(error.message) after \(Int(wait_s)) s: is the fit running, with --listen?",
            exitCode: ExitCode.noInput)
        }
        usleep(100_000)
      }
    }
  }
}
