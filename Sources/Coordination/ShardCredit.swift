import NumericsKit

/// The parts of files that one worker has asked for and not yet said to have read: few, so that neither memory nor what
/// else is sent to the worker suffers from them.
struct ShardCredit: Sendable {
  private struct Part: Sendable {
    let digest: Digest
    let offset: UInt64
    let ticket: UInt64
    /// When it was sent; nil while it is being read.
    var sentAt: Instant?
  }

  private var parts: [Part] = []
  /// Parts in a row that nobody has said to have read.
  private(set) var unread = 0

  /// Parts that are asked for and not known to be read.
  var count: Int { parts.count }

  /// Takes a request; false when it has to wait, or is answered already.
  mutating func take(_ digest: Digest, _ offset: UInt64, ticket: UInt64, now: Instant) -> Bool {
    let before = parts.count
    parts.removeAll { part in
      part.sentAt.map { $0.adding(milliseconds: CoordinationLimits.unreadPart_ms) < now } ?? false
    }
    unread += before - parts.count
    guard parts.count < CoordinationLimits.shardParts,
      !parts.contains(where: { $0.digest == digest && $0.offset == offset && $0.sentAt == nil })
    else { return false }
    parts.append(Part(digest: digest, offset: offset, ticket: ticket, sentAt: nil))
    return true
  }

  /// A part that was read is about to be sent; false when nobody waits for it.
  mutating func send(ticket: UInt64, now: Instant) -> Bool {
    guard let place = parts.firstIndex(where: { $0.ticket == ticket && $0.sentAt == nil }) else {
      return false
    }
    parts[place].sentAt = now
    return true
  }

  /// A part does not come.
  mutating func cancel(ticket: UInt64) { parts.removeAll { $0.ticket == ticket } }

  /// The worker has read a part.
  mutating func acknowledge(ticket: UInt64) {
    let before = parts.count
    parts.removeAll { $0.ticket == ticket && $0.sentAt != nil }
    if parts.count < before { unread = 0 }
  }
}
