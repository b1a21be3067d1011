import Wire

/// What relays have that workers have not: a crew that comes and goes, and things to tell of it.
extension Coordinator {
  /// A relay's workers have become more or fewer. Without any it gives back what it has, and takes no work.
  mutating func change(_ crew: Crew, of peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer], record.crew != crew else { return [] }
    workers[peer]?.crew = crew
    let wasOnRoster = record.isOnRoster
    guard let isOnRoster = workers[peer]?.isOnRoster, isOnRoster != wasOnRoster else {
      // There may be enough workers for the first job now.
      return startIfPossible(now: now)
    }
    if isOnRoster { return enlist(peer, now: now) }
    discharge(peer, now: now)
    timeline.ended(worker: record.hello.worker, isLost: false, now: now)
    workers[peer]?.assignments = []
    workers[peer]?.held = []
    for assignment in record.assignments + record.held { _ = giveBack(assignment, of: peer) }
    return [.log(.info, "\(record.name) has no workers: others get what it had")] + dispatchToIdle(now: now)
  }

  /// A relay does not answer an assignment: somebody else gets it.
  mutating func takeBack(_ handBack: HandBack, from peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let place = workers[peer]?.assignments.firstIndex(where: { $0.number == handBack.assignment }),
      let assignment = workers[peer]?.assignments.remove(at: place)
    else { return [] }
    _ = giveBack(assignment, of: peer)
    return gatherAnew(without: assignment, from: peer, now: now) + dispatchToIdle(now: now)
  }

  /// What a relay tells of a worker of its own counts as if that were this coordinator's.
  mutating func hear(_ notice: CrewNotice, from peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer] else { return [] }
    let text = "\(record.name): \(notice.text)"
    var above = notice
    above.text = text
    // A relay behind a relay: it goes all the way up.
    let passedOn: [CoordinatorAction] =
      configuration.isRelay && notice.kind != .fatal && notice.kind != .warning ? [.crew(above)] : []
    let level: LogLevel = configuration.isRelay ? .info : .warning
    switch notice.kind {
    case .joined:
      if seen.count >= CoordinationLimits.countedWorkers || seen.insert(notice.worker).inserted {
        statistics.workersSeen += 1
      }
      job?.acquit(worker: notice.worker)
      return [.log(.info, text)] + passedOn
    case .left: return [.log(.info, text)] + passedOn
    case .warning: return [.log(.warning, text)]
    case .fatal: return fail((1...255).contains(notice.exitCode) ? notice.exitCode : ExitCode.software, text)
    case .lost:
      statistics.workersLost += 1
      statistics.redispatchedTiles += notice.tileCount
      let log = [.log(level, text)] + passedOn
      guard let running = job, running.number == notice.job, notice.tileCount > 0,
        notice.firstTile + notice.tileCount <= running.job.shape.tileCount
      else { return log }
      let suspect = RunningJob.Suspect(
        tiles: notice.firstTile..<notice.firstTile + notice.tileCount, given: nextAssignment,
        lost: nextAssignment, worker: notice.worker, story: text, maybeAlive: notice.maybeAlive)
      guard let deadly = remember(suspect), !configuration.isRelay else { return log }
      let exitCode = (1...255).contains(notice.exitCode) ? notice.exitCode : ExitCode.software
      return log + giveUp(deadly, of: running, exitCode)
    }
  }
}

/// What a relay's coordinator has that a fit's has not: jobs of which only some portions are wanted.
extension Coordinator {
  /// Opens a job. Whatever of the one before is not done is let go.
  mutating func open(_ newJob: Job) -> [CoordinatorAction] {
    job = RunningJob(number: nextJob, job: newJob, isWhole: false)
    nextJob += 1
    return []
  }

  mutating func add(portion number: UInt64, subtrees: [Subtree], now: Instant) -> [CoordinatorAction] {
    guard let shape = job?.job.shape,
      let portion = Portion(number: number, subtrees: subtrees, of: shape)
    else { return [.portionRefused(number)] }
    job?.add(portion)
    return startIfPossible(now: now)
  }

  mutating func cancel(_ numbers: [UInt64], now: Instant) -> [CoordinatorAction] {
    job?.cancel(numbers)
    return dispatchToIdle(now: now)
  }

  /// For a relay's own coordinator: the workers that are registered, as if they came now.
  var introductions: [CrewNotice] {
    peers.compactMap { workers[$0] }.flatMap { tell(.joined, $0, "is here") }.compactMap {
      if case .crew(let notice) = $0 { notice } else { nil }
    }
  }

  /// For a relay's own coordinator: what happened to a worker, over which tiles.
  func tell(
    _ kind: CrewNotice.Kind, _ record: WorkerRecord, _ text: String, _ held: Assignment? = nil,
    _ loss: LossKind = .left
  ) -> [CoordinatorAction] {
    guard configuration.isRelay else { return [] }
    let isOfNow = held?.job == job?.number
    let story =
      kind == .lost ? "lost \(record.name): \(text).\(Coordinator.describe([held].compactMap { $0 }))" : text
    return [
      .crew(
        CrewNotice(
          kind: kind, worker: record.hello.worker,
          text: kind == .lost ? story : "\(record.name) \(story)",
          firstTile: isOfNow ? held?.tiles.lowerBound ?? 0 : 0,
          tileCount: isOfNow ? held?.tiles.count ?? 0 : 0,
          maybeAlive: loss.leavesHope, exitCode: loss.exitCode))
    ]
  }
}
