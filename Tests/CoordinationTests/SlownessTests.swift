import Coordination
import TestKit
import Testing
import Wire

@Suite("Slow workers are named")
struct SlownessTests {
  private let shape = Examples.shape([48], width: 2, cost: 1e7)

  /// Jobs one after the other, computed by workers of hosts node1, node2, … that take their own time for a tile, for some
  /// virtual seconds; the lines about slow workers.
  private func told(tile_ms: [Int], for seconds: Int) -> [String] {
    let values = TileValues(shape: shape, seed: 3)
    var coordinator = Coordinator(configuration: Examples.configuration(workersToStart: tile_ms.count))
    let peers = tile_ms.indices.map { PeerID(number: UInt64($0 + 1)) }
    for (index, peer) in peers.enumerated() {
      coordinator.join(peer, Examples.hello(host: "node\(index + 1)", processID: 100 + index))
    }
    var queues = [[Work]](repeating: [], count: peers.count)
    var started = [Int](repeating: 0, count: peers.count)
    var logs: [String] = []
    func take(_ actions: [CoordinatorAction], at now: Int) -> Bool {
      logs += actions.logs.filter { $0.contains("is slow") }
      for (index, peer) in peers.enumerated() {
        let work = actions.work(for: peer)
        if queues[index].isEmpty, !work.isEmpty { started[index] = now }
        queues[index] += work
      }
      return actions.completed != nil
    }
    _ = take(coordinator.handle(.begin(Examples.job(shape)), now: .ms(0)), at: 0)
    for now in 1...(1000 * seconds) {
      if now % 100 == 0 { _ = take(coordinator.handle(.tick, now: .ms(now)), at: now) }
      for (index, peer) in peers.enumerated() {
        if now % 1000 == 0 {
          _ = take(
            coordinator.says(
              peer,
              .beat(Beat(progress: UInt64(now), isReady: true, assignments: queues[index].map(\.assignment))),
              at: .ms(now)), at: now)
        }
        guard let work = queues[index].first else { continue }
        let tiles = work.subtrees.reduce(0) { count, subtree in
          count + (shape.node(of: subtree).map { shape.tree(of: 0).leaves(of: $0).count } ?? 0)
        }
        guard now - started[index] >= tiles * tile_ms[index] else { continue }
        queues[index].removeFirst()
        started[index] = now
        let result = WorkResult(
          job: work.job, assignment: work.assignment, computeSeconds: 0.001 * Double(tiles * tile_ms[index]),
          sums: values.bytes(work.subtrees) ?? [])
        let isComplete = take(coordinator.says(peer, .result(result), at: .ms(now)), at: now)
        if isComplete {
          _ = take(coordinator.handle(.begin(Examples.job(shape)), now: .ms(now)), at: now)
        }
      }
    }
    return logs
  }

  @Test(
    "A worker of a quarter of the others' speed is named with its host, its speed and how long it is waited for"
  )
  func slow() throws {
    let logs = told(tile_ms: [5, 5, 20], for: 25)
    let first = try #require(logs.first)
    #expect(
      first.hasPrefix("worker node3/102 is slow: its threads compute at 25 % of the median of the others"))
    #expect(first.contains("the others waited") && first.contains("for it alone"))
    #expect(logs.allSatisfy { $0.contains("node3/102") })
    // Once is enough for a minute.
    #expect(logs.count == 1, "\(logs)")
  }

  @Test(
    "Nobody is named among equals, nor where there is nobody to compare with",
    arguments: [[5, 5, 5], [5, 6], [5]])
  func equals(tile_ms: [Int]) {
    #expect(told(tile_ms: tile_ms, for: 25) == [])
  }

  @Test(
    "A worker that sits on its work for seconds is named with its tiles, and with what has become of them")
  func straggler() throws {
    // The second one sits on its work for hours.
    let logs = told(tile_ms: [5, 1_000_000], for: 6)
    let first = try #require(logs.first)
    #expect(first.hasPrefix("worker node2/101 is slow: it has had tiles "), "\(first)")
    #expect(first.hasSuffix("others have computed them instead"), "\(first)")
    #expect(logs.count == 1, "\(logs)")
  }

  @Test("The view names who was lost until it comes back, with the reason")
  func departures() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1, Examples.hello(host: "node1", processID: 7))
    _ = coordinator.handle(.unreachable(peer1), now: .ms(500))
    let view = coordinator.view(now: .ms(600))
    #expect(view.members.isEmpty && view.departures.map(\.host) == ["node1"])
    #expect(view.departures.first?.reason == "the connection to it is gone")
    coordinator.join(peer2, Examples.hello(host: "node1", processID: 7, incarnation: 2), at: .ms(700))
    let after = coordinator.view(now: .ms(1200))
    #expect(after.departures.isEmpty && after.members.map(\.processID) == [7])
    #expect(after.members.first?.silence_s == 0.5)
  }
}
