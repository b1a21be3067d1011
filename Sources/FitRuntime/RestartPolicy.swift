import Coordination

/// When a local worker that ended is started again: at once the first time, later and later while it keeps dying, and
/// not any more when it dies again and again before it has joined the run.
package struct RestartPolicy: Sendable {
  /// Ends in a row without having joined.
  private var failedStarts = 0
  /// Ends shortly after one another.
  private var streak = 0
  private var startedAt: Instant

  /// Ends in a row without having joined after which a worker is not started any more.
  package static let mostFailedStarts = 6
  static let firstDelay_ms = 100
  static let lastDelay_ms = 5_000
  /// A worker that lived so long is as good as new.
  static let soundLife_s = 30.0

  package init(startedAt: Instant) { self.startedAt = startedAt }

  package mutating func started(now: Instant) { startedAt = now }

  /// When to start it again after it ended; nil: never.
  ///
  /// - Parameter hadJoined: whether it was registered with the coordinator.
  package mutating func ended(hadJoined: Bool, now: Instant) -> Instant? {
    failedStarts = hadJoined ? 0 : failedStarts + 1
    guard failedStarts < RestartPolicy.mostFailedStarts else { return nil }
    if now.seconds(since: startedAt) >= RestartPolicy.soundLife_s { streak = 0 }
    let delay = min(RestartPolicy.firstDelay_ms << min(streak, 10), RestartPolicy.lastDelay_ms)
    streak += 1
    return now.adding(milliseconds: delay)
  }
}
