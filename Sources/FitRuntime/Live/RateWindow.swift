import Coordination

/// How fast a fit and its workers are, over the last seconds.
struct RateWindow: Sendable {
  /// What a worker has done so far.
  struct Work: Sendable {
    var worker: String
    var tiles: Int
    var computeSeconds: Double
  }

  /// What had been done at some moment.
  struct Moment: Sendable {
    var at: Instant
    var iteration: Int
    var bytes: UInt64
    var workers: [Work]
  }

  private var moments: [Moment] = []

  private static let length_s = 10.0
  private static let mostMoments = 16

  mutating func add(_ moment: Moment) {
    moments.append(moment)
    while moments.count > RateWindow.mostMoments
      || (moments.count > 2 && moment.at.seconds(since: moments[1].at) >= RateWindow.length_s)
    {
      moments.removeFirst()
    }
  }

  private var span: (first: Moment, last: Moment, seconds: Double)? {
    guard let first = moments.first, let last = moments.last else { return nil }
    let seconds = last.at.seconds(since: first.at)
    return seconds > 0 ? (first, last, seconds) : nil
  }

  var iterationsPerSecond: Double? {
    span.map { Double(max(0, $0.last.iteration - $0.first.iteration)) / $0.seconds }
  }

  /// Sent and received.
  var bytesPerSecond: Double? {
    span.map { Double($0.last.bytes >= $0.first.bytes ? $0.last.bytes - $0.first.bytes : 0) / $0.seconds }
  }

  /// A worker's tiles a second, and the share of the time in which it computed.
  struct Rate: Sendable {
    var tilesPerSecond: Double
    var busy: Double
  }

  /// The rates of the workers that are there now, without those that have just come.
  var workers: [String: Rate] {
    guard let last = moments.last else { return [:] }
    var earliest: [String: (at: Instant, work: Work)] = [:]
    for moment in moments.reversed() {
      for work in moment.workers {
        // Who registers anew begins to count anew.
        if let known = earliest[work.worker], known.work.tiles < work.tiles { continue }
        earliest[work.worker] = (moment.at, work)
      }
    }
    var rates: [String: Rate] = [:]
    for work in last.workers {
      guard let (then, before) = earliest[work.worker] else { continue }
      let seconds = last.at.seconds(since: then)
      guard seconds > 0 else { continue }
      rates[work.worker] = Rate(
        tilesPerSecond: Double(work.tiles - before.tiles) / seconds,
        busy: min(1, max(0, work.computeSeconds - before.computeSeconds) / seconds))
    }
    return rates
  }
}
