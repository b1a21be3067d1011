import Foundation
import Synchronization

/// A network of its own for a test: namespaces of the kernel, each with an address on one bridge, whose links can
/// be cut and whose packets can be dropped.
///
///     let network = try NetworkNamespaces(count: 3)
///     let run = try CommandRun(["fit", …], in: folder, namespace: network[0])
///     try network[1].linkDown()
///
/// Bridge and ends of links are in a namespace too, so that nothing of this machine's network changes. Everything
/// is removed when it is let go, with the processes that are left inside; what test programs that are gone have
/// left behind is removed by the next one.
public final class NetworkNamespaces: Sendable {
  /// How many members it has.
  public let count: Int
  /// The namespace that holds the bridge, and the members' ends of the links.
  fileprivate let hub: String
  fileprivate let tool: String

  private static let prefix = "isomix-test-"
  private static let counter = Atomic<Int>(0)

  /// One namespace: a host on the network, which is there as long as one of its members is held.
  public struct Member: Sendable {
    private let network: NetworkNamespaces
    private let number: Int

    fileprivate init(_ network: NetworkNamespaces, number: Int) {
      self.network = network
      self.number = number
    }

    /// Its address, the same in every test: networks do not see each other.
    public var address: String { "10.77.3.\(number)" }
    /// Its name, as `ip netns` has it.
    public var name: String { "\(network.hub)-\(number)" }
    /// What runs a program inside, before the program's own words.
    public var prefix: [String] { [network.tool, "netns", "exec", name] }
    private var hub: String { network.hub }
    private var link: String { "link\(number)" }

    fileprivate func connect() throws {
      try Spawn.tool("ip", "netns", "add", name)
      try Spawn.tool(
        "ip", "link", "add", link, "netns", hub, "type", "veth", "peer", "name", "eth0", "netns", name)
      try Spawn.tool("ip", "-n", hub, "link", "set", link, "master", "bridge", "up")
      try Spawn.tool("ip", "-n", name, "address", "add", "\(address)/24", "dev", "eth0")
      try Spawn.tool("ip", "-n", name, "link", "set", "lo", "up")
      try Spawn.tool("ip", "-n", name, "link", "set", "eth0", "up")
    }

    /// Pulls the cable, as far as this host can see.
    public func linkDown() throws { try Spawn.tool("ip", "-n", hub, "link", "set", link, "down") }

    /// Puts the cable back.
    public func linkUp() throws { try Spawn.tool("ip", "-n", hub, "link", "set", link, "up") }

    /// Which packets a host loses.
    public enum Direction: Sendable, CaseIterable {
      case incoming, outgoing
    }

    /// Drops packets without a word, one way or both, until ``stopDropping()``.
    public func drop(_ directions: Set<Direction> = Set(Direction.allCases)) throws {
      try stopDropping()
      try Spawn.tool("ip", "netns", "exec", name, "nft", "add", "table", "inet", "faults")
      for direction in Direction.allCases where directions.contains(direction) {
        let (hook, interface) = direction == .incoming ? ("input", "iifname") : ("output", "oifname")
        try Spawn.tool(
          "ip", "netns", "exec", name, "nft",
          "add chain inet faults \(hook) { type filter hook \(hook) priority 0; }; "
            + "add rule inet faults \(hook) \(interface) \"eth0\" counter drop")
      }
    }

    /// Lets all packets through again.
    public func stopDropping() throws { try Spawn.tool("ip", "netns", "exec", name, "nft", "flush ruleset") }

    /// Packets that were dropped since ``drop(_:)``.
    public func packetsDropped() throws -> Int {
      let rules = try Spawn.tool("ip", "netns", "exec", name, "nft", "list ruleset").split(separator: " ")
      return zip(rules, rules.dropFirst()).reduce(0) { sum, words in
        words.0 == "packets" ? sum + (Int(words.1) ?? 0) : sum
      }
    }

    /// Runs a tool of the system inside, to its end.
    @discardableResult public func run(_ words: String...) throws -> String {
      let program = words.first.flatMap(Spawn.toolPath) ?? words.first ?? ""
      return try Spawn.tool(["ip", "netns", "exec", name, program] + words.dropFirst())
    }
  }

  /// Makes the namespaces.
  /// - Throws: ``TestKitError`` when that is not permitted here; ask ``unavailable`` first.
  public init(count: Int) throws {
    guard let tool = Spawn.toolPath("ip") else { throw TestKitError("there is no 'ip' here") }
    NetworkNamespaces.removeStale()
    let number = NetworkNamespaces.counter.wrappingAdd(1, ordering: .relaxed).oldValue
    hub = "\(NetworkNamespaces.prefix)\(getpid())-\(number)"
    self.tool = tool
    self.count = count
    // From here on `deinit` removes what there is, whatever fails.
    try Spawn.tool("ip", "netns", "add", hub)
    try Spawn.tool(
      "ip", "-n", hub, "link", "add", "bridge", "type", "bridge", "stp_state", "0", "forward_delay", "0")
    try Spawn.tool("ip", "-n", hub, "link", "set", "bridge", "up")
    for index in 0..<count { try self[index].connect() }
  }

  deinit { NetworkNamespaces.remove(hub) }

  /// A namespace, from 0.
  public subscript(index: Int) -> Member { Member(self, number: index + 1) }

  /// Why there can be no namespaces here; nil when there can.
  ///
  /// Found out once, by making a network and using all of it.
  public static let unavailable: String? = {
    do {
      let probe = try NetworkNamespaces(count: 2)
      try probe[0].linkDown()
      try probe[0].linkUp()
      try probe[1].drop()
      try probe[1].stopDropping()
      return nil
    } catch {
      return "no network namespaces with veth, bridge and nftables here: \(error)"
    }
  }()

  /// The names of all namespaces of test programs.
  static func existing() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []).filter {
      $0.hasPrefix(prefix)
    }
  }

  /// Removes a network with everything inside.
  private static func remove(_ hub: String) {
    for name in existing() where name == hub || name.hasPrefix(hub + "-") {
      let inside = (try? Spawn.tool("ip", "netns", "pids", name)) ?? ""
      for process in inside.split(separator: "\n").compactMap({ pid_t($0) }) { kill(process, SIGKILL) }
      _ = try? Spawn.tool("ip", "netns", "delete", name)
    }
  }

  /// Removes the networks of test programs that are gone.
  private static func removeStale() {
    for name in existing() {
      guard let owner = name.dropFirst(prefix.count).split(separator: "-").first.flatMap({ pid_t($0) }),
        owner != getpid(), !ProcessTable.isLiving(owner)
      else { continue }
      remove(name)
    }
  }
}
