import Foundation
import TestKit
import Testing

@Suite(
  .serialized,
  .enabled(
    if: NetworkNamespaces.unavailable == nil, "\(NetworkNamespaces.unavailable ?? "") (root has them)"))
struct NetworkNamespacesTests {
  /// Whether a member reaches another one, now or soon.
  private func reachesSoon(_ from: NetworkNamespaces.Member, _ to: NetworkNamespaces.Member) async throws
    -> Bool
  {
    for _ in 0..<30 { if try await reaches(from, to) { return true } }
    return false
  }

  /// Whether a member reaches another one within a second.
  private func reaches(_ from: NetworkNamespaces.Member, _ to: NetworkNamespaces.Member) async throws -> Bool
  {
    let folder = try TemporaryFolder()
    let script = "exec 3<>/dev/tcp/\(to.address)/7000 && echo here >&3 && read -t 1 word <&3 && echo $word"
    let result = try await CommandRun(
      ["-c", "timeout 1 bash -c '\(script)'"], in: folder, executable: "/bin/bash", namespace: from
    ).finish(within: 20)
    return result.output == "here\n"
  }

  /// Answers who connects; needs nothing but Perl, which every Debian has.
  private func server(_ member: NetworkNamespaces.Member, in folder: TemporaryFolder) throws -> CommandRun {
    let script = """
      use IO::Socket::INET; $SIG{CHLD} = 'IGNORE';
      my $server = IO::Socket::INET->new(LocalPort => 7000, Listen => 9, ReuseAddr => 1) or die;
      while (1) { my $client = $server->accept or next; next if fork; print $client scalar <$client>; exit }
      """
    return try CommandRun(["-e", script], in: folder, executable: "/usr/bin/perl", namespace: member)
  }

  @Test func linksAndPacketsCanBeCutAndHealed() async throws {
    let network = try NetworkNamespaces(count: 3)
    let other = try NetworkNamespaces(count: 2)
    let folder = try TemporaryFolder()
    let server = try server(network[0], in: folder)
    #expect(server.group == [server.processID])
    #expect(try await reachesSoon(network[1], network[0]))
    try network[1].linkDown()
    #expect(try await !reaches(network[1], network[0]))
    #expect(try await reachesSoon(network[2], network[0]))
    try network[1].linkUp()
    #expect(try await reachesSoon(network[1], network[0]))
    for direction in NetworkNamespaces.Member.Direction.allCases {
      try network[1].drop([direction])
      #expect(try await !reaches(network[1], network[0]))
      #expect(try network[1].packetsDropped() > 0)
      #expect(try await reachesSoon(network[2], network[0]))
      try network[1].stopDropping()
      #expect(try await reachesSoon(network[1], network[0]))
    }
    // Another network has the same addresses and nobody there.
    #expect(try await !reaches(other[1], other[0]))
    #expect(try network[1].run("ip", "-4", "address").contains(network[1].address))
  }

  @Test func nothingIsLeft() async throws {
    let before = try FileManager.default.contentsOfDirectory(atPath: "/sys/class/net")
    let folder = try TemporaryFolder()
    var network: NetworkNamespaces? = try NetworkNamespaces(count: 2)
    let name = try #require(network?[0].name)
    var run: CommandRun? = try CommandRun(
      ["-c", "sleep 300 & exec sleep 300"], in: folder, executable: "/bin/sh", namespace: network?[0])
    let process = try #require(run?.processID)
    network = nil
    // What runs inside keeps it, and goes with it.
    #expect(FileManager.default.fileExists(atPath: "/run/netns/\(name)"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "/sys/class/net") == before)
    run = nil
    #expect(!FileManager.default.fileExists(atPath: "/run/netns/\(name)"))
    #expect(ProcessTable.living().allSatisfy { $0.group != process })
  }
}
