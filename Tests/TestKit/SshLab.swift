import Foundation

/// A network of hosts with an sshd each, ended when it is let go.
///
/// The first namespace is where ssh is used; the others are hosts.
public final class SshLab: Sendable {
  public let network: NetworkNamespaces
  private let folder: TemporaryFolder
  private static let port = 2222

  public init(hosts: Int) throws {
    network = try NetworkNamespaces(count: hosts + 1)
    folder = try TemporaryFolder()
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("cluster/lab/sshd-up.sh").path
    for host in 1...hosts {
      try Spawn.tool(
        ["bash", script, folder.path, network[host].address, "\(SshLab.port)"],
        environment: ["NETNS": network[host].name])
    }
  }

  deinit {
    for host in 1..<network.count {
      let file = folder("sshd-\(network[host].address).pid")
      if let process = (try? String(contentsOfFile: file, encoding: .utf8)).flatMap({
        pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }) {
        kill(process, SIGTERM)
      }
    }
  }

  /// Why there can be none here; nil when there can.
  public static let unavailable: String? = {
    if let reason = NetworkNamespaces.unavailable { return reason }
    if let missing = ["sshd", "ssh", "ssh-keygen"].first(where: { Spawn.toolPath($0) == nil }) {
      return "no ssh here (\(missing) is missing): run cluster/bootstrap.sh --tests"
    }
    return geteuid() == 0 ? nil : "no sshd here: only root can start it"
  }()

  /// What ssh needs to know of the hosts.
  public var configuration: String { folder("ssh_config") }

  /// Where the launcher runs.
  public var launcher: NetworkNamespaces.Member { network[0] }

  /// The hosts' addresses.
  public var hosts: [String] { (1..<network.count).map { network[$0].address } }
}
