import Coordination
import TestKit
import Testing
import Wire

@Suite("Copies for stragglers, tiles that kill, messages that are lost")
struct RecoveryTests {
  private let shape = Examples.shape([16], width: 2, cost: 1e6)
  private var values: TileValues { TileValues(shape: shape, seed: 11) }

  /// Two workers of different hosts, or more, at work on a job.
  private func atWork(_ hosts: [String], mixedNumerics: Bool = false) -> (Coordinator, [PeerID: [Work]]) {
    var coordinator = Coordinator(
      configuration: Examples.configuration(workersToStart: hosts.count, mixedNumerics: mixedNumerics))
    for (index, host) in hosts.enumerated() {
      coordinator.join(
        PeerID(number: UInt64(index + 1)), Examples.hello(host: host, processID: 100 + index))
    }
    let actions = coordinator.handle(.begin(Examples.job(shape)), now: .ms(0))
    let peers = hosts.indices.map { PeerID(number: UInt64($0 + 1)) }
    return (coordinator, Dictionary(uniqueKeysWithValues: peers.map { ($0, actions.work(for: $0)) }))
  }

  /// Lets a worker answer all that it is given; returns the job's sums once it is complete.
  private func drain(
    _ peer: PeerID, _ coordinator: inout Coordinator, _ first: [Work], at now: Instant = .ms(1)
  ) -> [[Double]]? {
    var work = first
    while !work.isEmpty {
      let actions = coordinator.answers(peer, work.removeFirst(), values, at: now)
      if let sums = actions.completed { return sums }
      work += actions.work(for: peer)
    }
    return nil
  }

  @Test("an idle worker gets a copy of what another takes too long for, and the first answer counts")
  func straggler() throws {
    var (coordinator, work) = atWork(["node1", "node2"])
    #expect(drain(peer2, &coordinator, work[peer2] ?? []) == nil)
    #expect(coordinator.handle(.tick, now: .ms(CoordinationLimits.straggler_ms)).work(for: peer2).isEmpty)
    let copies = coordinator.handle(.tick, now: .ms(CoordinationLimits.straggler_ms + 1))
    let copy = try #require(copies.work(for: peer2).first)
    let original = try #require(work[peer1]?.first)
    #expect(copy.subtrees == original.subtrees && copy.assignment != original.assignment)
    #expect(copies.work(for: peer1).isEmpty)
    // A copy of it is enough.
    #expect(
      coordinator.handle(.tick, now: .ms(400)).sent.allSatisfy { $0.peer != peer1 || !$0.content.isWork })
    var completed = drain(peer2, &coordinator, [copy], at: .ms(300))
    for _ in 0..<4 where completed == nil {
      let more = coordinator.handle(.tick, now: .ms(900)).work(for: peer2)
      completed = drain(peer2, &coordinator, more, at: .ms(901))
    }
    #expect(bits(completed) == bits(values.serial))
    // The straggler's own answer comes after the job: compared, and not counted.
    #expect(coordinator.answers(peer1, original, values, at: .ms(1000)).failures.isEmpty)
    #expect(coordinator.statistics.duplicates == 1)
    #expect(coordinator.statistics.redispatchedTiles > 0)
  }

  @Test("a copy goes to another host where there is one")
  func otherHost() {
    var (coordinator, work) = atWork(["node1", "node1", "node2"])
    #expect(drain(peer2, &coordinator, work[peer2] ?? []) == nil)
    #expect(drain(peer3, &coordinator, work[peer3] ?? []) == nil)
    let actions = coordinator.handle(.tick, now: .ms(1000))
    let first = actions.sent.first { $0.content.isWork }
    #expect(first?.peer == peer3)
  }

  @Test("a straggler gets no home in the next job before it has answered")
  func owingWorker() throws {
    var (coordinator, work) = atWork(["node1", "node2"])
    #expect(drain(peer2, &coordinator, work[peer2] ?? []) == nil)
    var completed: [[Double]]?
    for now in [1000, 2000, 3000] where completed == nil {
      completed = drain(
        peer2, &coordinator, coordinator.handle(.tick, now: .ms(now)).work(for: peer2), at: .ms(now))
    }
    #expect(completed != nil)
    let next = coordinator.handle(
      .begin(Examples.job(Examples.shape([64], width: 2, cost: 1e6))), now: .ms(3001))
    #expect(next.work(for: peer1).isEmpty && !next.work(for: peer2).isEmpty)
    // With its old answers given it gets work again.
    var given: [Work] = []
    for old in work[peer1] ?? [] {
      given += coordinator.answers(peer1, old, values, at: .ms(3002)).work(for: peer1)
    }
    #expect(!given.isEmpty && given[0].state == [9, 8, 7])
  }

  @Test("two workers that compute other sums for the same tiles end the run, and both are named")
  func differentSums() throws {
    for mixed in [false, true] {
      var (coordinator, work) = atWork(["node1", "node2"], mixedNumerics: mixed)
      if mixed {
        // Numerics that differ promise nothing.
        coordinator.join(PeerID(number: 9), Examples.hello(processID: 9, fingerprint: "f9"))
      }
      let last = mixed ? PeerID(number: 9) : peer2
      #expect(drain(peer2, &coordinator, work[peer2] ?? []) == nil)
      if mixed { _ = coordinator.handle(.unreachable(peer2), now: .ms(2)) }
      let copies = coordinator.handle(.tick, now: .ms(1000)).work(for: last)
      let original = try #require(work[peer1]?.first { $0.subtrees == copies.first?.subtrees })
      #expect(coordinator.answers(last, try #require(copies.first), values, at: .ms(1001)).failures.isEmpty)
      var sums = values.bytes(original.subtrees) ?? []
      sums[0] ^= 1
      let wrong = WorkResult(
        job: original.job, assignment: original.assignment, computeSeconds: 0, sums: sums)
      let failures = coordinator.says(peer1, .result(wrong), at: .ms(1002)).failures
      if mixed {
        #expect(failures.isEmpty)
      } else {
        #expect(failures.first?.exitCode == 70)
        let message = failures.first?.message ?? ""
        #expect(message.contains("node1/100") && message.contains("node2/101"), "\(message)")
      }
    }
  }

  @Test("a tile that kills three workers ends the run with its story; the other tiles are computed before")
  func deadlyTile() throws {
    let deadly = 5
    var coordinator = Coordinator(configuration: Examples.configuration())
    _ = coordinator.handle(.begin(Examples.job(shape)), now: .ms(0))
    var deaths = 0
    var done: Set<Int> = []
    var failure: RunFailure?
    for number in 1...20 as ClosedRange<UInt64> where failure == nil {
      let peer = PeerID(number: number)
      let hello = Examples.hello(host: "node\(number)", processID: Int(number))
      var work = coordinator.join(peer, hello, at: .ms(Int(number))).work(for: peer)
      while !work.isEmpty {
        let next = work.removeFirst()
        let tiles = tiles(of: next)
        if tiles.contains(deadly) {
          deaths += 1
          failure = coordinator.handle(.unreachable(peer), now: .ms(Int(number))).failures.first
          break
        }
        done.formUnion(tiles)
        work += coordinator.answers(peer, next, values, at: .ms(Int(number))).work(for: peer)
      }
    }
    #expect(deaths == CoordinationLimits.deathsPerTile)
    let story = try #require(failure?.message)
    #expect(story.contains("tile \(deadly) ") && story.contains("3 workers"), "\(story)")
    #expect(failure?.exitCode == 70)
    #expect(story.components(separatedBy: "the connection to it is gone").count == 4, "\(story)")
  }

  @Test("workers that die together are not taken for victims of what the first one had")
  func lostRack() throws {
    let hosts = (1...6).map { "node\($0)" }
    let peers = (1...6).map { PeerID(number: UInt64($0)) }
    var (coordinator, work) = atWork(hosts)
    for peer in peers.dropFirst() { #expect(drain(peer, &coordinator, work[peer] ?? []) == nil) }
    // All but the last one die at once, which is noticed of one after the other: by then the next one has its tiles.
    var given: [PeerID: Int] = [:]
    for peer in peers.dropLast() {
      let actions = coordinator.handle(.unreachable(peer), now: .ms(2))
      #expect(actions.failures.isEmpty, "\(actions.failures)")
      for other in peers { given[other, default: 0] += actions.work(for: other).count }
    }
    #expect(given[peers[1], default: 0] > 0 && given.values.filter { $0 > 0 }.count == 1, "\(given)")
    // A beat that was sent before says nothing; one that answers does.
    #expect(
      coordinator.says(peers[5], .beat(Beat(progress: 1, isReady: true, heardUpTo: 3)), at: .ms(3)).isEmpty)
    let next = try #require(
      coordinator.handle(.tick, now: .ms(4)).sent.compactMap { sent -> UInt64? in
        guard case .beat(let beat) = sent.content, sent.peer == peers[5] else { return nil }
        return beat.progress
      }.first)
    let answer = coordinator.says(
      peers[5], .beat(Beat(progress: 1, isReady: true, heardUpTo: next)), at: .ms(5))
    #expect(!answer.work(for: peers[5]).isEmpty)
    #expect(
      bits(drain(peers[5], &coordinator, answer.work(for: peers[5]), at: .ms(6))) == bits(values.serial))
  }

  @Test("workers that come back were not killed by what they held")
  func acquitted() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    let single = Examples.shape([1], width: 2)
    _ = coordinator.handle(.begin(Examples.job(single)), now: .ms(0))
    for incarnation in 1...10 {
      let actions = coordinator.join(peer1, Examples.hello(incarnation: incarnation), at: .ms(incarnation))
      #expect(actions.work(for: peer1).count == 1)
      #expect(coordinator.handle(.unreachable(peer1), now: .ms(incarnation)).failures.isEmpty)
    }
  }

  @Test("a tile whose workers say why they stop ends the run with their exit code")
  func failingTile() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    _ = coordinator.handle(.begin(Examples.job(Examples.shape([1], width: 2))), now: .ms(0))
    var failures: [RunFailure] = []
    for number in 1...3 as ClosedRange<UInt64> {
      let peer = PeerID(number: number)
      let work = coordinator.join(peer, Examples.hello(processID: Int(number))).work(for: peer)
      #expect(work.count == 1)
      let failure = WorkerFailure(exitCode: 71, message: "no memory for the tile")
      failures += coordinator.says(peer, .failure(failure)).failures
    }
    #expect(failures.map(\.exitCode) == [71])
    #expect(failures.first?.message.contains("no memory for the tile") == true)
  }

  @Test("work that got lost on its way is noticed by the beats and sent again with its state")
  func lostWork() throws {
    var (coordinator, work) = atWork(["node1"])
    let grace = CoordinationLimits.lostMessage_ms
    let lost = try #require(work[peer1]?.first)
    func beat(_ beat: Beat, at now: Int) -> [CoordinatorAction] {
      coordinator.says(peer1, .beat(beat), at: .ms(now))
    }
    func says(heardUpTo: UInt64 = .max, isReceiving: Bool = false, has: [UInt64] = []) -> Beat {
      Beat(
        progress: 0, isReady: true, isReceiving: isReceiving, heardUpTo: heardUpTo, assignments: has)
    }
    #expect(beat(says(), at: grace).isEmpty)
    // Something long is on its way.
    #expect(beat(says(isReceiving: true), at: grace + 1).isEmpty)
    #expect(beat(says(has: (work[peer1] ?? []).map(\.assignment)), at: grace + 2).isEmpty)
    // The beat is older than the work: it has waited behind something long.
    #expect(beat(says(heardUpTo: lost.assignment), at: grace + 2).isEmpty)
    let again = beat(says(), at: grace + 3)
    #expect(again.warnings.contains { $0.contains("does not have assignment \(lost.assignment)") })
    #expect(again.work(for: peer1).first?.state == [9, 8, 7])
    #expect(coordinator.statistics.workersLost == 0)
    // If it was only late, it does no harm.
    #expect(coordinator.answers(peer1, lost, values, at: .ms(grace + 4)).failures.isEmpty)
    #expect(
      bits(drain(peer1, &coordinator, again.work(for: peer1), at: .ms(grace + 5))) == bits(values.serial))
  }

  @Test("a worker that work does not reach again and again is lost, and what it is sent is bounded")
  func deafWorker() throws {
    var (coordinator, work) = atWork(["node1", "node2"])
    var now = 0
    var states = 0
    var actions: [CoordinatorAction] = []
    for _ in 0..<20 {
      now += CoordinationLimits.lostMessage_ms + 1
      // The other one gets on, and has what it was given.
      _ = coordinator.says(
        peer2, .beat(Beat(progress: UInt64(now), isReady: true, isReceiving: true)), at: .ms(now))
      actions += coordinator.says(
        peer1, .beat(Beat(progress: UInt64(now), isReady: true, heardUpTo: .max)),
        at: .ms(now))
    }
    states = actions.work(for: peer1).count { $0.state != nil }
    #expect(states == CoordinationLimits.missedInARow - 1)
    #expect(actions.warnings.contains { $0.contains("lost worker node1") && $0.contains("not reached it") })
    #expect(actions.dropped.first == peer1 && actions.failures.isEmpty)
    #expect(!coordinator.isRegistered(peer1) && coordinator.isRegistered(peer2))
    #expect(work[peer1]?.isEmpty == false)
    // It comes back over another connection.
    coordinator.join(peer3, Examples.hello(host: "node1", incarnation: 2), at: .ms(now))
    #expect(coordinator.isRegistered(peer3))
  }

  @Test("a `ready` that got lost is noticed by the beats")
  func lostReady() {
    var coordinator = Coordinator(configuration: Examples.configuration())
    _ = coordinator.handle(.received(peer1, Examples.message(.hello(Examples.hello()))), now: .ms(0))
    let grace = CoordinationLimits.lostMessage_ms
    let beat = Message.Content.beat(Beat(progress: 0, isReady: true))
    #expect(coordinator.says(peer1, beat, at: .ms(grace)).isEmpty)
    #expect(coordinator.says(peer1, beat, at: .ms(grace + 1)).invites(peer1))
    coordinator.join(peer1, Examples.hello(incarnation: 2), at: .ms(grace + 2))
    #expect(coordinator.readyWorkers == 1)
  }

  @Test("a ready that comes twice, and a result that comes twice, do nothing")
  func twice() throws {
    var (coordinator, work) = atWork(["node1", "node2"])
    #expect(coordinator.says(peer1, Examples.ready).isEmpty)
    let first = try #require(work[peer1]?.first)
    _ = coordinator.answers(peer1, first, values)
    #expect(coordinator.answers(peer1, first, values).isEmpty)
    #expect(coordinator.readyWorkers == 2)
  }

  private func tiles(of work: Work) -> [Int] {
    work.subtrees.flatMap { subtree -> [Int] in
      guard let node = shape.node(of: subtree) else { return [] }
      return Array(shape.tree(of: Int(subtree.block)).leaves(of: node))
    }
  }
}

extension Message.Content {
  fileprivate var isWork: Bool { if case .work = self { true } else { false } }
}
