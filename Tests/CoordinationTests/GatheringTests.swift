import Coordination
import TestKit
import Testing
import Wire

@Suite("Sums that workers hold come as one")
struct GatheringTests {
  private static let peers = [peer1, peer2, peer3]

  private static func coordinator(_ workers: Int) -> Coordinator {
    var configuration = Examples.configuration(workersToStart: workers)
    configuration.gathersSums = true
    var coordinator = Coordinator(configuration: configuration)
    for index in 0..<workers {
      coordinator.join(peers[index], Examples.hello(host: "node\(index)", processID: 100 + index))
    }
    return coordinator
  }

  /// Peers that compute what they are given with the worker's own machine, one at a time.
  private struct Rig {
    var coordinator: Coordinator
    let values: TileValues
    var workers: [PeerID: Worker] = [:]
    var waiting: [PeerID: [Computation]] = [:]
    var sums: [PeerID: Int] = [:]
    var results: [WorkResult] = []
    var given: [PeerID: [Work]] = [:]
    var completed: [[Double]]?
    var logs: [String] = []
    var failures: [RunFailure] = []
    var exits: [PeerID: Int32] = [:]

    init(_ shape: JobShape, workers count: Int) {
      coordinator = GatheringTests.coordinator(count)
      values = TileValues(shape: shape, seed: 3)
      for (index, peer) in GatheringTests.peers.prefix(count).enumerated() {
        var worker = Worker(hello: Examples.hello(host: "node\(index)", processID: 100 + index))
        _ = worker.handle(.started, now: .ms(0))
        let welcome = WorkerTests.welcome()
        _ = worker.handle(
          .received(Examples.message(welcome, session: coordinator.session(of: peer) ?? 0)), now: .ms(0))
        _ = worker.handle(.prepared(setupDigest: "s1", dataDigest: "d1"), now: .ms(0))
        workers[peer] = worker
      }
    }

    mutating func begin(at now: Instant = .ms(0)) {
      completed = nil
      take(coordinator.handle(.begin(Examples.job(values.shape)), now: now), now)
    }

    mutating func take(_ actions: [CoordinatorAction], _ now: Instant) {
      completed = actions.completed ?? completed
      logs += actions.logs
      failures += actions.failures
      for case .send(let peer, let message) in actions {
        if case .work(let work) = message.content { given[peer, default: []].append(work) }
        guard let done = workers[peer]?.handle(.received(message), now: now) else { continue }
        take(done, of: peer, now)
      }
    }

    private mutating func take(
      _ actions: [WorkerAction], of peer: PeerID, _ now: Instant, isHeard: Bool = true
    ) {
      for action in actions {
        switch action {
        case .compute(let computation): waiting[peer, default: []].append(computation)
        case .send(let message):
          if case .result(let result) = message.content {
            sums[peer, default: 0] += result.sums.count / 8
            results.append(result)
          }
          if isHeard { take(coordinator.handle(.received(peer, message), now: now), now) }
        case .forget(let numbers): waiting[peer]?.removeAll { numbers.contains($0.assignment) }
        case .exit(let code, _): exits[peer] = code
        default: break
        }
      }
    }

    /// Lets a worker's machine act on an event.
    mutating func tell(_ peer: PeerID, _ event: WorkerEvent, at now: Instant, isHeard: Bool = true) {
      take(workers[peer]?.handle(event, now: now) ?? [], of: peer, now, isHeard: isHeard)
    }

    mutating func stop(_ peer: PeerID, at now: Instant, isHeard: Bool = true) {
      tell(peer, .stopRequested("stopped by SIGTERM"), at: now, isHeard: isHeard)
    }

    /// Finishes what a worker computes.
    mutating func compute(_ peer: PeerID, at now: Instant = .ms(0)) {
      guard waiting[peer]?.isEmpty == false, let next = waiting[peer]?.removeFirst() else { return }
      let done = workers[peer]?.handle(
        .computed(
          assignment: next.assignment, sums: values.bytes(next.subtrees) ?? [], seconds: 0.001), now: now)
      take(done ?? [], of: peer, now)
    }

    mutating func finish(without lost: PeerID? = nil, at now: Instant = .ms(0)) {
      var turn = 0
      while completed == nil, turn < 10_000 {
        for peer in workers.keys.sorted() where peer != lost { compute(peer, at: now) }
        turn += 1
      }
    }

    func isGathering(_ peer: PeerID) -> Bool {
      given[peer]?.contains { $0.role.gathering != nil } ?? false
    }
  }

  @Test("Each worker sends the fewest sums that cover its tiles, in whatever pieces it was handed them")
  func fewest() {
    // Homes of 32, 32 tiles; of 20, 20, 20; of three blocks and a half.
    for (tiles, workers, fewest) in [
      ([64], 2, 1), ([60], 3, 4), ([8, 8, 8, 8, 8, 8, 8], 2, 4), ([65, 65, 65, 65, 65], 2, 6),
    ] {
      var rig = Rig(Examples.shape(tiles, width: 3, cost: 1e9), workers: workers)
      rig.begin()
      rig.finish()
      #expect(bits(rig.completed) == bits(rig.values.serial))
      for peer in Self.peers.prefix(workers) {
        // And some more, where it has taken tiles of another's home.
        #expect(rig.isGathering(peer))
        #expect((rig.sums[peer] ?? 0) <= 3 * (fewest + 4), "\(tiles) \(rig.sums)")
      }
      let held = rig.results.filter { $0.sums.isEmpty }.count
      #expect(held >= 3 * workers, "\(held)")
    }
  }

  @Test("Nothing is held of a piece of many blocks, or of one that is handed out at once")
  func nothing() {
    var many = Rig(Examples.shape([Int](repeating: 1, count: 64), cost: 1e9), workers: 2)
    many.begin()
    #expect(many.given.values.allSatisfy { $0.first?.role == .answer })
    many.finish()
    #expect(bits(many.completed) == bits(many.values.serial))
    var small = Rig(Examples.shape([2], cost: 1e9), workers: 2)
    small.begin()
    small.finish()
    #expect(small.given.values.allSatisfy { $0.allSatisfy { $0.role == .answer } })
    #expect(bits(small.completed) == bits(small.values.serial))
  }

  @Test("What a lost worker held is computed by others")
  func loss() {
    for computed in 0...4 {
      var rig = Rig(Examples.shape([64], cost: 1e9), workers: 2)
      rig.begin()
      for _ in 0..<computed { rig.compute(peer1) }
      #expect(rig.completed == nil)
      rig.take(rig.coordinator.handle(.unreachable(peer1), now: .ms(1)), .ms(1))
      rig.finish(without: peer1, at: .ms(1))
      #expect(bits(rig.completed) == bits(rig.values.serial))
      #expect(rig.failures.isEmpty)
      // The next job knows nothing of it.
      rig.begin(at: .ms(2))
      rig.finish(without: peer1, at: .ms(2))
      #expect(bits(rig.completed) == bits(rig.values.serial))
    }
  }

  @Test("A worker that leaves sends what it holds, and nothing of it is computed again", arguments: 0...4)
  func leaving(computed: Int) {
    var rig = Rig(Examples.shape([64], cost: 1e9), workers: 2)
    rig.begin()
    for _ in 0..<computed { rig.compute(peer1) }
    #expect(rig.completed == nil)
    let held = rig.given[peer1]?.prefix(computed) ?? []
    rig.stop(peer1, at: .ms(1))
    // It has the piece in hand still, and takes no other.
    #expect(rig.exits[peer1] == nil)
    let given = rig.given[peer1]?.count
    while rig.exits[peer1] == nil, rig.waiting[peer1]?.isEmpty == false { rig.compute(peer1, at: .ms(2)) }
    #expect(rig.exits[peer1] == 0)
    let after = rig.given[peer1]?.dropFirst(given ?? 0) ?? []
    #expect(after.allSatisfy { $0.role.gathering != nil })
    let asked = rig.given[peer1]?.compactMap { $0.role.gathering?.assignments }.last ?? []
    #expect(Set(asked).isSuperset(of: held.map(\.assignment)) && asked.count == computed + 1)
    let others = rig.given[peer2] ?? []
    rig.finish(without: peer1, at: .ms(3))
    #expect(bits(rig.completed) == bits(rig.values.serial), "\(rig.logs)")
    // What was sent is not handed out again.
    let mine = Set((rig.given[peer1] ?? []).filter { asked.contains($0.assignment) }.flatMap(\.subtrees))
    let theirs = (rig.given[peer2] ?? []).dropFirst(others.count).filter { $0.role.gathering == nil }
    #expect(mine.isDisjoint(with: theirs.flatMap(\.subtrees)))
    #expect(rig.coordinator.statistics.workersLost == 0)
    rig.begin(at: .ms(4))
    rig.finish(without: peer1, at: .ms(4))
    #expect(bits(rig.completed) == bits(rig.values.serial))
  }

  @Test("A worker that leaves waits until it hears that nobody wants what it holds, and not for ever")
  func unwanted() {
    for isAnswered in [true, false] {
      var rig = Rig(Examples.shape([64], cost: 1e9), workers: 2)
      rig.begin()
      rig.compute(peer1)
      let session = rig.coordinator.session(of: peer1) ?? 0
      rig.stop(peer1, at: .ms(2), isHeard: false)
      while let next = rig.waiting[peer1]?.popLast() {
        let done = WorkerEvent.computed(
          assignment: next.assignment, sums: rig.values.bytes(next.subtrees) ?? [], seconds: 1)
        rig.tell(peer1, done, at: .ms(2), isHeard: false)
      }
      #expect(rig.exits[peer1] == nil)
      if isAnswered {
        let goodbye = Message.Content.goodbye(Goodbye(exitCode: ExitCode.interrupted, message: "not wanted"))
        rig.tell(peer1, .received(Examples.message(goodbye, session: session)), at: .ms(3))
      } else {
        for time in stride(from: 100, through: CoordinationLimits.leaving_ms, by: 100) {
          let beat = Message.Content.beat(Beat(progress: 9))
          rig.tell(peer1, .received(Examples.message(beat, session: session)), at: .ms(time))
          rig.tell(peer1, .tick(progress: 1), at: .ms(time), isHeard: false)
          #expect(rig.exits[peer1] == nil)
        }
        rig.tell(peer1, .tick(progress: 1), at: .ms(CoordinationLimits.leaving_ms + 3))
      }
      #expect(rig.exits[peer1] == 0)
    }
    // The coordinator's side.
    var coordinator = Self.coordinator(1)
    coordinator.join(peer2, Examples.hello(host: "node1", processID: 101))
    let beat = Message.Content.beat(Beat(progress: 1, isReady: true, isLeaving: true))
    let dismissed = coordinator.says(peer1, beat, at: .ms(1))
    #expect(
      dismissed.sent.contains {
        if case .goodbye(let goodbye) = $0.content { goodbye.exitCode == ExitCode.interrupted } else { false }
      })
    #expect(coordinator.readyWorkers == 1)
    let sent = coordinator.handle(.begin(Examples.job(Examples.shape([64], cost: 1e9))), now: .ms(2)).sent
    #expect(!sent.isEmpty && sent.allSatisfy { $0.peer == peer2 })
  }

  @Test("Where a worker that holds sums is late, others compute copies of what it holds, too")
  func late() {
    for computed in 0...4 {
      var rig = Rig(Examples.shape([64], cost: 1e7), workers: 3)
      rig.begin()
      for _ in 0..<computed { rig.compute(peer1) }
      // The others do what they have and may take; then time passes.
      for time in stride(from: 0, through: 60_000, by: 100) where rig.completed == nil {
        let now = Instant.ms(time)
        for peer in [peer2, peer3] {
          for _ in 0..<50 { rig.compute(peer, at: now) }
          rig.take(
            rig.coordinator.says(peer, .beat(Beat(progress: UInt64(time), isReady: true)), at: now), now)
        }
        // It lives, and gets no further.
        let alive = Beat(
          progress: UInt64(time), isReady: true, assignments: rig.waiting[peer1]?.map(\.assignment) ?? [])
        rig.take(rig.coordinator.says(peer1, .beat(alive), at: now), now)
        rig.take(rig.coordinator.handle(.tick, now: now), now)
      }
      #expect(bits(rig.completed) == bits(rig.values.serial), "\(computed): \(rig.logs)")
      // It answers at last, in full, and takes part in the next job.
      let limit = rig.coordinator.resultBytes(for: peer1) ?? 0
      let before = rig.results.count
      while rig.waiting[peer1]?.isEmpty == false { rig.compute(peer1, at: .ms(61_000)) }
      #expect(rig.results[before...].reduce(0) { $0 + $1.sums.count } <= limit, "more than it may send")
      rig.begin(at: .ms(62_000))
      rig.finish(at: .ms(62_000))
      #expect(bits(rig.completed) == bits(rig.values.serial))
      #expect(rig.failures.isEmpty)
    }
  }

  @Test("A request that is lost on the way is noticed, and what it asks for computed again")
  func lostRequest() {
    var rig = Rig(Examples.shape([64], cost: 1e9), workers: 2)
    rig.begin()
    while !rig.isGathering(peer1) {
      rig.compute(peer1)
      rig.compute(peer2)
    }
    // The worker computes what it has, and has never heard of the request.
    rig.workers[peer1] = nil
    rig.finish(without: peer1)
    #expect(rig.completed == nil)
    for number in rig.waiting[peer1]?.map(\.assignment) ?? [] {
      let result = WorkResult(job: 1, assignment: number, computeSeconds: 0.1, sums: [])
      rig.take(rig.coordinator.says(peer1, .result(result), at: .ms(100)), .ms(100))
    }
    let beat = Beat(progress: 9, isReady: true, heardUpTo: 10_000)
    for time in stride(from: 1_000, through: 6_000, by: 1_000) {
      #expect(rig.logs.allSatisfy { !$0.contains("does not have assignment") })
      rig.take(rig.coordinator.handle(.tick, now: .ms(time)), .ms(time))
      rig.take(rig.coordinator.says(peer1, .beat(beat), at: .ms(time)), .ms(time))
    }
    #expect(rig.logs.contains { $0.contains("does not have assignment") })
    // It has been given some of it again, which it does not hear of, either.
    rig.take(rig.coordinator.handle(.unreachable(peer1), now: .ms(6_100)), .ms(6_100))
    rig.finish(without: peer1, at: .ms(6_100))
    #expect(bits(rig.completed) == bits(rig.values.serial), "\(rig.logs)")
  }

  // MARK: The worker

  private static func work(_ assignment: UInt64, _ subtrees: [Subtree], _ role: Work.Role, job: UInt64 = 1)
    -> Message
  {
    Examples.message(
      .work(
        Work(
          job: job, assignment: assignment, jobKind: 1, iteration: 6, subtrees: subtrees,
          state: assignment == 1 || job > 1 ? [4] : nil, role: role)))
  }

  private static func answers(_ actions: [WorkerAction]) -> [WorkResult] {
    actions.sent.compactMap { if case .result(let result) = $0.content { result } else { nil } }
  }

  @Test("A worker answers once it has computed what it is asked for; of what it has not it says nothing")
  func worker() {
    let shape = Examples.shape([13], width: 2)
    let values = TileValues(shape: shape, seed: 8)
    var worker = WorkerTests.worker(.working)
    // Tiles 4…7 and 8…12: with the tree's ragged end.
    let (first, second) = (shape.subtrees(covering: 4..<8), shape.subtrees(covering: 8..<13))
    let gathering = Work.Gathering(assignments: [1, 2], widths: [2])
    let all = shape.subtrees(covering: 4..<13)
    #expect(all.count == 2)
    _ = worker.handle(.received(Self.work(1, first, .hold)), now: .ms(1))
    _ = worker.handle(.received(Self.work(2, second, .hold)), now: .ms(1))
    let early = worker.handle(.received(Self.work(3, all, .gather(gathering))), now: .ms(1))
    #expect(early.isEmpty)
    let one = worker.handle(
      .computed(assignment: 1, sums: values.bytes(first) ?? [], seconds: 1), now: .ms(2))
    #expect(Self.answers(one) == [WorkResult(job: 1, assignment: 1, computeSeconds: 1, sums: [])])
    let two = Self.answers(
      worker.handle(.computed(assignment: 2, sums: values.bytes(second) ?? [], seconds: 1), now: .ms(2)))
    #expect(two.map(\.assignment) == [2, 3])
    #expect(two.last?.sums == values.bytes(all))
    // Asked once more, for one of them: it holds them until the next job.
    let again = Work.Gathering(assignments: [2], widths: [2])
    let more = worker.handle(.received(Self.work(4, second, .gather(again))), now: .ms(3))
    #expect(Self.answers(more).last?.sums == values.bytes(second))
    for gathering in [
      Work.Gathering(assignments: [1, 2, 9], widths: [2]),
      Work.Gathering(assignments: [1, 2], widths: [2, 2]),
      Work.Gathering(assignments: [1, 2], widths: []),
      Work.Gathering(assignments: [1, 2], widths: [3]),
      Work.Gathering(assignments: [1], widths: [2]),
    ] {
      let number = UInt64.random(in: 100...1 << 40)
      #expect(worker.handle(.received(Self.work(number, all, .gather(gathering))), now: .ms(3)).isEmpty)
    }
    _ = worker.handle(.received(Self.work(5, first, .hold, job: 2)), now: .ms(4))
    #expect(
      worker.handle(.received(Self.work(6, all, .gather(gathering), job: 2)), now: .ms(4)).isEmpty)
  }
}
