import Wire

/// Sums that workers hold. A worker gets its share of a job in several pieces; where these cut few blocks, each piece would
/// send sums of the same blocks. So the worker holds these sums, adds them along the canonical tree, and sends one for each
/// of the fewest subtrees that cover its pieces, once every tile of the job has been handed out.
///
/// What is held is in the worker's hands like what it computes: when it is lost, others compute it again.
extension Coordinator {
  /// Whether the sums of a piece that was taken for a worker are held: where it touches few blocks and is not the only one.
  func holds(_ tiles: Range<Int>, _ peer: PeerID, _ record: WorkerRecord) -> Bool {
    guard configuration.gathersSums, let running = job, running.isWhole, !running.isDoubtful else {
      return false
    }
    guard WorkQueue.cutsFewBlocks(tiles, of: running.job.shape) else { return false }
    return running.hasHome(peer) || !holding(record, running).isEmpty
  }

  /// What a worker holds of a job and is wanted of it, or will hold when it is computed.
  private func holding(_ record: WorkerRecord, _ running: RunningJob) -> [Assignment] {
    (record.held + record.assignments.filter { $0.role == .hold }).filter {
      $0.job == running.number && running.pieces[$0.piece] != nil
    }
  }

  /// Asks for the sums that a worker holds, once nothing is left to hand out, or it leaves.
  mutating func gather(from peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard configuration.gathersSums, let running = job, running.isWhole, let record = workers[peer],
      running.isHandedOut || record.isLeaving, !record.assignments.contains(where: { $0.gathered != nil })
    else { return [] }
    let holding = holding(record, running).sorted { $0.tiles.lowerBound < $1.tiles.lowerBound }
    guard let first = holding.first, let last = holding.last else { return [] }
    var subtrees: [Subtree] = []
    var tiles = first.tiles
    let shape = running.job.shape
    for next in holding.dropFirst() {
      if next.tiles.lowerBound == tiles.upperBound {
        tiles = tiles.lowerBound..<next.tiles.upperBound
      } else {
        subtrees += shape.subtrees(covering: tiles)
        tiles = next.tiles
      }
    }
    subtrees += shape.subtrees(covering: tiles)
    let gathering = Work.Gathering(
      assignments: holding.map(\.number),
      widths: Work.Gathering.blocks(of: subtrees).map { shape.blocks[Int($0)].width })
    let request = Assignment(
      number: nextAssignment, job: running.number, piece: nextAssignment, kind: running.job.kind,
      tiles: first.tiles.lowerBound..<last.tiles.upperBound, subtrees: subtrees,
      width: shape.width(of: subtrees), cost: 0, role: .gather(gathering), sentAt: now)
    return give(request, to: peer, now: now)
  }

  /// Asks all for what they hold when nothing is left to hand out.
  mutating func gatherFromAll(now: Instant) -> [CoordinatorAction] {
    guard configuration.gathersSums, job?.isHandedOut == true else { return [] }
    var actions: [CoordinatorAction] = []
    for peer in roster { actions += gather(from: peer, now: now) }
    return actions
  }

  /// A worker says that it leaves: others get what it has not begun, and it is asked for what it holds, or dismissed.
  mutating func letGo(_ peer: PeerID, _ beat: Beat, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer], record.phase == .ready else { return [] }
    var actions: [CoordinatorAction] = []
    if !record.isLeaving {
      workers[peer]?.isLeaving = true
      discharge(peer, now: now)
      // Messages keep their order: what it does not name it has dropped, or will not take.
      let dropped = record.assignments.filter { !beat.assignments.contains($0.number) }
      workers[peer]?.assignments.removeAll { dropped.contains($0) }
      for assignment in dropped { _ = giveBack(assignment, of: peer) }
      actions = callAll(now: now)
    }
    actions += gather(from: peer, now: now)
    if workers[peer]?.assignments.isEmpty == true {
      // The run goes on: if it is a relay, its workers wait for another one.
      let goodbye = Goodbye(exitCode: ExitCode.interrupted, message: "nothing more is wanted of it")
      actions.append(send(peer, .goodbye(goodbye)))
    }
    return actions
  }

  /// A worker has computed a piece, and holds its sums.
  mutating func hold(_ assignment: Assignment, of peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard job?.number == assignment.job, job?.pieces[assignment.piece] != nil else {
      // Somebody else has sent them. What the worker was asked for in one with them is on its way, and not wanted.
      forgetIfDone(assignment.piece)
      return dispatch(to: peer, now: now)
    }
    slowness.answered(peer, now: now)
    workers[peer]?.held.append(assignment)
    return dispatch(to: peer, now: now)
  }

  /// Whether a worker holds what it was asked for, and nobody else has sent sums of it.
  func isWanted(_ request: Assignment, of peer: PeerID) -> Bool {
    guard let running = job, running.number == request.job, let record = workers[peer] else { return false }
    return request.gathered?.allSatisfy { number in
      running.pieces[number] != nil && record.held.contains { $0.number == number }
    } ?? false
  }

  /// The sums that a worker has sent are of no use as they are: others get what of them is still wanted.
  mutating func giveBackHeld(_ request: Assignment, of peer: PeerID) {
    let held = workers[peer]?.held.filter { $0.job == request.job } ?? []
    workers[peer]?.held.removeAll { held.contains($0) }
    for assignment in held { _ = giveBack(assignment, of: peer) }
  }

  /// Something that a worker was to hold is not with it any more, so that it can't answer a request for it: what else it
  /// holds is asked for anew.
  mutating func gatherAnew(without assignment: Assignment, from peer: PeerID, now: Instant)
    -> [CoordinatorAction]
  {
    guard assignment.role == .hold else { return [] }
    workers[peer]?.assignments.removeAll { $0.gathered?.contains(assignment.number) == true }
    return gather(from: peer, now: now)
  }
}
