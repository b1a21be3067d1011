import Coordination
import NumericsKit
import Testing
import Wire

/// A coordinator, relays and workers joined by queues in memory, in the order of sending. Workers compute at once,
/// unless they are told not to; a tile may be deadly.
struct RelayRig {
  /// Where a node hangs, by the number of its peer: 1… are relays, 100… workers behind relays, 1000… the coordinator's own.
  struct Node {
    var worker: Worker
    /// The relay, nil for the coordinator.
    let relay: Int?
    var isAlive = true
    var computations: [Computation] = []
  }

  private enum Delivery {
    case up(Message, fromRelay: Int)
    case toRelay(Int, Message)
    case upFromWorker(Int, Message)
    case toWorker(Int, Message)
  }

  var coordinator: Coordinator
  var relays: [Relay] = []
  private(set) var nodes: [Int: Node] = [:]
  private var queue: [Delivery] = []
  private var values: TileValues?
  private(set) var completed: [[Double]]?
  private(set) var failure: RunFailure?
  private(set) var logs: [String] = []
  private(set) var exits: [(relay: Int, code: Int32, message: String)] = []
  /// Payloads that the coordinator sent and got: states and contexts, and sums, in bytes.
  private(set) var statesSent = 0
  private(set) var sumsReceived = 0
  /// States that each worker behind a relay got.
  private(set) var statesDelivered: [Int: Int] = [:]
  /// What was sent to each relay's workers.
  private(set) var invited: [Int] = []
  /// Kills whoever computes it.
  var deadlyTile: Int?
  /// Workers that take work and never answer.
  var silent: Set<Int> = []
  var clock = 0

  init(_ configuration: Coordinator.Configuration = Examples.configuration()) {
    coordinator = Coordinator(configuration: configuration)
  }

  /// The relay's number with its coordinator is its place and one more.
  mutating func addRelay() {
    let place = relays.count
    relays.append(
      Relay(
        hello: Examples.hello(host: "rack\(place)", processID: 500 + place, fingerprint: "adds only"),
        epoch: 1000 * UInt64(place + 1)))
    tell(relay: place, .up(.started))
  }

  mutating func addWorker(_ number: Int, relay: Int?, threads: Int = 1, fingerprint: String = "f1") {
    let hello = Examples.hello(
      host: "node\(number)", processID: number, threads: threads, fingerprint: fingerprint)
    nodes[number] = Node(worker: Worker(hello: hello), relay: relay)
    tell(worker: number, .started)
  }

  mutating func begin(_ job: Job, values: TileValues) {
    self.values = values
    completed = nil
    perform(coordinator.handle(.begin(job), now: .ms(clock)))
    pump()
  }

  /// Hands on whatever is on its way.
  mutating func pump() {
    while !queue.isEmpty {
      switch queue.removeFirst() {
      case .up(let message, let relay):
        if case .result(let result) = message.content { sumsReceived += result.sums.count }
        perform(coordinator.handle(.received(PeerID(number: UInt64(relay + 1)), message), now: .ms(clock)))
      case .toRelay(let relay, let message): tell(relay: relay, .up(.received(message)))
      case .upFromWorker(let number, let message):
        guard let node = nodes[number] else { continue }
        let peer = PeerID(number: UInt64(number))
        if let relay = node.relay {
          tell(relay: relay, .down(.received(peer, message)))
        } else {
          if case .result(let result) = message.content { sumsReceived += result.sums.count }
          perform(coordinator.handle(.received(peer, message), now: .ms(clock)))
        }
      case .toWorker(let number, let message):
        guard nodes[number]?.isAlive == true else { continue }
        if case .work(let work) = message.content, work.state != nil {
          statesDelivered[number, default: 0] += 1
        }
        if case .registerAgain = message.content { invited.append(number) }
        tell(worker: number, .received(message))
      }
    }
  }

  /// Time passes for everybody.
  mutating func tick(ms: Int) {
    clock += ms
    perform(coordinator.handle(.tick, now: .ms(clock)))
    for relay in relays.indices { tell(relay: relay, .tick) }
    for number in nodes.keys.sorted() where nodes[number]?.isAlive == true {
      tell(worker: number, .tick(progress: 1))
    }
    pump()
  }

  /// A worker's process ends without a word.
  mutating func kill(_ number: Int) {
    nodes[number]?.isAlive = false
    let peer = PeerID(number: UInt64(number))
    if let relay = nodes[number]?.relay {
      tell(relay: relay, .down(.unreachable(peer)))
    } else {
      perform(coordinator.handle(.unreachable(peer), now: .ms(clock)))
    }
  }

  mutating func tell(relay: Int, _ event: RelayEvent) {
    for action in relays[relay].handle(event, now: .ms(clock)) {
      switch action {
      case .sendUp(let message): queue.append(.up(message, fromRelay: relay))
      case .prepare:
        let shapes = values.map { [UInt8(1): $0.shape] } ?? [:]
        tell(relay: relay, .prepared(setupDigest: "s1", dataDigest: "d1", shapes: shapes))
      case .sendDown(let peer, let message): queue.append(.toWorker(Int(peer.number), message))
      case .exit(let code, let message): exits.append((relay, code, message))
      case .connect, .drop, .log, .shard, .readShard: break
      }
    }
  }

  /// The shape that the run's jobs have must be known when a relay reads the set-up.
  mutating func use(_ values: TileValues) { self.values = values }

  private mutating func tell(worker number: Int, _ event: WorkerEvent) {
    guard let actions = nodes[number]?.worker.handle(event, now: .ms(clock)) else { return }
    for action in actions {
      switch action {
      case .send(let message): queue.append(.upFromWorker(number, message))
      case .prepare: tell(worker: number, .prepared(setupDigest: "s1", dataDigest: "d1"))
      case .compute(let computation): compute(computation, at: number)
      case .connect, .forget, .note, .exit, .shard: break
      }
    }
  }

  private mutating func compute(_ computation: Computation, at number: Int) {
    guard !silent.contains(number), nodes[number]?.isAlive == true else { return }
    if let deadlyTile, tiles(computation.subtrees).contains(deadlyTile) { return kill(number) }
    guard let sums = values?.bytes(computation.subtrees) else {
      Issue.record("a subtree was handed out that the job has not")
      return
    }
    tell(worker: number, .computed(assignment: computation.assignment, sums: sums, seconds: 0.001))
  }

  private func tiles(_ subtrees: [Subtree]) -> Set<Int> {
    guard let shape = values?.shape else { return [] }
    return subtrees.reduce(into: []) { tiles, subtree in
      guard let node = shape.node(of: subtree) else { return }
      let first = shape.firstTiles[Int(subtree.block)]
      tiles.formUnion(shape.tree(of: Int(subtree.block)).leaves(of: node).map { first + $0 })
    }
  }

  private mutating func perform(_ actions: [CoordinatorAction]) {
    for action in actions {
      switch action {
      case .send(let peer, let message):
        if case .work(let work) = message.content {
          statesSent += (work.state?.count ?? 0) + (work.contextBytes?.count ?? 0)
        }
        let number = Int(peer.number)
        queue.append(number <= relays.count ? .toRelay(number - 1, message) : .toWorker(number, message))
      case .completed(let sums): completed = sums
      case .failed(let failure): self.failure = failure
      case .log(_, let text): logs.append(text)
      case .drop, .portionCompleted, .portionRefused, .crew, .readShard: break
      }
    }
  }
}
