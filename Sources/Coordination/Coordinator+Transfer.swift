import NumericsKit
import Wire

/// Files of the fit's data, for workers that don't share a folder with the coordinator.
extension Coordinator {
  /// A worker asks for a part of a file.
  mutating func serve(_ request: ShardRequest, to peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer], let digest = Digest(bytes: request.digest) else { return [] }
    guard configuration.servesShards else {
      return refuse(digest, to: peer, "this fit's workers read its data from a folder that they share")
    }
    workers[peer]?.isFetching = true
    fetches[peer] = now
    let ticket = nextTicket
    let isTaken =
      workers[peer]?.credit.take(digest, request.offset, ticket: ticket, now: now) ?? false
    if let unread = workers[peer]?.credit.unread, unread >= CoordinationLimits.unreadParts {
      return lose(peer, .deaf, because: "it asks for data and does not read them", now: now)
    }
    // Who asks for more than there is room for asks again.
    guard isTaken else { return [] }
    ticketsGiven += 1
    return [
      .readShard(
        ShardRead(
          peer: peer, digest: digest, offset: request.offset, session: record.session, ticket: ticket))
    ]
  }

  /// A part was read.
  mutating func answer(_ read: ShardRead, _ content: ShardContent, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[read.peer], record.session == read.session else { return [] }
    switch content {
    case .unavailable(let reason):
      workers[read.peer]?.credit.cancel(ticket: read.ticket)
      return refuse(read.digest, to: read.peer, reason)
    case .part(let bytes, let fileBytes):
      guard workers[read.peer]?.credit.send(ticket: read.ticket, now: now) == true else { return [] }
      statistics.shardBytes += bytes.count
      let part = ShardPart(
        digest: read.digest.bytes, offset: read.offset, fileBytes: fileBytes, ticket: read.ticket,
        bytes: bytes)
      return [send(read.peer, .shardPart(part))]
    }
  }

  private func refuse(_ digest: Digest, to peer: PeerID, _ reason: String) -> [CoordinatorAction] {
    [send(peer, .shardRefused(ShardRefusal(digest: digest.bytes, message: reason)))]
  }

  /// A worker has all that it waited for: what it has to compute counts from now.
  mutating func endTransfer(of peer: PeerID, now: Instant) {
    guard workers[peer]?.isFetching == true else { return }
    workers[peer]?.isFetching = false
    for place in (workers[peer]?.assignments ?? []).indices {
      workers[peer]?.assignments[place].sentAt = now
    }
  }

  /// What a worker may take when its own home is used up.
  func foreign(to peer: PeerID) -> WorkQueue.Foreign {
    fetches.isEmpty || (fetches.count == 1 && fetches[peer] != nil) ? .all : .returned
  }

  /// Gives idle workers what is left of the homes of workers that have not asked for files for some time.
  mutating func endGathering(now: Instant) -> [CoordinatorAction] {
    let count = fetches.count
    fetches = fetches.filter { peer, last in
      guard let record = workers[peer] else { return false }
      return record.isFetching || last.adding(milliseconds: CoordinationLimits.gathering_ms) > now
    }
    return fetches.count < count ? dispatchToIdle(now: now) : []
  }

  /// A number that only the coordinator can know before it has sent it.
  private var nextTicket: UInt64 {
    var hasher = DigestBuilder()
    configuration.secret.withUnsafeBytes { hasher.update($0) }
    withUnsafeBytes(of: ticketsGiven.littleEndian) { hasher.update($0) }
    return hasher.finalize().bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
