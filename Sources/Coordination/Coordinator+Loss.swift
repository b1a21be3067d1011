import Wire

/// What ends a worker's registration.
enum LossKind: Sendable, Equatable {
  /// Its process ended, or its connection is gone.
  case vanished
  /// Nothing came from it for too long.
  case silent
  /// It answers, but its compute loop stands still.
  case stuck
  /// Work does not reach it.
  case deaf
  /// It said that it can't compute what it was given, with an exit code.
  case failed(Int32)
  /// It said something that no worker says.
  case violation
  /// It can't take part: its data or set-up are not what they should be.
  case declined
  /// It said goodbye.
  case left
  /// It registers anew.
  case replaced

  /// Whether the worker may only have been cut off, so that its coming back shows that it lived.
  var leavesHope: Bool { self == .vanished || self == .silent }

  /// The exit code of a run that ends for it.
  var exitCode: Int32 { if case .failed(let code) = self { code } else { ExitCode.software } }
}

/// Losing workers, and what time shows.
extension Coordinator {
  /// Ends a worker's registration: what it had is handed out again.
  mutating func lose(_ peer: PeerID, _ kind: LossKind, because reason: String, now: Instant)
    -> [CoordinatorAction]
  {
    guard let record = workers.removeValue(forKey: peer) else { return [] }
    discharge(peer, now: now)
    timeline.ended(worker: record.hello.worker, isLost: kind != .left && kind != .replaced, now: now)
    let held = record.assignments.filter { giveBack($0, of: peer) }
    let computed = record.held.filter { giveBack($0, of: peer) }
    var actions: [CoordinatorAction] = []
    let name = record.name
    // What a relay tells its coordinator is a warning there.
    let level = configuration.isRelay ? LogLevel.info : .warning
    progress += 1
    switch kind {
    case .left:
      actions =
        [.log(.info, "\(name) left: \(reason)"), .drop(peer)] + tell(.left, record, "left: \(reason)")
    case .replaced: break
    case .declined:
      statistics.workersLost += record.phase == .ready ? 1 : 0
      remember(record, lostBecause: reason, now: now)
      actions = [.log(level, "\(name) could not join: \(reason)"), .drop(peer)]
      actions += tell(.left, record, "could not join: \(reason)")
    default:
      // A relay's workers are lost with it: they register again, here or behind another one.
      statistics.workersLost += max(1, record.workerCount)
      remember(record, lostBecause: reason, now: now)
      let text = "lost \(name): \(reason).\(Coordinator.describe(held + computed))"
      actions = [.log(level, text)]
      // It says hello over another connection when it hears nothing.
      if kind == .deaf { actions.append(.drop(peer)) }
      if kind == .violation {
        let goodbye = Goodbye(exitCode: ExitCode.unavailable, message: text)
        actions += [
          .send(
            peer,
            Message(
              run: configuration.run, epoch: configuration.epoch, session: record.session,
              content: .goodbye(goodbye))), .drop(peer),
        ]
      }
      if configuration.isRelay { actions += tell(.lost, record, reason, held.first, kind) }
      if let end = suspect(held.first, kind, record, reason) { return actions + end }
    }
    return actions + callAll(now: now)
  }

  /// Takes a worker off the roster: it gets no work any more.
  mutating func discharge(_ peer: PeerID, now: Instant) {
    roster.removeAll { $0 == peer }
    if job != nil, roster.isEmpty { waitingSince = waitingSince ?? now }
  }

  /// Takes an assignment out of a worker's hands; whether its tiles have to be computed by somebody else now.
  mutating func giveBack(_ assignment: Assignment, of peer: PeerID) -> Bool {
    guard let running = job, running.number == assignment.job, var piece = running.pieces[assignment.piece]
    else {
      // Somebody else has answered already.
      forgetIfDone(assignment.piece)
      return false
    }
    piece.holders.removeAll { $0 == peer }
    job?.pieces[assignment.piece] = piece.holders.isEmpty ? nil : piece
    guard piece.holders.isEmpty else { return true }
    statistics.redispatchedTiles += assignment.tiles.count
    job?.putBack(assignment.tiles, portion: piece.portion)
    return true
  }

  static func describe(_ held: [Assignment]) -> String {
    guard let first = held.first else { return "" }
    let more = held.count > 1 ? " and \(held.count - 1) more assignment(s)" : ""
    return " It held tiles \(first.tiles.lowerBound)–\(first.tiles.upperBound - 1)\(more), which others get."
  }

  /// Tiles that one worker after the other is lost over end the run instead of all its workers.
  private mutating func suspect(
    _ assignment: Assignment?, _ kind: LossKind, _ record: WorkerRecord, _ reason: String
  ) -> [CoordinatorAction]? {
    guard let assignment, let running = job, running.number == assignment.job, kind != .violation else {
      return nil
    }
    let suspect = RunningJob.Suspect(
      tiles: assignment.tiles, given: assignment.number, lost: nextAssignment, worker: record.hello.worker,
      story: "\(record.name) (\(reason))", maybeAlive: kind.leavesHope)
    guard let deadly = remember(suspect),
      // Tiles have killed workers elsewhere, too: that is for a relay's coordinator to count.
      !configuration.isRelay
    else { return nil }
    return giveUp(deadly, of: running, kind.exitCode)
  }

  /// Adds a worker to those that were lost over tiles of the running job.
  mutating func remember(_ suspect: RunningJob.Suspect) -> (tile: Int, stories: [String])? {
    // Beats tell the next number: those to come are not to be taken for earlier ones where no work goes out in between.
    nextAssignment += 1
    let deadly = job?.suspect(suspect)
    // The sooner workers hear of it, the sooner they are known to live.
    if job?.doubtedAt == suspect.lost { lastBeat = nil }
    return deadly
  }

  /// Ends the run over a tile that too many workers were lost over.
  mutating func giveUp(
    _ deadly: (tile: Int, stories: [String]), of running: RunningJob, _ exitCode: Int32
  ) -> [CoordinatorAction] {
    fail(
      exitCode,
      "\(deadly.stories.count) workers were lost over tile \(deadly.tile) of job kind \(running.job.kind), iteration "
        + "\(running.job.iteration): \(deadly.stories.joined(separator: "; ")). The fit stops rather than lose "
        + "all of them; what this tile computes is to be looked at")
  }

  mutating func unreachable(_ peer: PeerID, now: Instant) -> [CoordinatorAction] {
    // A child's process ends a moment after its connection, and how it ended says more.
    guard workers[peer]?.isLocalChild != true else { return [] }
    return lose(peer, .vanished, because: "the connection to it is gone", now: now)
  }

  mutating func childExited(_ processID: Int, _ description: String, now: Instant) -> [CoordinatorAction] {
    let peer = workers.keys.sorted().first {
      workers[$0]?.hello.processID == processID && workers[$0]?.isLocalChild == true
    }
    guard let peer else { return [] }
    return lose(peer, .vanished, because: description, now: now)
  }

  // MARK: Time

  /// What a worker's beat says: whether it gets on, and whether it has what it was given.
  mutating func hear(_ beat: Beat, from peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer] else { return [] }
    if beat.progress != record.progress || beat.isReceiving {
      workers[peer]?.progressedAt = now
      progress += 1
    }
    workers[peer]?.progress = beat.progress
    workers[peer]?.heardUpTo = max(record.heardUpTo, min(beat.heardUpTo, nextAssignment))
    var actions = record.hello.isRelay && record.phase == .ready ? change(beat.crew, of: peer, now: now) : []
    if let job, !job.trusts(heardUpTo: record.heardUpTo), job.trusts(heardUpTo: beat.heardUpTo) {
      actions += dispatchToIdle(now: now)
    }
    if beat.isLeaving { actions += letGo(peer, beat, now: now) }
    guard !beat.isReceiving, actions.isEmpty else { return actions }
    func isOverdue(_ since: Instant) -> Bool {
      since.adding(milliseconds: CoordinationLimits.lostMessage_ms) < now
    }
    if record.phase == .preparing {
      guard beat.isReady, isOverdue(record.since) else { return [] }
      // Its `ready` is lost: from the beginning, then.
      return lose(peer, .replaced, because: "it is ready and has not said so", now: now) + invite(peer)
    }
    let missing = record.assignments.filter {
      $0.number < beat.heardUpTo && isOverdue($0.sentAt) && !beat.assignments.contains($0.number)
    }
    guard !missing.isEmpty else { return [] }
    workers[peer]?.assignments.removeAll { missing.contains($0) }
    // The job's state and context may have been lost with it.
    workers[peer]?.lastJob = 0
    workers[peer]?.lastContext = 0
    for assignment in missing {
      _ = giveBack(assignment, of: peer)
      if assignment.gathered != nil { giveBackHeld(assignment, of: peer) }
    }
    workers[peer]?.missed += 1
    if record.missed + 1 >= CoordinationLimits.missedInARow {
      // Each time it may have been sent the job's state: who reads nothing of it leaves all of them to this side.
      return lose(
        peer, .deaf, because: "work has not reached it \(CoordinationLimits.missedInARow) times in a row",
        now: now)
    }
    let text = "\(record.name) does not have assignment \(missing[0].number), nor has its result come"
    for assignment in missing { actions += gatherAnew(without: assignment, from: peer, now: now) }
    return actions + [.log(.warning, "\(text): it is handed out again")] + dispatchToIdle(now: now)
  }

  mutating func tick(now: Instant) -> [CoordinatorAction] {
    if let lastTick, lastTick.adding(milliseconds: CoordinationLimits.ownStall_ms) < now {
      for peer in workers.keys {
        workers[peer]?.lastHeard = now
        workers[peer]?.progressedAt = now
        for place in (workers[peer]?.assignments ?? []).indices {
          workers[peer]?.assignments[place].sentAt = now
        }
      }
      if waitingSince != nil { waitingSince = now }
    }
    lastTick = now
    var actions: [CoordinatorAction] = []
    for peer in workers.keys.sorted() {
      actions += check(peer, now: now)
      if !actions.isEmpty, actions.contains(where: { if case .failed = $0 { true } else { false } }) {
        return actions
      }
    }
    actions += startIfPossible(now: now)
    if let waitingSince, waitingSince.adding(milliseconds: configuration.workerTimeout_ms) < now {
      return actions + fail(ExitCode.unavailable, waitingMessage)
    }
    actions += endGathering(now: now) + callAllIfLate(now: now)
    actions += copyStragglers(now: now)
    actions += nameSlowest(now: now) + nameStragglers(now: now)
    guard lastBeat.map({ $0.adding(milliseconds: CoordinationLimits.beatInterval_ms) <= now }) ?? true
    else { return actions }
    lastBeat = now
    return actions + workers.keys.sorted().map { send($0, .beat(Beat(progress: nextAssignment))) }
  }

  /// Whether a worker has been silent, or stood still, for too long.
  private mutating func check(_ peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer] else { return [] }
    let silence =
      record.phase == .preparing
      ? max(CoordinationLimits.setupSilence_ms, configuration.silenceLimit_ms)
      : configuration.silenceLimit_ms
    if record.lastHeard.adding(milliseconds: silence) < now {
      return lose(peer, .silent, because: "it has been silent for \(seconds(silence))", now: now)
    }
    // A relay has the same patience with its own workers, first.
    let stuck =
      max(CoordinationLimits.stuck_ms, 4 * configuration.silenceLimit_ms) * (record.hello.isRelay ? 2 : 1)
    if !record.assignments.isEmpty, record.progressedAt.adding(milliseconds: stuck) < now {
      return lose(
        peer, .stuck,
        because: "it answers, but its compute loop has stood still for \(seconds(stuck))", now: now)
        + [send(peer, .registerAgain)]
    }
    return []
  }

  private func seconds(_ milliseconds: Int) -> String {
    milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(Double(milliseconds) / 1000) s"
  }

  private var waitingMessage: String {
    let preparing = workers.values.filter { $0.phase == .preparing }.map(\.name).sorted()
    return "no worker for \(seconds(configuration.workerTimeout_ms)): waited for \(workersNeeded) worker(s), "
      + "\(readyWorkers) ready"
      + (preparing.isEmpty ? "" : ", still preparing: \(preparing.joined(separator: ", "))")
      + ". Start workers with `isomix worker`, or raise --worker-timeout"
  }
}
