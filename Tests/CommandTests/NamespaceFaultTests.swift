import Foundation
import TestKit
import Testing

extension Commands {
  /// Coordinator and workers on hosts of their own, as far as they can see, with cables that are pulled and packets
  /// that are dropped.
  @Suite(
    .serialized, .enabled(if: NetworkNamespaces.unavailable == nil, "\(NetworkNamespaces.unavailable ?? "")"))
  struct NamespaceFaults {
    enum Fault: String, Sendable, CaseIterable {
      case linkDown, incomingDropped, outgoingDropped

      func begin(at host: NetworkNamespaces.Member) throws {
        switch self {
        case .linkDown: try host.linkDown()
        case .incomingDropped: try host.drop([.incoming])
        case .outgoingDropped: try host.drop([.outgoing])
        }
      }

      func end(at host: NetworkNamespaces.Member) throws {
        if self == .linkDown { try host.linkUp() } else { try host.stopDropping() }
      }
    }

    /// A fit in the first namespace, with a worker in each of the two others, that gets on.
    private func fit(over network: NetworkNamespaces, in folder: TemporaryFolder) async throws
      -> (live: LiveFit, workers: [CommandRun])
    {
      let live = try LiveFit(
        Examples.breastCancer,
        ["--workers", "0", "--listen", "tcp://\(network[0].address):0", "--insecure"]
          + ["--silence-timeout", "2"], in: folder, namespace: network[0])
      let workers = try [1, 2].map { try live.worker(namespace: network[$0]) }
      try await live.waitForWorkers(2)
      try await live.waitForProgress()
      return (live, workers)
    }

    @Test(arguments: Fault.allCases)
    func workerComesBackWhenTheNetworkHeals(_ fault: Fault) async throws {
      let folder = try TemporaryFolder()
      let network = try NetworkNamespaces(count: 3)
      let (live, workers) = try await fit(over: network, in: folder)
      try fault.begin(at: network[1])
      // One way only, the worker is still heard or still hears; its work is done by the other one in any case.
      if fault != .incomingDropped { try await live.waitForLog("/\(workers[0].processID): ", within: 20) }
      try await live.waitForProgress(within: 20)
      try await Task.sleep(for: .seconds(3))
      if fault != .linkDown { #expect(try network[1].packetsDropped() > 0) }
      try fault.end(at: network[1])
      try await live.waitForWorkers(2)
      try await live.waitForProgress()
      for worker in workers { #expect(!worker.hasEnded, "\(worker.errors)") }
      let summary = try await live.stopAndExpectUndisturbedBits()
      if fault != .incomingDropped { #expect((summary["lost_workers"] as? Int ?? 0) >= 1) }
      withExtendedLifetime(workers) {}
    }

    /// The coordinator's own cable: every worker is cut off, and comes back.
    @Test func coordinatorComesBackToItsWorkers() async throws {
      let folder = try TemporaryFolder()
      let network = try NetworkNamespaces(count: 3)
      let (live, workers) = try await fit(over: network, in: folder)
      try network[0].linkDown()
      try await Task.sleep(for: .seconds(5))
      try network[0].linkUp()
      try await live.waitForProgress()
      try await live.waitForWorkers(2)
      for worker in workers { #expect(!worker.hasEnded, "\(worker.errors)") }
      try await live.stopAndExpectUndisturbedBits()
      withExtendedLifetime(workers) {}
    }
  }
}
