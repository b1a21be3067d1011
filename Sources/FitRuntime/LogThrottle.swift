import Coordination

/// Keeps a log from growing with what peers do: a burst of messages passes, then a slow stream of them, and what is
/// left away is counted.
package struct LogThrottle: Sendable {
  private var allowance: Double
  private var last: Instant
  private var leftAway = 0
  private let burst: Double
  private let rate: Double

  /// Messages that pass at once.
  package static let burst = 200.0
  /// Messages a second that pass for ever.
  package static let rate = 0.5

  package init(now: Instant, burst: Double = LogThrottle.burst, rate: Double = LogThrottle.rate) {
    self.burst = burst
    self.rate = rate
    allowance = burst
    last = now
  }

  /// The messages to write for one that comes: none, itself, or a sentence about those left away and itself.
  package mutating func pass(_ message: String, now: Instant) -> [String] {
    allowance = min(burst, allowance + now.seconds(since: last) * rate)
    last = max(last, now)
    guard allowance >= 1 else {
      leftAway += 1
      return []
    }
    allowance -= 1
    guard leftAway > 0 else { return [message] }
    defer { leftAway = 0 }
    return ["\(leftAway) message(s) were left away: too many came at once", message]
  }
}
