import Coordination
import NumericsKit
import Wire

/// Driving the machines: their events in, their actions out.
extension SimulatedRun {
  /// Tells the coordinator and does what it wants.
  mutating func tell(_ event: CoordinatorEvent) throws {
    guard var machine = coordinator else { return }
    let actions = machine.handle(event, now: instant)
    coordinator = machine
    var unreachable: [PeerID] = []
    for action in actions {
      switch action {
      case .send(let peer, let message): if !sendDown(message, to: peer) { unreachable.append(peer) }
      case .completed(let sums): try complete(sums)
      case .failed(let failure): return try coordinatorFailed(failure)
      case .log(_, let text): note("log: \(text)")
      case .drop(let peer): note("drop \(peer)")
      case .readShard(let read): try tell(.shardRead(read, part(read)))
      case .portionCompleted, .portionRefused, .crew: break
      }
    }
    for peer in unreachable { try tell(.unreachable(peer)) }
  }

  private mutating func complete(_ sums: [[Double]]) throws {
    state = fit.step(state, sums)
    iteration += 1
    report.jobs += 1
    note("iteration \(iteration): \(Digest.of(state).description.prefix(12))")
    // A checkpoint now and then, as far apart as a real one's interval is in iterations.
    if generator.below(3) == 0 { saved = (iteration, state) }
    guard iteration < fit.iterations else {
      isFinished = true
      if let statistics = coordinator?.statistics { report.add(statistics) }
      return
    }
    try tell(.begin(fit.job(at: iteration, state: state)))
  }

  /// The run says that it can't go on. Where that is no surprise (one tile that seems to kill whoever computes it,
  /// because the simulated workers die so often), it is resumed as a user would.
  private mutating func coordinatorFailed(_ failure: RunFailure) throws {
    guard failure.message.contains("were lost over tile") else {
      throw Violation(message: "the coordinator gave up (exit \(failure.exitCode)): \(failure.message)")
    }
    report.givenUpTiles += 1
    note("gave up: \(failure.message)")
    killCoordinator()
    queue.add(.startCoordinator, at: later(0.5))
  }

  mutating func startCoordinator() throws {
    guard coordinator == nil, !isFinished else { return }
    epoch += 1
    (iteration, state) = saved
    note("coordinator starts, epoch \(epoch), from iteration \(iteration)")
    var configuration = Coordinator.Configuration(
      run: RunID(bytes: Array("simulation".utf8)), epoch: epoch, version: "1", build: "b",
      fingerprint: "f", numerics: "simulated", setup: [1, 2, 3], setupDigest: "s", dataDigest: "d",
      mixedNumerics: false, workersToStart: max(1, leaves / 2), workerTimeout_ms: 1_000_000_000)
    configuration.servesShards = data != nil
    configuration.gathersSums = seed % 2 == 0
    coordinator = Coordinator(configuration: configuration)
    // Workers' connections are made again by their transport, and what waits in them is sent.
    reconnectAll(to: nil)
    queue.add(.coordinatorTick, at: now + SimulatedRun.tick_ns)
    try tell(.begin(fit.job(at: iteration, state: state)))
  }

  mutating func killCoordinator() {
    note("coordinator dies")
    if let statistics = coordinator?.statistics { report.add(statistics) }
    coordinator = nil
    brokenPeers = []
    for index in workers.indices where workers[index].parent == nil {
      workers[index].peer = nil
      guard workers[index].isAlive, workers[index].isLocal else { continue }
      // The kernel takes its own workers down with it.
      kill(index)
      queue.add(.start(index), at: later(0.5))
    }
  }

  // MARK: Workers

  mutating func newNode(isRelay: Bool, parent: Int?, isLocal: Bool, host: String, identity: String?)
    -> SimulatedWorker
  {
    nextProcess += 1
    let name = identity ?? "worker-\(seed)-\(nextProcess)"
    let hello = Hello(
      worker: name, incarnation: 1, host: host, processID: nextProcess, threads: 1 + generator.below(2),
      version: "1", build: "b", fingerprint: "f", numerics: "simulated", isLocalChild: isLocal,
      processors: generator.below(2) == 0 ? nil : Processors(set: host, count: 1 + generator.below(2)))
    return SimulatedWorker(
      machine: isRelay
        ? .relay(Relay(hello: hello, epoch: UInt64(nextProcess) << 32, patience_ms: nil))
        : .worker(Worker(hello: hello, patience_ms: nil)), parent: parent, processID: nextProcess,
      isLocal: isLocal, host: host,
      identity: name)
  }

  /// Starts a worker's process, the first one or one in place of a dead one.
  mutating func start(_ index: Int) throws {
    let old = workers[index]
    guard old.isWanted, !old.isAlive, !isFinished else { return }
    if old.isLocal, coordinator == nil { return queue.add(.start(index), at: later(0.5)) }
    let keepsName = plan.has(.sameIdentity) && generator.below(2) == 0
    var new = newNode(
      isRelay: old.isRelay, parent: old.parent, isLocal: old.isLocal, host: old.host,
      identity: keepsName ? old.identity : nil)
    new.slowness = old.slowness
    // The host keeps what it has, unless the new process has another cache.
    if data != nil, generator.below(3) > 0 { new.files = old.files }
    new.isAlive = true
    new.firstConnection = nextConnection + 1
    workers[index] = new
    note("w\(index) starts as process \(new.processID), \(new.identity)")
    queue.add(.workerTick(index), at: now + SimulatedRun.tick_ns)
    if new.isRelay {
      reconnectAll(to: index)
      try tellRelay(index, .up(.started))
    } else {
      try tell(index, .started)
    }
  }

  mutating func kill(_ index: Int) {
    workers[index].isAlive = false
    workers[index].stoppedUntil = 0
    workers[index].queue = []
    workers[index].isComputing = false
    workers[index].computation += 1
    if let peer = workers[index].peer { brokenPeers.insert(peer) }
    workers[index].peer = nil
    workers[index].connection = 0
    orphan(index)
  }

  /// Nobody listens to those behind a relay that is gone.
  private mutating func orphan(_ index: Int) {
    guard workers[index].isRelay else { return }
    for child in workers.indices where workers[child].parent == index { workers[child].peer = nil }
  }

  /// Connections to a coordinator or a relay that is there again are made again by the transport, and what waits in
  /// them is sent.
  private mutating func reconnectAll(to parent: Int?) {
    for index in workers.indices
    where workers[index].parent == parent && workers[index].isAlive && workers[index].connection != 0 {
      reconnect(index, losing: false)
    }
  }

  /// Whether the coordinator or relay that a node talks to is there.
  func hasParent(_ index: Int) -> Bool {
    workers[index].parent.map { workers[$0].isAlive } ?? (coordinator != nil)
  }

  /// Gives a node what has arrived from above.
  mutating func hand(_ message: Message, to index: Int) throws {
    if workers[index].isRelay {
      try tellRelay(index, .up(.received(message)))
    } else {
      try tell(index, .received(message))
    }
  }

  /// Tells a relay and does what it wants.
  mutating func tellRelay(_ index: Int, _ event: RelayEvent) throws {
    guard workers[index].isAlive, case .relay(var machine) = workers[index].machine else { return }
    let actions = machine.handle(event, now: instant)
    workers[index].machine = .relay(machine)
    var unreachable: [PeerID] = []
    for action in actions {
      switch action {
      case .connect: connect(index)
      case .sendUp(let message): sendUp(message, from: index)
      case .prepare: try prepare(index)
      case .shard(let action): try take(action, index)
      case .readShard(let read): try serve(read, from: index)
      case .sendDown(let peer, let message): if !sendDown(message, to: peer) { unreachable.append(peer) }
      case .drop(let peer): note("w\(index) drops \(peer)")
      case .log(_, let text): note("w\(index) says: \(text)")
      case .exit(let code, let message): try ended(index, code, message)
      }
    }
    for peer in unreachable { try tellRelay(index, .down(.unreachable(peer))) }
  }

  /// Tells a worker and does what it wants.
  mutating func tell(_ index: Int, _ event: WorkerEvent) throws {
    guard workers[index].isAlive, case .worker(var machine) = workers[index].machine else { return }
    let actions = machine.handle(event, now: instant)
    workers[index].machine = .worker(machine)
    for action in actions {
      switch action {
      case .connect: connect(index)
      case .send(let message): sendUp(message, from: index)
      case .prepare: try prepare(index)
      case .compute(let computation):
        workers[index].queue.append(computation)
        try provide(computation, index)
        if workers[index].queue.count == 1 { try compute(index) }
      case .shard(let action): try take(action, index)
      case .forget(let assignments): try forget(assignments, of: index)
      case .note(let text): note("w\(index) says: \(text)")
      case .exit(let code, let message): try ended(index, code, message)
      }
    }
  }

  private mutating func ended(_ index: Int, _ code: Int32, _ message: String) throws {
    note("w\(index) exits with \(code): \(message)")
    let isWithTheRun = message.hasPrefix("the run ended") && report.givenUpTiles > 0
    // A file that came damaged again and again is asked for by the next process.
    let isDamage = message.contains("came damaged") && report.faults["damage"] != nil
    guard code == 0 || isWithTheRun || isDamage else {
      throw Violation(message: "worker \(index) gave up (exit \(code)): \(message)")
    }
    if code != 0 || workers[index].isWanted { queue.add(.start(index), at: later(0.5)) }
    let process = workers[index].processID
    // What it sent last is on its way; its connection closes after that.
    let peer = workers[index].peer
    workers[index].isAlive = false
    workers[index].queue = []
    workers[index].isComputing = false
    workers[index].computation += 1
    if let peer { brokenPeers.insert(peer) }
    orphan(index)
    if workers[index].isLocal {
      try tell(.childExited(processID: process, description: "it exited with code 0"))
    }
  }

  /// Begins the first computation that waits, unless its data have not come.
  mutating func compute(_ index: Int) throws {
    workers[index].isComputing = false
    guard let computation = workers[index].queue.first, missing(for: computation, of: index).isEmpty else {
      return
    }
    workers[index].isComputing = true
    if let bytes = computation.contextBytes {
      workers[index].context = (computation.context, computation.job.epoch, bytes)
    }
    if let state = computation.state {
      workers[index].job = (computation.job, state + (try context(of: computation, index)))
    }
    guard let job = workers[index].job, job.key == computation.job else {
      throw Violation(message: "worker \(index) was to compute for a job whose state it does not have")
    }
    let tiles = TileHash(
      state: job.state, iteration: computation.iteration, shape: fit.shape(at: computation.iteration))
    let seconds =
      tiles.cost(computation.subtrees) / CoordinationLimits.assumedSpeed * workers[index].slowness
      * generator.uniform(0.8, 1.3)
    workers[index].computation += 1
    queue.add(
      .computed(index, computation: workers[index].computation), at: now + UInt64(seconds * 1e9) + 1_000)
  }

  /// The context that a computation needs.
  private func context(of computation: Computation, _ index: Int) throws -> [UInt8] {
    guard computation.context != 0 else { return [] }
    guard let context = workers[index].context, context.number == computation.context,
      context.epoch == computation.job.epoch
    else {
      throw Violation(message: "worker \(index) was to compute for a job whose context it does not have")
    }
    return context.bytes
  }

  private mutating func forget(_ assignments: [UInt64], of index: Int) throws {
    let first = workers[index].queue.first?.assignment
    workers[index].queue.removeAll { assignments.contains($0.assignment) }
    guard let first, assignments.contains(first) else { return }
    workers[index].computation += 1
    try compute(index)
  }

  mutating func finish(_ index: Int, _ number: Int) throws {
    guard workers[index].isAlive, workers[index].computation == number,
      let job = workers[index].job, !workers[index].queue.isEmpty
    else { return }
    let computation = workers[index].queue.removeFirst()
    let tiles = TileHash(
      state: job.state, iteration: computation.iteration, shape: fit.shape(at: computation.iteration))
    guard let sums = tiles.sums(computation.subtrees) else {
      throw Violation(message: "a subtree was handed out that the job has not")
    }
    workers[index].progress += UInt64(computation.subtrees.count)
    try tell(index, .computed(assignment: computation.assignment, sums: sums, seconds: 0.001))
    if workers[index].isAlive { try compute(index) }
  }
}
