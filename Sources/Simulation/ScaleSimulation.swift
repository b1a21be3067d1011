import Coordination
import Foundation
import Glibc
import NumericsKit
import Wire

/// Foretells how fast a fit is with many workers: the coordinator's, relays' and workers' own machines on a virtual clock,
/// where computing, messages and links take the times of a ``ScaleModel``. What the coordinator's and the relays' machines
/// take (hand-out, reduction) is not modelled but measured while they run.
public struct ScaleSimulation {
  private enum Event {
    /// A message has reached a host's network.
    case arrived(Int, from: Int, Message)
    /// The first task of a node is done; counts tasks begun on its host.
    case hostTurn(Int, version: UInt64)
  }

  /// What a node's processor is busy with.
  private enum Task {
    case receive(from: Int, Message)
    case compute(Computation)
    case send(to: Int, Message)
    /// The machine itself, and the fit's own step.
    case think
    case begin
  }

  private struct Node {
    var machine: Machine
    let host: Int
    let parent: Int
    var tasks: [(task: Task, left_s: Double)] = []
    /// Tasks before this one are done.
    var first = 0
    var isBusy: Bool { first < tasks.count }
  }

  private enum Machine {
    case coordinator(Coordinator)
    case relay(Relay)
    case worker(Worker)
    /// In use.
    case away
  }

  /// Processors shared by the nodes of a host that have something to do.
  private struct Host {
    var active: [Int] = []
    var version: UInt64 = 0
    var updatedAt = 0.0
    var outFreeAt = 0.0
    var inFreeAt = 0.0
  }

  private let model: ScaleModel
  private let shape: JobShape
  private let iterations: Int
  private let workers: Int
  private var nodes: [Node] = []
  private var hosts: [Host]
  private var queue = EventQueue<Event>()
  private var now = 0.0
  private var finished: [Double] = []
  private var coordinatorCPU = 0.0
  private var sent = 0.0
  private var received = 0.0
  private let state: [UInt8]
  private let sums: [UInt8]

  /// Iterations before what is counted: workers register, and speeds are learned.
  private static let warmUp = 3

  /// Foretells for a number of workers.
  ///
  /// - Parameters:
  ///   - relays: relays that the workers are spread over; 0 for none.
  ///   - iterations: iterations that are counted.
  public static func forecast(_ model: ScaleModel, workers: Int, relays: Int, iterations: Int = 10)
    -> ScaleForecast
  {
    var simulation = ScaleSimulation(model, workers: workers, relays: relays, iterations: iterations)
    simulation.run()
    return simulation.report(relays: relays)
  }

  private init(_ model: ScaleModel, workers: Int, relays: Int, iterations: Int) {
    self.model = model
    self.iterations = iterations + ScaleSimulation.warmUp
    self.workers = workers
    let perBlock = (model.components + model.blocks - 1) / model.blocks
    let width = perBlock * (model.dimension + 2)
    shape = JobShape(
      blocks: (0..<model.blocks).map { _ in .init(tileCount: model.tilesPerBlock, width: width) },
      costs: (0..<model.blocks * model.tilesPerBlock).map { tile in
        let seconds = tile % model.tilesPerBlock == 0 ? model.firstTile_s : nil
        return (seconds ?? model.tile_s) * CoordinationLimits.assumedSpeed
      })
    state = [UInt8](repeating: 0, count: 8 * model.components * (model.dimension + 1))
    sums = [UInt8](repeating: 0, count: 8 * width)
    let perHost = model.workersPerHost
    let hostCount = perHost == 0 ? 1 : 1 + (workers + perHost - 1) / perHost
    hosts = [Host](repeating: Host(), count: hostCount)
    var configuration = Coordinator.Configuration(
      run: RunID(bytes: Array("scale".utf8)), epoch: 1, version: "1", build: "b", fingerprint: "f",
      numerics: "", setup: [], setupDigest: "s", dataDigest: "d", mixedNumerics: false,
      workersToStart: workers, workerTimeout_ms: .max)
    configuration.employsAll = model.employsAll
    configuration.gathersSums = true
    nodes.append(Node(machine: .coordinator(Coordinator(configuration: configuration)), host: 0, parent: 0))
    func host(ofWorker worker: Int) -> Int { perHost == 0 ? 0 : 1 + worker / perHost }
    for relay in 0..<relays {
      let hello = ScaleSimulation.hello("r", relay)
      nodes.append(
        Node(
          machine: .relay(Relay(hello: hello, epoch: 1)), host: host(ofWorker: relay * workers / relays),
          parent: 0))
    }
    for worker in 0..<workers {
      nodes.append(
        Node(
          machine: .worker(
            Worker(
              hello: ScaleSimulation.hello(
                "w", worker, Processors(set: "\(host(ofWorker: worker))", count: model.cores)))),
          host: host(ofWorker: worker),
          parent: relays == 0 ? 0 : 1 + worker * relays / workers))
    }
  }

  private static func hello(_ kind: String, _ number: Int, _ processors: Processors? = nil) -> Hello {
    Hello(
      worker: "\(kind)\(number)", incarnation: 1, host: "\(kind)\(number)", processID: number + 1, threads: 1,
      version: "1", build: "b", fingerprint: "f", numerics: "", isLocalChild: false, processors: processors)
  }

  private var instant: Instant { Instant(nanoseconds: 1_000_000_000 + UInt64(now * 1e9)) }

  private mutating func run() {
    add(.begin, 0, to: 0)
    for node in nodes.indices.dropFirst() { start(node) }
    while finished.count < iterations, let (time, event) = queue.next() {
      now = max(now, Double(time) * 1e-9)
      switch event {
      case .arrived(let node, let from, let message):
        add(.receive(from: from, message), cost(message), to: node)
      case .hostTurn(let host, let version): if hosts[host].version == version { advance(host) }
      }
    }
  }

  // MARK: Processors

  private func cost(_ message: Message) -> Double {
    model.message_s + model.byte_s * Double(message.payloadBytes)
  }

  private mutating func add(_ task: Task, _ seconds: Double, to node: Int) {
    let host = nodes[node].host
    settle(host)
    if !nodes[node].isBusy {
      nodes[node].tasks = []
      nodes[node].first = 0
      hosts[host].active.append(node)
    }
    nodes[node].tasks.append((task, seconds))
    if node == 0 { coordinatorCPU += seconds }
    schedule(host)
  }

  /// What each busy node of a host gets of a processor.
  private func rate(_ host: Int) -> Double {
    min(1, Double(model.cores) / Double(max(1, hosts[host].active.count)))
  }

  /// Takes what has been done since the last look off the tasks.
  private mutating func settle(_ host: Int) {
    let done = (now - hosts[host].updatedAt) * rate(host)
    hosts[host].updatedAt = now
    guard done > 0 else { return }
    for node in hosts[host].active { nodes[node].tasks[nodes[node].first].left_s -= done }
  }

  private mutating func schedule(_ host: Int) {
    hosts[host].version += 1
    let least = hosts[host].active.map { nodes[$0].tasks[nodes[$0].first].left_s }.min()
    guard let least else { return }
    let time = now + max(0, least) / rate(host)
    queue.add(.hostTurn(host, version: hosts[host].version), at: UInt64(time * 1e9) + 1)
  }

  private mutating func advance(_ host: Int) {
    settle(host)
    var done: [(node: Int, task: Task)] = []
    for node in hosts[host].active where nodes[node].tasks[nodes[node].first].left_s <= 1e-9 {
      done.append((node, nodes[node].tasks[nodes[node].first].task))
      nodes[node].first += 1
    }
    hosts[host].active.removeAll { !nodes[$0].isBusy }
    schedule(host)
    for (node, task) in done { finish(task, of: node) }
  }

  // MARK: Machines

  private mutating func finish(_ task: Task, of node: Int) {
    switch task {
    case .think: break
    case .send(let to, let message): transmit(message, from: node, to: to)
    case .begin:
      tell(coordinator: .begin(Job(kind: 1, iteration: finished.count, state: state, shape: shape)))
    case .compute(let computation):
      tell(
        worker: node,
        .computed(
          assignment: computation.assignment, sums: sums(of: computation.subtrees.count),
          seconds: seconds(of: computation.subtrees)))
    case .receive(let from, let message):
      let peer = PeerID(number: UInt64(from))
      switch nodes[node].machine {
      case .coordinator: tell(coordinator: .received(peer, message))
      case .relay:
        let isFromAbove = from == nodes[node].parent
        tell(relay: node, isFromAbove ? .up(.received(message)) : .down(.received(peer, message)))
      case .worker: tell(worker: node, .received(message))
      case .away: break
      }
    }
  }

  private func sums(of count: Int) -> [UInt8] {
    count == 1 ? sums : [UInt8](repeating: 0, count: count * sums.count)
  }

  /// How long one thread computes for some subtrees.
  private func seconds(of subtrees: [Subtree]) -> Double {
    let cost = subtrees.reduce(0.0) { total, subtree in
      guard let node = shape.node(of: subtree) else { return total }
      let leaves = shape.tree(of: Int(subtree.block)).leaves(of: node)
      let first = shape.firstTiles[Int(subtree.block)]
      return total + shape.cost(of: first + leaves.lowerBound..<first + leaves.upperBound)
    }
    return cost / CoordinationLimits.assumedSpeed
  }

  private mutating func start(_ node: Int) {
    switch nodes[node].machine {
    case .relay: tell(relay: node, .up(.started))
    case .worker: tell(worker: node, .started)
    case .coordinator, .away: break
    }
  }

  /// Processor seconds that some work takes this thread.
  private static func measured<Value>(_ work: () -> Value) -> (value: Value, seconds: Double) {
    var (before, after) = (timespec(), timespec())
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before)
    let value = work()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after)
    return (
      value, Double(after.tv_sec - before.tv_sec) + Double(after.tv_nsec - before.tv_nsec) * 1e-9
    )
  }

  private mutating func tell(coordinator event: CoordinatorEvent) {
    guard case .coordinator(var machine) = nodes[0].machine else { return }
    // The only owner, so that nothing is copied that would not be.
    nodes[0].machine = .away
    let time = instant
    let (actions, seconds) = ScaleSimulation.measured { machine.handle(event, now: time) }
    nodes[0].machine = .coordinator(machine)
    add(.think, seconds, to: 0)
    for action in actions {
      switch action {
      case .send(let peer, let message): send(message, from: 0, to: Int(peer.number))
      case .completed:
        finished.append(now)
        if finished.count == ScaleSimulation.warmUp { (coordinatorCPU, sent, received) = (0, 0, 0) }
        add(.begin, model.step_s, to: 0)
      default: break
      }
    }
  }

  private mutating func tell(relay node: Int, _ event: RelayEvent) {
    guard case .relay(var machine) = nodes[node].machine else { return }
    nodes[node].machine = .away
    let time = instant
    let (actions, seconds) = ScaleSimulation.measured { machine.handle(event, now: time) }
    nodes[node].machine = .relay(machine)
    add(.think, seconds, to: node)
    for action in actions {
      switch action {
      case .sendUp(let message): send(message, from: node, to: nodes[node].parent)
      case .sendDown(let peer, let message): send(message, from: node, to: Int(peer.number))
      case .prepare: tell(relay: node, .prepared(setupDigest: "s", dataDigest: "d", shapes: [1: shape]))
      default: break
      }
    }
  }

  private mutating func tell(worker node: Int, _ event: WorkerEvent) {
    guard case .worker(var machine) = nodes[node].machine else { return }
    let actions = machine.handle(event, now: instant)
    nodes[node].machine = .worker(machine)
    for action in actions {
      switch action {
      case .send(let message): send(message, from: node, to: nodes[node].parent)
      case .prepare: tell(worker: node, .prepared(setupDigest: "s", dataDigest: "d"))
      case .compute(let computation):
        add(.compute(computation), seconds(of: computation.subtrees), to: node)
      default: break
      }
    }
  }

  // MARK: Links

  private mutating func send(_ message: Message, from: Int, to: Int) {
    // What many get is in memory once: only its way into the system is paid for each.
    add(.send(to: to, message), cost(message), to: from)
  }

  private mutating func transmit(_ message: Message, from: Int, to: Int) {
    let bytes = Double(message.payloadBytes)
    if from == 0 { sent += bytes }
    if to == 0 { received += bytes }
    let (here, there) = (nodes[from].host, nodes[to].host)
    var arrival = now + model.localLatency_s
    if here != there {
      let time = bytes / model.bandwidth_Bps
      let start = max(now, hosts[here].outFreeAt)
      hosts[here].outFreeAt = start + time
      arrival = max(start + model.latency_s, hosts[there].inFreeAt) + time
      hosts[there].inFreeAt = arrival
    }
    queue.add(.arrived(to, from: from, message), at: UInt64(arrival * 1e9))
  }

  // MARK: Report

  /// Bytes that the tables of a coordinator take for some workers, as the system counts them: in pages, so that few take nothing.
  private static func tableBytes(peers: Int) -> Double {
    let before = residentBytes
    var coordinator = Coordinator(
      configuration: Coordinator.Configuration(
        run: .none, epoch: 1, version: "1", build: "b", fingerprint: "f", numerics: "", setup: [],
        setupDigest: "s",
        dataDigest: "d", mixedNumerics: false, workersToStart: peers, workerTimeout_ms: .max))
    for number in 0..<peers {
      let peer = PeerID(number: UInt64(number))
      _ = coordinator.handle(
        .received(peer, Message(run: .none, epoch: 0, content: .hello(hello("w", number)))),
        now: Instant(nanoseconds: 1))
    }
    let after = residentBytes
    return withExtendedLifetime(coordinator) { max(0, after - before) }
  }

  /// Resident memory of this process.
  private static var residentBytes: Double {
    let fields =
      (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return fields.count > 1 ? Double(fields[1]).map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) } ?? 0 : 0
  }

  private func report(relays: Int) -> ScaleForecast {
    precondition(finished.count == iterations, "a fit without faults comes to its end")
    let first = finished[ScaleSimulation.warmUp - 1]
    let count = Double(finished.count - ScaleSimulation.warmUp)
    let seconds = (finished[finished.count - 1] - first) / count
    let peers = relays == 0 ? workers : relays
    // A beat each second each way, of each peer.
    let beats = min(0.9, 2 * Double(peers) * model.message_s)
    let ideal = shape.cost(of: 0..<shape.tileCount) / CoordinationLimits.assumedSpeed + model.step_s
    let results = Double(peers) * Double(CoordinationLimits.assignmentsInFlight) * Double(sums.count)
    return ScaleForecast(
      workers: workers, relays: relays, iterationsPerSecond: (1 - beats) / seconds,
      speedup: ideal * (1 - beats) / seconds, coordinatorCPU_s: coordinatorCPU / count,
      coordinatorBusy: min(1, coordinatorCPU / count / seconds + beats),
      coordinatorMemory_B: ScaleSimulation.tableBytes(peers: peers) + Double(peers) * model.connection_B
        + results
        + Double(state.count),
      bytesDown: sent / count, bytesUp: received / count, bytesDownPerLink: sent / count / Double(peers),
      bytesUpPerLink: received / count / Double(peers))
  }
}
