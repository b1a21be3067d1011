import NumericsKit
import Wire

/// What a worker does about files that it has not.
extension Worker {
  mutating func want(_ digests: [Digest], now: Instant) -> [WorkerAction] {
    guard session != nil else { return [] }
    return perform(fetch.want(digests, now: now), now: now)
  }

  mutating func receive(_ part: ShardPart, now: Instant) -> [WorkerAction] {
    guard let session else { return [] }
    // Whatever it is good for, it was read: the coordinator may send another.
    return [.send(session.message(.shardReceived(ticket: part.ticket)))]
      + perform(fetch.receive(part, now: now), now: now)
  }

  mutating func refused(_ refusal: ShardRefusal, now: Instant) -> [WorkerAction] {
    perform(fetch.refused(refusal, now: now), now: now)
  }

  mutating func checked(_ digest: Digest, isWhole: Bool, now: Instant) -> [WorkerAction] {
    perform(fetch.checked(digest, isWhole: isWhole, now: now), now: now)
  }

  mutating func continueTransfer(now: Instant) -> [WorkerAction] {
    guard session != nil else { return [] }
    return perform(fetch.tick(now: now), now: now)
  }

  private mutating func perform(_ steps: [ShardFetch.Step], now: Instant) -> [WorkerAction] {
    guard let session else { return [] }
    var actions = steps.map { step -> WorkerAction in
      switch step {
      case .ask(let request): .send(session.message(.shardRequest(request)))
      case .act(let action): .shard(action)
      case .note(let text): .note(text)
      }
    }
    // Beats say that it waits for files; the end of that is said at once.
    if isFetching, !fetch.isActive { actions += beatNow(now: now) }
    isFetching = fetch.isActive
    return actions
  }
}
