import Coordination
import TestKit
import Testing
import Wire

@Suite("Short jobs are given to some of the workers, long ones to all")
struct CrewSizeTests {
  private static let workers = 64
  /// Floating-point operations a second of every worker.
  private static let speed = 1e9

  /// A coordinator of workers on eight hosts, and what they are given.
  private struct Rig {
    var coordinator: Coordinator
    let values: TileValues
    let peers = (1...CrewSizeTests.workers).map { PeerID(number: UInt64($0)) }
    var work: [PeerID: [Work]] = [:]
    var completed: [[Double]]?
    var logs: [String] = []
    /// Who was given something since the last job began.
    var employed: Set<PeerID> = []

    /// - Parameter processors: of each of the eight hosts; nil: unknown.
    init(
      _ shape: JobShape, employsAll: Bool = false, presumedSpeed: Double? = nil, threads: Int = 1,
      processors: Int? = nil
    ) {
      var configuration = Examples.configuration(workersToStart: CrewSizeTests.workers)
      configuration.employsAll = employsAll
      configuration.presumedSpeed = presumedSpeed
      coordinator = Coordinator(configuration: configuration)
      values = TileValues(shape: shape, seed: 5)
      for (index, peer) in peers.enumerated() {
        let host = "node\(index / 8)"
        coordinator.join(
          peer,
          Examples.hello(
            host: host, processID: 100 + index, threads: threads,
            processors: processors.map { Processors(set: host, count: $0) }))
      }
    }

    mutating func take(_ actions: [CoordinatorAction]) {
      logs += actions.logs
      completed = actions.completed ?? completed
      for peer in peers {
        let given = actions.work(for: peer)
        if !given.isEmpty { employed.insert(peer) }
        work[peer, default: []] += given
      }
    }

    mutating func begin(state: [UInt8] = [1], at now: Instant = .ms(0)) {
      employed = []
      completed = nil
      var job = Examples.job(values.shape)
      job.state = state
      take(coordinator.handle(.begin(job), now: now))
    }

    /// Lets all answer what they have until the job is done.
    mutating func finish(at now: Instant = .ms(0)) {
      while completed == nil, let peer = peers.first(where: { work[$0]?.isEmpty == false }),
        let next = work[peer]?.removeFirst()
      {
        let tiles = next.subtrees.reduce(0) { count, subtree in
          count + (values.shape.node(of: subtree).map { values.shape.tree(of: 0).leaves(of: $0).count } ?? 0)
        }
        let cost = values.shape.cost(of: 0..<tiles)
        take(
          coordinator.says(
            peer,
            .result(
              WorkResult(
                job: next.job, assignment: next.assignment, computeSeconds: cost / CrewSizeTests.speed,
                sums: values.bytes(next.subtrees) ?? [])), at: now))
      }
    }
  }

  /// A job of 256 equal tiles that takes one worker so long.
  private static func shape(seconds: Double) -> JobShape {
    Examples.shape([256], width: 2, cost: seconds * speed / 256)
  }

  @Test("As many as make k messages and the k-th part of the job shortest, on all hosts")
  func short() {
    var rig = Rig(Self.shape(seconds: 0.01))
    rig.begin()
    // Nobody's speed is known.
    #expect(rig.employed.count == Self.workers)
    rig.finish()
    rig.begin()
    // √(0.01 s / 40 µs) ≈ 15.8
    #expect(rig.employed.count == 16)
    #expect(Set(rig.employed.map { ($0.number - 1) / 8 }).count == 8)
    rig.finish()
    #expect(rig.completed == rig.values.serial)
  }

  @Test("All take part in a job that is long enough, or where the run says so")
  func all() {
    for (seconds, employsAll) in [(0.2, false), (0.01, true)] {
      var rig = Rig(Self.shape(seconds: seconds), employsAll: employsAll)
      for _ in 0..<3 {
        rig.begin()
        #expect(rig.employed.count == Self.workers)
        rig.finish()
        #expect(rig.completed == rig.values.serial)
      }
    }
  }

  @Test("Of more threads than processors, as many take part as find one; at least one worker a machine")
  func processors() {
    for (threads, processors, employed) in [(1, 3, 3), (2, 3, 1), (2, 5, 2), (4, 2, 1), (1, 20, 8)] {
      var rig = Rig(Self.shape(seconds: 0.2), threads: threads, processors: processors)
      rig.begin(at: .ms(0))
      // Nobody knows how long the job takes.
      #expect(rig.employed.count == Self.workers)
      rig.finish(at: .ms(100))
      for turn in 1...3 {
        rig.begin(at: .ms(turn * 1000))
        #expect(rig.employed.count == 8 * employed)
        #expect(Set(rig.employed.map { ($0.number - 1) / 8 }).count == 8)
        rig.finish(at: .ms(turn * 1000 + 100))
        #expect(rig.completed == rig.values.serial)
      }
      // It has become a long one.
      rig.begin(at: .ms(5000))
      rig.finish(at: .ms(5200))
      rig.begin(at: .ms(6000))
      #expect(rig.employed.count == Self.workers)
      rig.finish(at: .ms(6200))
    }
    var all = Rig(Self.shape(seconds: 0.2), employsAll: true, processors: 1)
    for turn in 0..<3 {
      all.begin(at: .ms(turn * 1000))
      #expect(all.employed.count == Self.workers)
      all.finish(at: .ms(turn * 1000 + 100))
    }
  }

  @Test("Who is busy with an earlier job leaves its processor to another worker")
  func busyProcessor() throws {
    var rig = Rig(Self.shape(seconds: 0.2), processors: 1)
    rig.begin()
    rig.finish(at: .ms(100))
    rig.begin(at: .ms(1000))
    #expect(rig.employed.count == 8)
    let stopped = try #require(rig.employed.min { $0.number < $1.number })
    let left = rig.work[stopped] ?? []
    rig.work[stopped] = []
    rig.take(rig.coordinator.handle(.tick, now: .ms(1300)))
    rig.finish(at: .ms(1300))
    // Its tiles are copied to who rests.
    for time in stride(from: 1400, through: 2400, by: 100) where rig.completed == nil {
      rig.take(rig.coordinator.handle(.tick, now: .ms(time)))
      rig.finish(at: .ms(time))
    }
    #expect(rig.completed == rig.values.serial)
    #expect(!left.isEmpty)
    // That one took long, so that all who are free take part in the next; then another one takes its place.
    for turn in 3...5 {
      rig.begin(at: .ms(turn * 1000))
      #expect(!rig.employed.contains(stopped))
      #expect(turn == 3 ? rig.employed.count > 8 : rig.employed.count == 8)
      rig.finish(at: .ms(turn * 1000 + 50))
      #expect(rig.completed == rig.values.serial)
    }
  }

  @Test("A speed to reckon with counts from the first job on, whatever workers show")
  func presumed() {
    var rig = Rig(Self.shape(seconds: 0.01), presumedSpeed: 4 * Self.speed)
    for _ in 0..<3 {
      rig.begin()
      // √(0.0025 s / 40 µs) ≈ 7.9
      #expect(rig.employed.count == 8)
      rig.finish()
      #expect(rig.completed == rig.values.serial)
    }
  }

  @Test("A state of many bytes, which each worker has to get, makes them fewer")
  func largeState() {
    var rig = Rig(Self.shape(seconds: 0.1))
    rig.begin()
    rig.finish()
    rig.begin(state: [UInt8](repeating: 0, count: 2_000_000))
    // √(0.1 s / 1.04 ms) ≈ 9.8
    #expect(rig.employed.count == 10)
    rig.finish()
  }

  @Test("Those who rest take over what a lost worker had, and help with a job that takes long")
  func recalled() throws {
    var rig = Rig(Self.shape(seconds: 0.01))
    rig.begin()
    rig.finish()
    rig.begin()
    let resting = Set(rig.peers).subtracting(rig.employed)
    let victim = try #require(rig.employed.min { $0.number < $1.number })
    let given = rig.employed
    rig.work[victim] = []
    rig.take(rig.coordinator.handle(.unreachable(victim), now: .ms(1)))
    #expect(!rig.employed.subtracting(given).isDisjoint(with: resting))
    rig.finish(at: .ms(1))
    #expect(rig.completed == rig.values.serial)

    var slow = Rig(Self.shape(seconds: 0.1))
    slow.begin()
    slow.finish()
    slow.begin(state: [UInt8](repeating: 0, count: 2_000_000))
    #expect(slow.employed.count == 10)
    slow.take(slow.coordinator.handle(.tick, now: .ms(200)))
    #expect(slow.employed.count == 10)
    slow.take(slow.coordinator.handle(.tick, now: .ms(300)))
    #expect(slow.employed.count > 10)
    slow.finish(at: .ms(300))
    #expect(slow.completed == slow.values.serial)
  }

  @Test("It is said once that workers rest")
  func noted() {
    var rig = Rig(Self.shape(seconds: 0.01))
    for _ in 0..<120 {
      rig.begin()
      rig.finish()
    }
    let note = "16 of 64 workers take part in an iteration: "
    #expect(rig.logs.filter { $0.hasPrefix(note + "it is so") }.count == 1)

    var crowded = Rig(Self.shape(seconds: 0.2), processors: 2)
    for _ in 0..<120 {
      crowded.begin()
      crowded.finish()
    }
    #expect(crowded.logs.filter { $0.hasPrefix(note + "their") }.count == 1)
  }
}
