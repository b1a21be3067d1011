import Coordination
import Wire

/// The network: connections that keep their order unless told otherwise, and everything that breaks them.
extension SimulatedRun {
  /// A worker opens a fresh connection.
  mutating func connect(_ index: Int) {
    if let peer = workers[index].peer { brokenPeers.insert(peer) }
    nextConnection += 1
    workers[index].connection = nextConnection
    nextConnection += 1
    workers[index].peer = nextConnection
    workers[index].lastUp = 0
    workers[index].lastDown = 0
  }

  /// A connection breaks and the transport makes it again: the coordinator sees another peer. What is on its way to the
  /// worker is lost, and what comes from it is lost, too, or sent again.
  mutating func reconnect(_ index: Int, losing: Bool) {
    if let peer = workers[index].peer { brokenPeers.insert(peer) }
    if losing {
      nextConnection += 1
      workers[index].connection = nextConnection
    }
    nextConnection += 1
    workers[index].peer = nextConnection
  }

  mutating func sendUp(_ message: Message, from index: Int) {
    guard let peer = workers[index].peer else {
      // Nobody listens: the transport keeps it until somebody does, or the connection is let go.
      if !hasParent(index) { report.count("unheard") }
      return
    }
    let arrival = arrival(after: workers[index].lastUp)
    for time in copies(at: arrival) {
      queue.add(
        .toCoordinator(worker: index, connection: workers[index].connection, peer: peer, message), at: time)
    }
    if !plan.has(.reordering) || hasHealed { workers[index].lastUp = arrival }
  }

  /// Whether the transport takes it: not for a connection that it knows to be gone.
  mutating func sendDown(_ message: Message, to peer: PeerID) -> Bool {
    guard let index = workers.firstIndex(where: { $0.peer == peer.number }) else {
      // A broken connection is noticed sooner or later.
      if brokenPeers.contains(peer.number), generator.below(3) > 0 { return true }
      brokenPeers.remove(peer.number)
      return false
    }
    let arrival = arrival(after: workers[index].lastDown)
    for time in copies(at: arrival) {
      queue.add(.toWorker(index, connection: workers[index].connection, message), at: time)
    }
    if !plan.has(.reordering) || hasHealed { workers[index].lastDown = arrival }
    return true
  }

  /// When a message arrives, not before the one before it.
  private mutating func arrival(after last: UInt64) -> UInt64 {
    var latency_s = generator.uniform(20e-6, 300e-6)
    if plan.has(.delay), !hasHealed, generator.below(8) == 0 {
      latency_s += generator.uniform(0, plan.longestDelay_s)
    }
    let time = now + UInt64(latency_s * 1e9)
    return plan.has(.reordering) && !hasHealed ? time : max(time, last + 1)
  }

  /// The times at which copies of a message arrive: none when it is lost.
  private mutating func copies(at time: UInt64) -> [UInt64] {
    guard !hasHealed else { return [time] }
    if plan.has(.loss), generator.happens(plan.lossRate) {
      report.count("loss")
      return []
    }
    if plan.has(.duplication), generator.happens(plan.duplicationRate) {
      report.count("duplication")
      return [time, time + UInt64(generator.uniform(0, 0.5) * 1e9)]
    }
    return [time]
  }

  /// Gives the coordinator what has arrived, as the transport would: bulk over the peer's limit is left away.
  mutating func deliver(_ message: Message, from peer: UInt64, worker: Int) throws {
    let id = PeerID(number: peer)
    if let parent = workers[worker].parent {
      guard workers[parent].isAlive, case .relay(let machine) = workers[parent].machine else { return }
      note("w\(parent) ← w\(worker) \(describe(message))")
      if case .result(let result) = message.content, result.sums.count > machine.bulkLimit(for: id) {
        return try tellRelay(parent, .down(.unwanted(id)))
      }
      return try tellRelay(parent, .down(.received(id, message)))
    }
    guard let machine = coordinator else { return }
    note("c ← w\(worker) \(describe(message))")
    if case .result(let result) = message.content, result.sums.count > machine.bulkLimit(for: id) {
      return try tell(.unwanted(id))
    }
    try tell(.received(id, message))
  }

  func describe(_ message: Message) -> String {
    let session = "s\(message.session)"
    return switch message.content {
    case .hello(let hello): "hello \(hello.worker) #\(hello.incarnation)"
    case .welcome(let welcome): "\(session) welcome #\(welcome.incarnation)"
    case .work(let work):
      "\(session) work \(work.job)/\(work.assignment)\(work.state == nil ? "" : " with state")"
    case .result(let result): "\(session) result \(result.job)/\(result.assignment)"
    case .crew(let notice): "\(session) crew \(notice.kind) \(notice.worker)"
    case .handBack(let handBack): "\(session) hand back \(handBack.job)/\(handBack.assignment)"
    case .beat(let beat): "\(session) beat \(beat.progress) \(beat.assignments)"
    case .shardRequest(let request): "\(session) shard request \(request.digest[0]) \(request.offset)"
    case .shardPart(let part): "\(session) shard part \(part.digest[0]) \(part.offset)"
    default: "\(session) \(message.kind)"
    }
  }
}
