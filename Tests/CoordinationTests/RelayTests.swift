import Coordination
import NumericsKit
import TestKit
import Testing
import Wire

@Suite("Relays")
struct RelayTests {
  private let shape = Examples.shape([64, 9], width: 3)
  private var values: TileValues { TileValues(shape: shape, seed: 7) }

  /// One relay with some workers of the given threads.
  private func rig(threads: [Int], configuration: Coordinator.Configuration = Examples.configuration())
    -> RelayRig
  {
    var rig = RelayRig(configuration)
    rig.use(values)
    rig.addRelay()
    rig.pump()
    for (place, threads) in threads.enumerated() { rig.addWorker(100 + place, relay: 0, threads: threads) }
    rig.pump()
    return rig
  }

  @Test("a relay is one worker with the threads of all its workers, and without any it is none")
  func crew() {
    var rig = rig(threads: [])
    #expect(rig.coordinator.readyWorkers == 0 && rig.relays[0].crew == Crew())
    rig.addWorker(100, relay: 0, threads: 3)
    rig.addWorker(101, relay: 0, threads: 4)
    rig.pump()
    #expect(rig.relays[0].crew == Crew(workers: 2, threads: 7))
    #expect(rig.coordinator.readyWorkers == 2 && rig.coordinator.statistics.workersSeen == 2)
    rig.kill(100)
    rig.pump()
    #expect(rig.coordinator.readyWorkers == 1 && rig.coordinator.statistics.workersLost == 1)
    rig.kill(101)
    rig.pump()
    #expect(rig.coordinator.readyWorkers == 0 && rig.coordinator.statistics.workersLost == 2)
    rig.addWorker(102, relay: 0, threads: 2)
    rig.pump()
    #expect(rig.coordinator.readyWorkers == 1 && rig.coordinator.statistics.workersSeen == 3)
  }

  @Test("sums through relays have the serial run's bits, whatever hangs where", arguments: 0..<60)
  func sameBits(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let shape = Examples.randomShape(using: &generator)
    let values = TileValues(shape: shape, seed: seed)
    var rig = RelayRig()
    rig.use(values)
    let relays = Int.random(in: 1...3, using: &generator)
    for _ in 0..<relays { rig.addRelay() }
    for relay in 0..<relays {
      for place in 0..<Int.random(in: 1...4, using: &generator) {
        rig.addWorker(
          100 + 10 * relay + place, relay: relay, threads: Int.random(in: 1...4, using: &generator))
      }
    }
    if Bool.random(using: &generator) { rig.addWorker(1000, relay: nil) }
    rig.pump()
    for iteration in 0..<3 {
      rig.begin(Examples.job(shape, iteration: iteration), values: values)
      #expect(bits(rig.completed) == bits(values.serial), "seed \(seed)")
    }
  }

  @Test("state comes to a relay once a job, and goes to each of its workers once")
  func stateOnce() {
    var rig = rig(threads: [1, 1, 1, 1])
    for _ in 0..<5 { rig.begin(Examples.job(shape), values: values) }
    #expect(rig.statesSent == 5 * 3)
    #expect(rig.statesDelivered == [100: 5, 101: 5, 102: 5, 103: 5])
  }

  @Test("what the coordinator sends and gets does not grow with the workers behind its relays")
  func bytes() {
    func traffic(_ workers: Int) -> (Int, Int) {
      var rig = RelayRig()
      rig.use(values)
      for relay in 0..<2 {
        rig.addRelay(); for place in 0..<workers { rig.addWorker(100 + 50 * relay + place, relay: relay) }
      }
      rig.pump()
      // The first jobs teach how fast everybody is.
      for _ in 0..<4 { rig.begin(Examples.job(shape), values: values) }
      let before = (rig.statesSent, rig.sumsReceived)
      for _ in 0..<10 { rig.begin(Examples.job(shape), values: values) }
      return (rig.statesSent - before.0, rig.sumsReceived - before.1)
    }
    let few = traffic(1)
    let many = traffic(40)
    #expect(many.0 == few.0 && many.1 <= few.1, "\(few), \(many)")
  }

  @Test("while more waits for a worker, it takes the rest of what came before in one piece")
  func pieces() throws {
    func second(waiting portions: Int) throws -> Int {
      var configuration = Examples.configuration()
      configuration.isRelay = true
      var coordinator = Coordinator(configuration: configuration)
      coordinator.join(peer1, Examples.hello())
      let shape = Examples.shape([128, 128, 128], width: 3)
      _ = coordinator.handle(.open(Examples.job(shape)), now: .ms(0))
      var work: [Work] = []
      for block in 0..<1 + portions {
        let subtrees = [Subtree(block: UInt32(block), level: 7, index: 0)]
        work += coordinator.handle(.add(portion: UInt64(block), subtrees: subtrees), now: .ms(block))
          .work(for: peer1)
      }
      // Two pieces of the first portion are in its hands when the others come.
      #expect(work.count == 2)
      let values = TileValues(shape: shape, seed: 7)
      let next = coordinator.answers(peer1, try #require(work.first), values, at: .ms(100)).work(for: peer1)
      return try #require(next.first).subtrees.reduce(0) { $0 + 1 << Int($1.level) }
    }
    let left = try second(waiting: 1)
    #expect(try second(waiting: 0) < left && second(waiting: 2) == left)
    // 128 less 0.7 of it, less half of the rest.
    #expect((16...22).contains(left), "\(left)")
  }

  @Test("a relay's workers are lost and found without the coordinator's doing")
  func lossBehindRelay() {
    var rig = rig(threads: [1, 1, 1])
    rig.silent = [101]
    rig.begin(Examples.job(shape), values: values)
    #expect(rig.completed == nil)
    rig.kill(101)
    rig.pump()
    #expect(bits(rig.completed) == bits(values.serial))
    #expect(
      rig.logs.contains { $0.contains("relay rack0/500: lost worker node101/101") && $0.contains("tiles") },
      "\(rig.logs)")
    #expect(rig.coordinator.statistics.redispatchedTiles > 0)
  }

  @Test("a relay that has no workers left gives its work back")
  func giveBack() {
    var rig = rig(threads: [1])
    rig.addRelay()
    rig.addWorker(200, relay: 1)
    rig.pump()
    rig.silent = [100]
    rig.begin(Examples.job(shape), values: values)
    #expect(rig.completed == nil)
    rig.kill(100)
    rig.pump()
    #expect(bits(rig.completed) == bits(values.serial))
  }

  @Test("a relay that is lost takes its workers with it, and others compute what they had")
  func lostRelay() {
    var rig = rig(threads: [1, 1, 1])
    rig.addWorker(1000, relay: nil)
    rig.pump()
    rig.silent = [100, 101, 102]
    rig.begin(Examples.job(shape), values: values)
    #expect(rig.completed == nil)
    let actions = rig.coordinator.handle(.unreachable(peer1), now: .ms(0))
    #expect(rig.coordinator.statistics.workersLost == 3 && rig.coordinator.readyWorkers == 1)
    #expect(!actions.work(for: PeerID(number: 1000)).isEmpty)
  }

  @Test("a tile that kills workers behind relays ends the run and is named with them", arguments: [1, 2])
  func deadlyTile(relays: Int) throws {
    var rig = RelayRig()
    rig.use(values)
    for relay in 0..<relays {
      rig.addRelay()
      for place in 0..<4 { rig.addWorker(100 + 10 * relay + place, relay: relay) }
    }
    rig.pump()
    rig.deadlyTile = 37
    rig.begin(Examples.job(shape), values: values)
    // Doubtful tiles wait for workers that have answered since.
    for _ in 0..<8 where rig.failure == nil { rig.tick(ms: CoordinationLimits.beatInterval_ms + 1) }
    let failure = try #require(rig.failure)
    #expect(failure.message.contains("3 workers were lost over tile 37"), "\(failure)")
    #expect(failure.message.contains("relay rack") && failure.message.contains("worker node1"), "\(failure)")
    #expect(rig.completed == nil)
  }

  @Test("a relay checks its workers' numerics against the coordinator's, not its own")
  func numerics() {
    var rig = rig(threads: [1])
    rig.addWorker(101, relay: 0, fingerprint: "other bits")
    rig.pump()
    #expect(rig.relays[0].crew.workers == 1)
    #expect(rig.logs.contains { $0.contains("relay rack0/500") && $0.contains("refused worker node101/101") })
    var mixed = self.rig(threads: [1], configuration: Examples.configuration(mixedNumerics: true))
    mixed.addWorker(101, relay: 0, fingerprint: "other bits")
    mixed.pump()
    #expect(mixed.relays[0].crew.workers == 2)
  }

  @Test("workers stay with their relay when its coordinator goes, and when another one of the same run comes")
  func newCoordinator() {
    var rig = rig(threads: [1, 1])
    rig.begin(Examples.job(shape), values: values)
    var configuration = Examples.configuration()
    configuration.epoch += 1
    rig.coordinator = Coordinator(configuration: configuration)
    // The relay's beat is a stranger's to the new one, which asks it to register.
    for _ in 0..<20 { rig.tick(ms: 500) }
    #expect(rig.invited.isEmpty && rig.coordinator.readyWorkers == 2)
    rig.begin(Examples.job(shape), values: values)
    #expect(bits(rig.completed) == bits(values.serial))
  }

  @Test("a new context is sent on even where another coordinator gave an old one the same number")
  func contextsOfTwoCoordinators() {
    var rig = rig(threads: [1])
    var job = Examples.job(shape)
    job.context = SharedContext(number: 1, bytes: [1])
    rig.begin(job, values: values)
    var configuration = Examples.configuration()
    configuration.epoch += 1
    rig.coordinator = Coordinator(configuration: configuration)
    for _ in 0..<20 { rig.tick(ms: 500) }
    job.context = SharedContext(number: 1, bytes: [2])
    let before = rig.statesSent
    rig.begin(job, values: values)
    #expect(rig.statesSent == before + 4 && bits(rig.completed) == bits(values.serial))
  }

  @Test("the end of a run reaches the workers behind a relay; a relay's own end makes them wait for another")
  func goodbyes() {
    var rig = rig(threads: [1])
    for case .send(_, let message) in rig.coordinator.handle(.end(exitCode: 0, message: "done"), now: .ms(0))
    {
      let actions = rig.relays[0].handle(.up(.received(message)), now: .ms(0))
      #expect(actions.contains { if case .exit(0, _) = $0 { true } else { false } })
      #expect(goodbye(in: actions)?.exitCode == 0)
    }
    var other = self.rig(threads: [1])
    let actions = other.relays[0].handle(.up(.stopRequested("stopped by SIGTERM")), now: .ms(0))
    #expect(goodbye(in: actions)?.exitCode == ExitCode.interrupted)
  }

  private func goodbye(in actions: [RelayAction]) -> Goodbye? {
    for case .sendDown(_, let message) in actions {
      if case .goodbye(let goodbye) = message.content { return goodbye }
    }
    return nil
  }

  @Test("a worker may not speak as a relay does")
  func notARelay() {
    for content: Message.Content in [
      .handBack(HandBack(job: 1, assignment: 1)), .crew(CrewNotice(kind: .fatal, text: "stop")),
    ] {
      var coordinator = Coordinator(configuration: Examples.configuration())
      coordinator.join(peer1)
      let actions = coordinator.says(peer1, content)
      #expect(actions.failures.isEmpty && coordinator.readyWorkers == 0)
    }
  }
}
