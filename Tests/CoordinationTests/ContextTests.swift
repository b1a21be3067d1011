import Coordination
import TestKit
import Testing
import Wire

@Suite("What many jobs have in common")
struct ContextTests {
  private let shape = Examples.shape([16], width: 2, cost: 1e6)
  private var values: TileValues { TileValues(shape: shape, seed: 12) }

  private func job(_ context: UInt64?) -> Job {
    Job(
      kind: 1, iteration: 5, state: [9, 8, 7],
      context: context.map { SharedContext(number: $0, bytes: [UInt8($0), 1]) }, shape: shape)
  }

  /// Runs a job to its end; all the work that each peer was given, in order.
  private func run(_ job: Job, _ coordinator: inout Coordinator, _ peers: [PeerID]) throws -> [PeerID: [Work]]
  {
    var all: [PeerID: [Work]] = [:]
    var queue = coordinator.handle(.begin(job), now: .ms(1)).workOfAll
    var completed: [[Double]]?
    while !queue.isEmpty {
      let (peer, work) = queue.removeFirst()
      all[peer, default: []].append(work)
      let actions = coordinator.answers(peer, work, values, at: .ms(1))
      if let sums = actions.completed { completed = sums }
      queue += actions.workOfAll
    }
    #expect(bits(completed) == bits(values.serial))
    #expect(Set(all.keys) == Set(peers), "everybody got work")
    return all
  }

  private func started(_ hosts: Int) -> Coordinator {
    var coordinator = Coordinator(configuration: Examples.configuration(workersToStart: hosts))
    for index in 0..<hosts {
      coordinator.join(
        PeerID(number: UInt64(index + 1)), Examples.hello(host: "node\(index + 1)", processID: 100 + index))
    }
    return coordinator
  }

  @Test("goes to each worker once, with the first work that needs it, and again when it has changed")
  func once() throws {
    var coordinator = started(2)
    let steps: [(context: UInt64?, isNew: Bool)] = [
      (7, true), (7, false), (7, false), (8, true), (8, false), (nil, false), (8, false), (7, true),
    ]
    for (index, step) in steps.enumerated() {
      let all = try run(job(step.context), &coordinator, [peer1, peer2])
      for peer in [peer1, peer2] {
        let work = try #require(all[peer])
        #expect(work.allSatisfy { $0.context == step.context ?? 0 }, "job \(index)")
        let expected = step.isNew ? step.context.map { [UInt8($0), 1] } : nil
        #expect(work.first?.contextBytes == expected, "job \(index)")
        #expect(work.dropFirst().allSatisfy { $0.contextBytes == nil && $0.state == nil })
        #expect(work.first?.state == [9, 8, 7], "the state is new with every job")
      }
    }
  }

  @Test("goes to a worker that joins later, and to one that registers anew")
  func later() throws {
    var coordinator = started(1)
    _ = try run(job(7), &coordinator, [peer1])
    coordinator.join(peer2, Examples.hello(host: "node2", processID: 101), at: .ms(2))
    var all = try run(job(7), &coordinator, [peer1, peer2])
    #expect(all[peer1]?.first?.contextBytes == nil)
    #expect(all[peer2]?.first?.contextBytes == [7, 1])
    coordinator.join(peer1, Examples.hello(incarnation: 2), at: .ms(3))
    all = try run(job(7), &coordinator, [peer1, peer2])
    #expect(all[peer1]?.first?.contextBytes == [7, 1])
    #expect(all[peer2]?.first?.contextBytes == nil)
  }

  @Test("goes again to a worker that an assignment has not reached")
  func missed() throws {
    var coordinator = started(1)
    let lost = coordinator.handle(.begin(job(7)), now: .ms(0)).work(for: peer1)
    #expect(lost.first?.contextBytes == [7, 1])
    let beat = Beat(progress: 0, isReady: true, isReceiving: false, heardUpTo: .max, assignments: [])
    let again = coordinator.says(peer1, .beat(beat), at: .ms(CoordinationLimits.lostMessage_ms + 1))
    let work = again.work(for: peer1)
    #expect(work.first?.contextBytes == [7, 1] && work.first?.state == [9, 8, 7])
    #expect(work.dropFirst().allSatisfy { $0.contextBytes == nil })
  }

  private func work(
    _ assignment: UInt64, job: UInt64, context: UInt64 = 0, bytes: [UInt8]? = nil, session: UInt32 = 1
  ) -> WorkerEvent {
    .received(
      Examples.message(
        .work(
          Work(
            job: job, assignment: assignment, jobKind: 1, iteration: 6,
            subtrees: [Subtree(block: 0, level: 0, index: 0)], state: [4], context: context,
            contextBytes: bytes)), session: session))
  }

  @Test("a worker keeps it over jobs, and takes no work whose context it has not")
  func worker() {
    var worker = WorkerTests.worker(.working)
    var clock = 1
    func take(_ event: WorkerEvent) -> Computation? {
      clock += 1
      for case .compute(let computation) in worker.handle(event, now: .ms(clock)) {
        _ = worker.handle(
          .computed(assignment: computation.assignment, sums: [], seconds: 0), now: .ms(clock))
        return computation
      }
      return nil
    }
    #expect(take(work(1, job: 1, context: 7)) == nil, "what came with it was lost")
    #expect(take(work(2, job: 1)) != nil, "this needs none")
    let first = take(work(3, job: 2, context: 7, bytes: [7, 1]))
    #expect(first?.context == 7 && first?.contextBytes == [7, 1])
    let second = take(work(4, job: 3, context: 7))
    #expect(second?.context == 7 && second?.contextBytes == nil)
    #expect(take(work(5, job: 4)) != nil)
    #expect(take(work(6, job: 5, context: 7)) != nil, "a job that needs none does not make it forget")
    #expect(take(work(7, job: 6, context: 8)) == nil)
    #expect(take(work(8, job: 6, context: 8, bytes: [])) != nil, "an empty context is one")
    #expect(take(work(9, job: 7, context: 7)) == nil, "it keeps the last one")
    // Work that it did not take is not remembered as taken.
    #expect(take(work(9, job: 7, context: 7, bytes: [7, 1])) != nil)
  }

  @Test("in a new registration a worker has none")
  func registration() {
    var worker = WorkerTests.worker(.working)
    _ = worker.handle(work(1, job: 1, context: 7, bytes: [7, 1]), now: .ms(1))
    _ = worker.handle(.received(Examples.message(.registerAgain)), now: .ms(2))
    _ = worker.handle(
      .received(Examples.message(WorkerTests.welcome(incarnation: 2), session: 2)), now: .ms(3))
    _ = worker.handle(.prepared(setupDigest: "s1", dataDigest: "d1"), now: .ms(4))
    #expect(worker.handle(work(2, job: 2, context: 7, session: 2), now: .ms(5)).isEmpty)
    #expect(!worker.handle(work(3, job: 2, context: 7, bytes: [7, 1], session: 2), now: .ms(6)).isEmpty)
  }
}

extension Array where Element == CoordinatorAction {
  fileprivate var workOfAll: [(peer: PeerID, work: Work)] {
    sent.compactMap { sent in
      if case .work(let work) = sent.content { (sent.peer, work) } else { nil }
    }
  }
}
