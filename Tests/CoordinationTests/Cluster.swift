import Coordination
import TestKit
import Testing
import Wire

/// A coordinator and workers joined by queues in memory: each link keeps its order, but which link moves next is
/// drawn at random.
struct Cluster {
  private enum Link: Hashable {
    case toCoordinator(Int)
    case toWorker(Int)
    case computing(Int)
  }

  var coordinator: Coordinator
  private var workers: [Worker] = []
  private var messagesUp: [[Message]] = []
  private var messagesDown: [[Message]] = []
  private var computations: [[Computation]] = []
  private(set) var exits: [Int: (code: Int32, message: String)] = [:]
  private(set) var completed: [[Double]]?
  private(set) var failure: RunFailure?
  /// Tiles handed out in the current job, in the order of hand-out.
  private(set) var handedOut: [Int] = []
  private(set) var largestInFlight = 0
  /// Requests for sums that are held.
  private(set) var gatherings = 0
  private var values: TileValues?
  /// Milliseconds since the start.
  private var clock = 0
  private var generator: SeededGenerator

  init(_ configuration: Coordinator.Configuration, seed: UInt64) {
    coordinator = Coordinator(configuration: configuration)
    generator = SeededGenerator(seed: seed)
  }

  mutating func connect(threads: Int) {
    let index = workers.count
    workers.append(Worker(hello: Examples.hello(processID: 1000 + index, threads: threads)))
    messagesUp.append([])
    messagesDown.append([])
    computations.append([])
    perform(workers[index].handle(.started, now: .ms(clock)), of: index)
  }

  mutating func begin(_ job: Job, values: TileValues) {
    self.values = values
    completed = nil
    handedOut = []
    perform(coordinator.handle(.begin(job), now: .ms(clock)))
  }

  mutating func end() { perform(coordinator.handle(.end(exitCode: 0, message: "done"), now: .ms(clock))) }

  /// Moves one message or finishes one computation; false when nothing is left to move.
  mutating func step() -> Bool {
    var links: [Link] = []
    for index in workers.indices {
      if !messagesUp[index].isEmpty { links.append(.toCoordinator(index)) }
      if !messagesDown[index].isEmpty { links.append(.toWorker(index)) }
      if !computations[index].isEmpty { links.append(.computing(index)) }
    }
    guard let link = links.randomElement(using: &generator) else { return false }
    clock += 1
    switch link {
    case .toCoordinator(let index):
      let message = messagesUp[index].removeFirst()
      let peer = PeerID(number: UInt64(index))
      perform(coordinator.handle(.received(peer, message), now: .ms(clock)))
    case .toWorker(let index):
      let message = messagesDown[index].removeFirst()
      perform(workers[index].handle(.received(message), now: .ms(clock)), of: index)
    case .computing(let index):
      let computation = computations[index].removeFirst()
      guard let sums = values?.bytes(computation.subtrees) else {
        Issue.record("a subtree was handed out that the job has not")
        return true
      }
      let seconds = Double.random(in: 0...1, using: &generator)
      let event = WorkerEvent.computed(assignment: computation.assignment, sums: sums, seconds: seconds)
      perform(workers[index].handle(event, now: .ms(clock)), of: index)
    }
    if Int.random(in: 0..<8, using: &generator) == 0 {
      perform(coordinator.handle(.tick, now: .ms(clock)))
      for index in workers.indices {
        perform(workers[index].handle(.tick(progress: 1), now: .ms(clock)), of: index)
      }
    }
    return true
  }

  private mutating func perform(_ actions: [CoordinatorAction]) {
    for action in actions {
      switch action {
      case .send(let peer, let message):
        if case .work(let work) = message.content {
          switch work.role {
          case .gather: gatherings += 1
          case .answer, .hold: record(work)
          }
        }
        messagesDown[Int(peer.number)].append(message)
      case .completed(let sums): completed = sums
      case .failed(let failure): self.failure = failure
      case .log, .drop, .portionCompleted, .portionRefused, .crew, .readShard: break
      }
    }
  }

  private mutating func record(_ work: Work) {
    guard let shape = values?.shape else { return }
    for subtree in work.subtrees {
      guard let node = shape.node(of: subtree) else { continue }
      let first = shape.firstTiles[Int(subtree.block)]
      handedOut += shape.tree(of: Int(subtree.block)).leaves(of: node).map { first + $0 }
    }
  }

  private mutating func perform(_ actions: [WorkerAction], of index: Int) {
    for action in actions {
      switch action {
      case .send(let message): messagesUp[index].append(message)
      case .prepare(let setup):
        #expect(setup == [1, 2, 3])
        let event = WorkerEvent.prepared(setupDigest: "s1", dataDigest: "d1")
        perform(workers[index].handle(event, now: .ms(clock)), of: index)
      case .compute(let computation):
        computations[index].append(computation)
        largestInFlight = max(largestInFlight, computations[index].count)
      case .exit(let code, let message): exits[index] = (code, message)
      case .connect, .forget, .note, .shard: break
      }
    }
  }
}
