import NumericsKit
import Wire

/// Jobs: handing out pieces, collecting sums, copies of what takes too long.
extension Coordinator {
  mutating func begin(_ newJob: Job, now: Instant) -> [CoordinatorAction] {
    precondition(job == nil, "a job is begun when the one before it is complete")
    if configuration.gathersSums { for peer in workers.keys { workers[peer]?.held = [] } }
    job = RunningJob(number: nextJob, job: newJob, isWhole: true)
    nextJob += 1
    slowness.begin()
    waitingSince = now
    return startIfPossible(now: now)
  }

  /// Workers that the running job waits for before it starts.
  var workersNeeded: Int { statistics.jobs == 0 ? max(1, configuration.workersToStart) : 1 }

  /// Hands out the job's first pieces once enough workers are ready, or some have been for long.
  mutating func startIfPossible(now: Instant) -> [CoordinatorAction] {
    guard let running = job, running.hasWaitingPortions, !roster.isEmpty else { return [] }
    var actions: [CoordinatorAction] = []
    if !running.hasStarted, readyWorkers < workersNeeded {
      let patience = min(CoordinationLimits.startPatience_ms, configuration.workerTimeout_ms)
      guard let firstReadyAt, firstReadyAt.adding(milliseconds: patience) <= now else { return [] }
      actions.append(
        .log(.warning, "starting with \(readyWorkers) of \(workersNeeded) workers; others may still join"))
    }
    if !running.hasStarted { statistics.jobs += 1 }
    timeline.begin(now: now)
    waitingSince = nil
    // Who still computes for an earlier job gets no home: it gets work again when it has answered.
    let free = roster.filter { workers[$0]?.assignments.allSatisfy { $0.job == running.number } == true }
    let able = sharingProcessors(free, in: running)
    // What a worker showed while it took turns says nothing.
    if able.count < free.count { for peer in Set(free).subtracting(able) { workers[peer]?.speed = nil } }
    let crew = crew(of: able, for: running)
    // Of a relay's job that has begun, all who have work go on.
    let mayRest = crew.count < free.count && (!running.hasStarted || running.crew != nil)
    job?.crew = mayRest ? Set(crew).union(running.crew ?? []) : nil
    actions += noteResting(crew.count, of: able.count, of: free.count)
    let threads = crew.compactMap { workers[$0]?.threads }
    let strengths = zip(crew, strengths(of: crew)).map { (peer: $0, strength: $1) }
    let minimumCost = CoordinationLimits.minimumPiece_s * speed * Double(threads.min() ?? 1)
    let firstShare = firstShares[running.job.kind, default: FirstShare()].value
    job?.start(strengths, firstShare: firstShare, minimumCost: minimumCost, now: now)
    for peer in crew { actions += dispatch(to: peer, once: true, now: now) }
    for peer in crew { actions += dispatch(to: peer, now: now) }
    return actions
  }

  /// What is expected of each worker. Its share: its threads, halved as often as they are that much slower than the others'.
  private func strengths(of peers: [PeerID]) -> [Strength] {
    let records = peers.compactMap { workers[$0] }
    let fastest = records.compactMap(\.speed).max() ?? 1
    return records.map { record in
      var share = 1.0
      let relative = (record.speed ?? fastest) / fastest
      while share > CoordinationLimits.smallestHome, relative < 0.6 * share { share /= 2 }
      return Strength(share: share * Double(record.threads), speed: relative * Double(record.threads))
    }
  }

  /// Gives a worker assignments up to its credit.
  mutating func dispatch(to peer: PeerID, once: Bool = false, now: Instant) -> [CoordinatorAction] {
    guard job?.employs(peer) == true else { return [] }
    var actions: [CoordinatorAction] = []
    let foreign = once ? .nothing : foreign(to: peer)
    while let record = workers[peer], record.isOnRoster, job?.trusts(heardUpTo: record.heardUpTo) == true,
      record.assignments.count(where: { $0.gathered == nil }) < CoordinationLimits.assignmentsInFlight,
      let mayHave = mayTake(peer, record, foreign: foreign, now: now),
      let (tiles, portion) = job?.take(for: peer, foreign: mayHave)
    {
      let isHeld = holds(tiles, peer, record)
      actions += hand(tiles, of: portion, to: peer, copyOf: nil, isHeld: isHeld, now: now)
      if once { break }
    }
    return actions + (actions.isEmpty ? gather(from: peer, now: now) : gatherFromAll(now: now))
  }

  /// What a worker may take besides its own home, if it may take anything now. One that has something to do takes from its
  /// home, so that the next piece waits for it; the last pieces go to whoever is expected to be done first.
  private func mayTake(_ peer: PeerID, _ record: WorkerRecord, foreign: WorkQueue.Foreign, now: Instant)
    -> WorkQueue.Foreign?
  {
    if record.assignments.isEmpty { return foreign }
    guard roster.count <= CoordinationLimits.comparedWorkers, job?.isNearlyHandedOut == true else {
      return .nothing
    }
    let own = secondsLeft(record, now: now)
    let isFirst = roster.allSatisfy { other in
      guard other != peer, job?.employs(other) == true, let record = workers[other] else { return true }
      return record.assignments.isEmpty || secondsLeft(record, now: now) >= own
    }
    return isFirst ? foreign : nil
  }

  /// How long a worker should still take for what it has.
  private func secondsLeft(_ record: WorkerRecord, now: Instant) -> Double {
    let cost = record.assignments.reduce(0) { $0 + $1.cost }
    return max(0, expectedSeconds(cost, record) - now.seconds(since: record.busySince))
  }

  /// How long a worker should take for work of a cost, from its beginning.
  private func expectedSeconds(_ cost: Double, _ record: WorkerRecord) -> Double {
    cost / max(record.speed ?? speed, 1e6) / Double(max(1, record.threads))
  }

  /// Gives work to whoever has none.
  mutating func dispatchToIdle(now: Instant) -> [CoordinatorAction] {
    guard job?.hasStarted == true else { return [] }
    var actions: [CoordinatorAction] = []
    for peer in roster where workers[peer]?.assignments.isEmpty == true {
      actions += dispatch(to: peer, now: now)
    }
    return actions
  }

  /// Sends tiles to a worker as a new piece, or as a copy of one.
  private mutating func hand(
    _ tiles: Range<Int>, of portion: UInt64, to peer: PeerID, copyOf piece: UInt64?, isHeld: Bool = false,
    now: Instant
  ) -> [CoordinatorAction] {
    // Not the running job as a whole: a copy of its tables would be made when they change below.
    guard let number = job?.number, let given = job?.job else { return [] }
    let shape = given.shape
    let subtrees = shape.subtrees(covering: tiles)
    let assignment = Assignment(
      number: nextAssignment, job: number, piece: piece ?? nextAssignment, kind: given.kind,
      tiles: tiles, subtrees: subtrees, width: shape.width(of: subtrees), cost: shape.cost(of: tiles),
      role: isHeld ? .hold : .answer, sentAt: now)
    job?.pieces[assignment.piece, default: RunningJob.Piece(portion: portion)].holders.append(peer)
    if piece != nil { job?.pieces[assignment.piece]?.isCopied = true }
    return give(assignment, to: peer, now: now)
  }

  /// Sends a worker an assignment.
  mutating func give(_ assignment: Assignment, to peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let number = job?.number, let given = job?.job, let record = workers[peer] else { return [] }
    nextAssignment += 1
    statistics.assignments += 1
    if record.assignments.isEmpty {
      workers[peer]?.progressedAt = now
      workers[peer]?.busySince = now
    }
    workers[peer]?.assignments.append(assignment)
    workers[peer]?.lastJob = number
    let isFirst = record.lastJob != number
    let context = given.context
    let isNew = isFirst && context.map { $0.number != record.lastContext } ?? false
    if let context, isNew { workers[peer]?.lastContext = context.number }
    let work = Work(
      job: number, assignment: assignment.number, jobKind: given.kind,
      iteration: UInt64(given.iteration), subtrees: assignment.subtrees, state: isFirst ? given.state : nil,
      context: context?.number ?? 0, contextBytes: isNew ? context?.bytes : nil, role: assignment.role)
    // A new context is no part of an iteration.
    statistics.traffic[given.kind, default: Traffic()].bytesDown +=
      work.byteCount - (work.contextBytes?.count ?? 0)
    if isFirst { statistics.traffic[given.kind, default: Traffic()].shares += 1 }
    return [send(peer, .work(work))]
  }

  mutating func collect(_ result: WorkResult, from peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer] else { return [] }
    guard let place = record.assignments.firstIndex(where: { $0.number == result.assignment }) else {
      // Nobody was ever given it; or it was taken back and given to others, and the answer comes late.
      return result.assignment == 0 || result.assignment >= nextAssignment
        ? lose(peer, .violation, because: "it sent a result for work that it does not have", now: now) : []
    }
    let assignment = record.assignments[place]
    guard assignment.job == result.job, result.sums.count == assignment.answerBytes else {
      return lose(
        peer, .violation,
        because: "it sent \(result.sums.count / 8) numbers for assignment \(assignment.number), which has "
          + "\(assignment.answerBytes / 8)", now: now)
    }
    workers[peer]?.assignments.remove(at: place)
    workers[peer]?.busySince = now
    statistics.traffic[assignment.kind, default: Traffic()].bytesUp += result.byteCount
    workers[peer]?.missed = 0
    progress += 1
    workers[peer]?.progressedAt = now
    if assignment.gathered == nil { workers[peer]?.tilesDone += assignment.tiles.count }
    if result.computeSeconds.isFinite { workers[peer]?.computeSeconds += max(0, result.computeSeconds) }
    observe(result, assignment, of: peer)
    timeline.computed(worker: record.hello.worker, seconds: result.computeSeconds, now: now)
    if job?.number == assignment.job, job?.startedAt == assignment.sentAt { job?.initialDoneAt = now }
    if assignment.role == .hold { return hold(assignment, of: peer, now: now) }
    if assignment.gathered != nil, !isWanted(assignment, of: peer) {
      giveBackHeld(assignment, of: peer)
      return dispatch(to: peer, now: now) + dispatchToIdle(now: now)
    }
    if let gathered = assignment.gathered { workers[peer]?.held.removeAll { gathered.contains($0.number) } }
    // As above: no copy of the running job is kept while it takes the sums.
    let piece = assignment.gathered?.first ?? assignment.piece
    guard job?.number == assignment.job, let isWhole = job?.isWhole,
      let isCopied = job?.pieces[piece]?.isCopied
    else { return compare(result, assignment, record, now: now) ?? dispatch(to: peer, now: now) }
    if isCopied, assignment.gathered == nil {
      settled.remember(
        assignment.piece,
        SettledPieces.Fact(
          digest: Digest.of(result.sums), worker: record.name, numerics: numerics(of: record)))
    }
    slowness.answered(peer, now: now)
    let threadSeconds =
      result.computeSeconds.isFinite ? max(0, result.computeSeconds) * Double(record.threads) : 0
    guard let done = job?.reduce(assignment, sums: result.sums, threadSeconds: threadSeconds),
      let sums = done.result
    else { return dispatch(to: peer, now: now) }
    noteDuration(now: now)
    guard isWhole else {
      let threads = roster.reduce(0) { $0 + (workers[$1]?.threads ?? 0) }
      let answer = CoordinatorAction.portionCompleted(
        done.number, sums: sums, seconds: done.threadSeconds / Double(max(1, threads)))
      return [answer] + dispatch(to: peer, now: now)
    }
    slowness.completed()
    job = nil
    return [.completed(sums)]
  }

  /// Lets the first result of a piece go when nobody has the piece any more.
  mutating func forgetIfDone(_ piece: UInt64) {
    if !workers.values.contains(where: { $0.assignments.contains { $0.piece == piece } }) {
      settled.forget(piece)
    }
  }

  /// Compares the second result of a piece with its first; nil when they agree.
  private mutating func compare(
    _ result: WorkResult, _ assignment: Assignment, _ record: WorkerRecord, now: Instant
  ) -> [CoordinatorAction]? {
    guard let fact = settled.fact(of: assignment.piece) else { return nil }
    forgetIfDone(assignment.piece)
    statistics.duplicates += 1
    guard fact.numerics == numerics(of: record), fact.digest != Digest.of(result.sums) else {
      return nil
    }
    return fail(
      ExitCode.software,
      "\(fact.worker) and \(record.name) computed other sums for the same tiles \(assignment.tiles.lowerBound)–"
        + "\(assignment.tiles.upperBound - 1) of job \(assignment.job): one of the two computes wrongly. Test "
        + "both machines' memory and CPU, and resume the fit without the faulty one")
  }

  /// Names the numerics of a worker: equal names promise equal bits. What is behind a relay may be mixed, where that is
  /// allowed.
  private func numerics(of record: WorkerRecord) -> String {
    guard configuration.mixedNumerics else { return configuration.fingerprint }
    return record.hello.isRelay ? record.hello.worker : record.hello.fingerprint
  }

  /// Learns how fast a worker's threads are; used for the size of pieces alone, never for a result.
  private mutating func observe(_ result: WorkResult, _ assignment: Assignment, of peer: PeerID) {
    guard let record = workers[peer], configuration.presumedSpeed == nil, result.computeSeconds > 1e-6,
      result.computeSeconds.isFinite
    else { return }
    let observed = min(
      max(assignment.cost / result.computeSeconds / Double(record.threads), 1e6), 1e13)
    speed += 0.1 * (observed - speed)
    workers[peer]?.speed = record.speed.map { $0 + 0.1 * (observed - $0) } ?? observed
  }

  /// Near the end of a job: gives idle workers copies of what others take too long for. Whoever answers first
  /// counts.
  mutating func copyStragglers(now: Instant) -> [CoordinatorAction] {
    guard let running = job, running.hasStarted, running.isHandedOut else { return [] }
    var idle = roster.filter {
      workers[$0].map { $0.assignments.isEmpty && running.trusts(heardUpTo: $0.heardUpTo) } ?? false
    }
    guard !idle.isEmpty else { return [] }
    var late: [(assignment: Assignment, portion: UInt64, holder: PeerID)] = []
    for peer in roster {
      guard let record = workers[peer], !record.isFetching else { continue }
      var cost = 0.0
      var overdue: [Assignment] = []
      for assignment in record.assignments {
        cost += assignment.cost
        let limit_s = max(
          Double(CoordinationLimits.straggler_ms) / 1000,
          CoordinationLimits.stragglerFactor * expectedSeconds(cost, record))
        if now.seconds(since: assignment.sentAt) > limit_s { overdue.append(assignment) }
      }
      // What it holds comes as late.
      for assignment in overdue + (overdue.isEmpty ? [] : record.held) {
        guard let piece = running.pieces[assignment.piece], piece.holders.count == 1 else { continue }
        late.append((assignment, piece.portion, peer))
      }
    }
    late.sort { ($0.assignment.sentAt, $0.assignment.number) < ($1.assignment.sentAt, $1.assignment.number) }
    var actions: [CoordinatorAction] = []
    for (assignment, portion, holder) in late {
      let host = workers[holder]?.hello.host
      // Rather on another host: what slows one process down may slow down its neighbours.
      guard let place = idle.firstIndex(where: { workers[$0]?.hello.host != host }) ?? idle.indices.first
      else { break }
      statistics.redispatchedTiles += assignment.tiles.count
      actions += hand(
        assignment.tiles, of: portion, to: idle.remove(at: place), copyOf: assignment.piece, now: now)
    }
    return actions
  }
}
