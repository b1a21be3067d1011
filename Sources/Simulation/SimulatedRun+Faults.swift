import Coordination
import Wire

/// What goes wrong, and when it is over.
extension SimulatedRun {
  /// Faults that strike at a moment; the others are properties of every message.
  private static let striking: [FaultKind] = [
    .partition, .onewayPartition, .cut, .crash, .stop, .churn, .coordinatorCrash,
  ]

  mutating func injectFault() throws {
    guard !hasHealed else { return }
    let kinds = plan.kinds.filter { SimulatedRun.striking.contains($0) }
    if !kinds.isEmpty { queue.add(.fault, at: later(plan.interval_s)) }
    guard !kinds.isEmpty else { return }
    let kind = kinds[generator.below(kinds.count)]
    // A coordinator's death undoes iterations: rarer than the rest.
    if kind == .coordinatorCrash, generator.below(4) > 0 { return }
    let index = generator.below(workers.count)
    let duration = UInt64(generator.uniform(0.05, 25) * 1e9)
    switch kind {
    case .coordinatorCrash:
      guard coordinator != nil else { return }
      killCoordinator()
      queue.add(.startCoordinator, at: later(1))
    case .churn:
      return try churn(index)
    default:
      guard workers[index].isAlive else { return }
      try strike(kind, index, duration)
    }
    report.count(kind.rawValue)
  }

  private mutating func strike(_ kind: FaultKind, _ index: Int, _ duration: UInt64) throws {
    note("w\(index): \(kind.rawValue)")
    if workers[index].isRelay { report.count("relay-\(kind.rawValue)") }
    switch kind {
    case .partition:
      workers[index].upBlockedUntil = now + duration
      workers[index].downBlockedUntil = now + duration
    case .onewayPartition:
      if generator.below(2) == 0 {
        workers[index].upBlockedUntil = now + duration
      } else {
        workers[index].downBlockedUntil = now + duration
      }
    case .cut: if hasParent(index) { reconnect(index, losing: generator.below(2) == 0) }
    case .stop: workers[index].stoppedUntil = now + duration
    default:
      let process = workers[index].processID
      let isLocal = workers[index].isLocal
      kill(index)
      queue.add(.start(index), at: later(0.5))
      if isLocal { try tell(.childExited(processID: process, description: "it was ended by SIGKILL")) }
    }
  }

  /// A worker leaves in good order, or comes back.
  private mutating func churn(_ index: Int) throws {
    report.count(FaultKind.churn.rawValue)
    if workers[index].isWanted {
      workers[index].isWanted = false
      let reason = WorkerEvent.stopRequested("stopped by SIGTERM")
      if workers[index].isRelay {
        try tellRelay(index, .up(reason))
      } else if workers[index].isAlive {
        try tell(index, reason)
      }
    } else if !workers[index].isAlive {
      workers[index].isWanted = true
      queue.add(.start(index), at: now)
    }
  }

  /// From here on nothing goes wrong any more, and everybody is there.
  mutating func heal() throws {
    hasHealed = true
    note("healed")
    if coordinator == nil { queue.add(.startCoordinator, at: now) }
    for index in workers.indices {
      workers[index].upBlockedUntil = 0
      workers[index].downBlockedUntil = 0
      workers[index].stoppedUntil = 0
      if !workers[index].isAlive || !workers[index].isWanted {
        workers[index].isWanted = true
        if !workers[index].isAlive { queue.add(.start(index), at: later(0.2)) }
      }
    }
  }
}
