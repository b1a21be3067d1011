import Coordination
import TestKit
import Testing
import Wire

@Suite("The same bits from any workers")
struct SameBitsTests {
  @Test("every tile is handed out once, and the sums are those of a serial tree, whoever computes when")
  func randomRuns() {
    var gatherings = 0
    defer { #expect(gatherings > 300) }
    for seed in 0..<300 as Range<UInt64> {
      var generator = SeededGenerator(seed: 1000 + seed)
      let workers = Int.random(in: 1...7, using: &generator)
      var configuration = Examples.configuration(workersToStart: workers)
      configuration.gathersSums = seed % 3 != 0
      var cluster = Cluster(configuration, seed: seed)
      for _ in 0..<workers { cluster.connect(threads: Int.random(in: 1...8, using: &generator)) }
      for job in 0..<3 {
        let shape = Examples.randomShape(using: &generator)
        let values = TileValues(shape: shape, seed: seed)
        cluster.begin(Examples.job(shape, iteration: job), values: values)
        var lateAt = Int.random(in: 0...60, using: &generator)
        while cluster.completed == nil, cluster.step() {
          lateAt -= 1
          if lateAt == 0 { cluster.connect(threads: 2) }
        }
        #expect(cluster.failure == nil, "seed \(seed): \(String(describing: cluster.failure))")
        #expect(bits(cluster.completed) == bits(values.serial), "seed \(seed), job \(job)")
        #expect(cluster.handedOut.sorted() == Array(0..<shape.tileCount), "seed \(seed), job \(job)")
      }
      #expect(cluster.largestInFlight <= CoordinationLimits.assignmentsInFlight)
      gatherings += cluster.gatherings
      cluster.end()
      while cluster.step() {}
      #expect(cluster.exits.values.allSatisfy { $0.code == 0 }, "seed \(seed): \(cluster.exits)")
      #expect(cluster.exits.count >= workers, "seed \(seed)")
    }
  }

  @Test("a worker that joins in the middle of a job gets work of it")
  func lateJoiner() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    let shape = Examples.shape([64], cost: 1e9)
    let first = coordinator.handle(.begin(Examples.job(shape)), now: .ms(0))
    #expect(first.work(for: peer1).count == CoordinationLimits.assignmentsInFlight)
    let late = coordinator.join(peer2, Examples.hello(processID: 200)).work(for: peer2)
    #expect(late.count == 1)
    #expect(late.first?.state == [9, 8, 7])
  }

  @Test("the state travels once to each worker and job")
  func stateOnce() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    let shape = Examples.shape([32], cost: 1e9)
    let values = TileValues(shape: shape, seed: 1)
    for _ in 0..<2 {
      var pending = coordinator.handle(.begin(Examples.job(shape)), now: .ms(0)).work(for: peer1)
      var states = 0
      while !pending.isEmpty {
        let work = pending.removeFirst()
        states += work.state == nil ? 0 : 1
        let actions = coordinator.answers(peer1, work, values)
        pending += actions.work(for: peer1)
        if let sums = actions.completed { #expect(bits(sums) == bits(values.serial)) }
      }
      #expect(states == 1)
    }
    #expect(coordinator.statistics.jobs == 2)
    #expect(coordinator.statistics.workersSeen == 1)
  }

  @Test("an assignment fits a message however many blocks a job has")
  func manyBlocks() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    coordinator.join(peer2, Examples.hello(processID: 200))
    let shape = Examples.shape([Int](repeating: 1, count: 300_000), width: 1, cost: 1e3)
    let values = TileValues(shape: shape, seed: 4)
    var tiles = 0
    var pending = coordinator.handle(.begin(Examples.job(shape)), now: .ms(0)).sent
    var completed: [[Double]]?
    while completed == nil, !pending.isEmpty {
      let (peer, content) = pending.removeFirst()
      guard case .work(let work) = content else { continue }
      tiles += work.subtrees.count
      #expect(work.subtrees.count <= WireLimits.subtrees)
      #expect(Examples.message(content).encoded().body.count <= WireLimits.frameBytes)
      #expect(coordinator.bulkLimit(for: peer) <= WireLimits.bulkBytes)
      let actions = coordinator.answers(peer, work, values)
      completed = actions.completed
      pending += actions.sent
    }
    #expect(tiles == 300_000)
    #expect(bits(completed) == bits(values.serial))
  }

  @Test("results that are too large for one message are asked for in pieces")
  func wideBlocks() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    coordinator.join(peer1)
    let shape = Examples.shape([Int](repeating: 1, count: 3000), width: 1 << 20, cost: 1e3)
    let work = coordinator.handle(.begin(Examples.job(shape)), now: .ms(0)).work(for: peer1)
    #expect(!work.isEmpty)
    for piece in work { #expect(shape.width(of: piece.subtrees) * 8 <= WireLimits.bulkBytes / 8) }
  }
}
