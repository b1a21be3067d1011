import Coordination
import NumericsKit
import Wire

/// One run of a small fit over simulated workers: the machines of the real program on a virtual clock and an in-memory
/// network, with faults drawn from a seed.
///
/// A run is right when its final state has the bits of a serial loop; when it ends in time once the faults have
/// healed; and when no table of the coordinator grows over its bound.
struct SimulatedRun {
  enum Event {
    case coordinatorTick
    case workerTick(Int)
    case toCoordinator(worker: Int, connection: UInt64, peer: UInt64, Message)
    case toWorker(Int, connection: UInt64, Message)
    case computed(Int, computation: Int)
    case start(Int)
    case startCoordinator
    case fault
    case heal
  }

  /// What went wrong.
  struct Violation: Error { let message: String }

  let seed: UInt64
  let plan: FaultPlan
  let fit: SimulatedFit
  /// The fit's data, where workers get them from the coordinator.
  let data: SimulatedData?
  var generator: SimulationGenerator
  var queue = EventQueue<Event>()
  var log: EventLog
  var report: SimulationReport
  var now: UInt64 = 1_000_000_000
  var coordinator: Coordinator?
  var epoch: UInt64 = 0
  /// Workers, and after them relays.
  var workers: [SimulatedWorker] = []
  private(set) var leaves = 0
  var nextProcess = 100
  var nextConnection: UInt64 = 1
  /// Connections that are gone and that the coordinator has not noticed.
  var brokenPeers: Set<UInt64> = []
  /// Where the fit stands, and where the last checkpoint does.
  var iteration = 0
  var state = SimulatedFit.start
  var saved = (iteration: 0, state: SimulatedFit.start)
  var isFinished = false
  var hasHealed = false

  static let tick_ns: UInt64 = 100_000_000
  /// How long a healed run may take to its end, besides its computing.
  static let graceAfterHealing_s = 240.0
  private static let mostEvents = 3_000_000

  /// - Parameters:
  ///   - relays: how many relays there are, before some of the workers; nil: drawn from the seed.
  ///   - streams: whether workers get data from the coordinator; nil: drawn from the seed.
  init(
    seed: UInt64, workers count: Int, relays: Int?, streams: Bool?, faults: [FaultKind], keepsLog: Bool
  ) {
    // With a generator of its own, so that what else happens to a seed stays what it was.
    var own = SimulationGenerator(seed: seed ^ 0x0DA7A)
    let isDrawn = own.below(2) == 0
    data = streams ?? isDrawn ? SimulatedData(using: &own) : nil
    self.seed = seed
    generator = SimulationGenerator(seed: seed)
    plan = FaultPlan(allowed: faults, using: &generator)
    fit = SimulatedFit(using: &generator)
    log = EventLog(keepsLines: keepsLog)
    report = SimulationReport(seed: seed)
    let relays = relays ?? [0, 0, 1, 2, 3][generator.below(5)]
    for index in 0..<count {
      // Relays come after all workers.
      let isRelayed = relays > 0 && generator.below(4) > 0
      let parent = isRelayed ? count + generator.below(relays) : nil
      let isLocal = index < count / 2 && parent == nil
      workers.append(
        newNode(
          isRelay: false, parent: parent, isLocal: isLocal, host: isLocal ? "host0" : "host\(index)",
          identity: nil))
      if plan.has(.slow), generator.below(3) == 0 {
        workers[index].slowness = [3, 10, 60][generator.below(3)]
      }
    }
    for index in 0..<relays {
      // Now and then one behind another.
      let parent = index > 0 && generator.below(3) == 0 ? count + generator.below(index) : nil
      workers.append(
        newNode(isRelay: true, parent: parent, isLocal: false, host: "rack\(index)", identity: nil))
    }
    leaves = count
  }

  /// Runs to the end; throws a ``Violation`` when the run is wrong.
  mutating func run() throws {
    log.append(
      now,
      "seed \(seed): \(leaves) workers, \(workers.count - leaves) relays, faults \(plan.kinds.map(\.rawValue))"
    )
    queue.add(.startCoordinator, at: now)
    for index in workers.indices {
      queue.add(.start(index), at: now + UInt64(generator.below(2_000)) * 1_000_000)
    }
    if !plan.kinds.isEmpty { queue.add(.fault, at: later(plan.interval_s)) }
    let healsAt = now + UInt64(plan.healsAt_s * 1e9)
    queue.add(.heal, at: healsAt)
    let work_s = fit.serialSeconds * (workers.map(\.slowness).max() ?? 1)
    let deadline = healsAt + UInt64((SimulatedRun.graceAfterHealing_s + 20 * work_s) * 1e9)
    while !isFinished {
      guard let (time, event) = queue.next() else {
        throw Violation(message: "nothing is left to happen, and the fit is not finished")
      }
      now = max(now, time)
      report.events += 1
      guard now < deadline, report.events < SimulatedRun.mostEvents else {
        throw Violation(
          message:
            "no end \(Int(Double(now - healsAt) * 1e-9)) s after the faults healed: iteration \(iteration) of "
            + "\(fit.iterations), \(coordinator?.readyWorkers ?? 0) workers ready")
      }
      try perform(event)
      try checkBounds()
    }
    report.virtualSeconds = Double(now) * 1e-9
    guard state == fit.serialResult() else {
      throw Violation(message: "the final state has other bits than the serial run's")
    }
  }

  var instant: Instant { Instant(nanoseconds: now) }

  /// A moment later, by a drawn time of the given mean.
  mutating func later(_ mean_s: Double) -> UInt64 {
    now + UInt64(generator.uniform(0.1, 1.9) * mean_s * 1e9)
  }

  mutating func note(_ text: String) { log.append(now, text) }

  private mutating func perform(_ event: Event) throws {
    switch event {
    case .startCoordinator: try startCoordinator()
    case .coordinatorTick:
      guard coordinator != nil else { return }
      queue.add(.coordinatorTick, at: now + SimulatedRun.tick_ns)
      try tell(.tick)
    case .workerTick(let index):
      if postpone(event, of: index) { return }
      guard workers[index].isAlive else { return }
      queue.add(.workerTick(index), at: now + SimulatedRun.tick_ns)
      if !workers[index].queue.isEmpty { workers[index].progress += 1 }
      if workers[index].isRelay {
        try tellRelay(index, .tick)
      } else {
        try tell(index, .tick(progress: workers[index].progress))
      }
    case .toCoordinator(let worker, let connection, let peer, let message):
      guard let present = workers[worker].peer else { return }
      let isPresent = workers[worker].connection == connection && present == peer
      guard isPresent || arrivesLate(connection, of: worker) else { return }
      // What nobody listens for waits at the worker until the next coordinator is there.
      if !hasParent(worker), plan.has(.stale), !hasHealed { return queue.add(event, at: later(0.3)) }
      if workers[worker].upBlockedUntil > now {
        return queue.add(event, at: workers[worker].upBlockedUntil)
      }
      try deliver(message, from: present, worker: worker)
    case .toWorker(let index, let connection, let message):
      guard workers[index].isAlive else { return }
      guard workers[index].connection == connection || arrivesLate(connection, of: index) else { return }
      if workers[index].downBlockedUntil > now {
        return queue.add(event, at: workers[index].downBlockedUntil)
      }
      if postpone(event, of: index) { return }
      note("w\(index) ← \(describe(message))")
      try hand(message, to: index)
    case .computed(let index, let computation):
      if postpone(event, of: index) { return }
      try finish(index, computation)
    case .start(let index): try start(index)
    case .fault: try injectFault()
    case .heal: try heal()
    }
  }

  /// Whether what belongs to an earlier connection arrives all the same.
  private mutating func arrivesLate(_ connection: UInt64, of index: Int) -> Bool {
    guard plan.has(.stale), !hasHealed, workers[index].isAlive,
      connection >= workers[index].firstConnection, generator.below(2) == 0
    else { return false }
    report.count(FaultKind.stale.rawValue)
    return true
  }

  /// What happens to a stopped process happens when it goes on.
  private mutating func postpone(_ event: Event, of index: Int) -> Bool {
    guard workers[index].stoppedUntil > now else { return false }
    queue.add(event, at: workers[index].stoppedUntil)
    return true
  }

  private func checkBounds() throws {
    guard let coordinator else { return }
    // A peer of every connection there ever was, and what the workers have.
    let bound = 64 + 32 * workers.count + Int(nextConnection)
    guard coordinator.tableSize <= bound else {
      throw Violation(message: "the coordinator's tables have \(coordinator.tableSize) entries")
    }
    for node in workers[leaves...] {
      guard case .relay(let relay) = node.machine else { continue }
      guard relay.tableSize <= bound else {
        throw Violation(message: "a relay's tables have \(relay.tableSize) entries")
      }
    }
  }
}

extension SimulatedFit {
  /// Computing time of all tiles on one worker of the assumed speed.
  var serialSeconds: Double {
    (0..<iterations).reduce(0) {
      let shape = shape(at: $1)
      return $0 + shape.cost(of: 0..<shape.tileCount) / CoordinationLimits.assumedSpeed
    }
  }
}
