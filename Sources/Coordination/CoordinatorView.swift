/// What a coordinator knows of a run at some moment, to be shown.
public struct CoordinatorView: Sendable {
  /// A registered worker.
  public struct Member: Sendable {
    /// Its own name, the same over all its registrations.
    public let worker: String
    public let host: String
    public let processID: Int
    public let threads: Int
    /// Whether it takes work; it opens its data before.
    public let isReady: Bool
    /// Seconds since it was last heard.
    public let silence_s: Double
    /// Tiles whose sums it has sent.
    public let tilesDone: Int
    /// Seconds that its compute loop took for them.
    public let computeSeconds: Double
    public let tilesHeld: Int
    /// Speed of one of its threads against the median of the others'; nil when either is not known.
    public let relativeSpeed: Double?
    /// Whether the log calls it slow.
    public let isSlow: Bool
  }

  /// A worker that was lost.
  public struct Departure: Sendable, Equatable {
    public let worker: String
    public let host: String
    public let processID: Int
    public let reason: String
    public let at: Instant
  }

  /// Workers in the order in which they registered.
  public let members: [Member]
  /// Workers that were lost and did not come back, the latest ``CoordinationLimits/departures``.
  public let departures: [Departure]
  public let tilesInFlight: Int
  public let tilesOfJob: Int
}

extension Coordinator {
  /// What is known now. The copying is all that it costs.
  public func view(now: Instant) -> CoordinatorView {
    let records = workers.values.sorted { $0.session < $1.session }
    return CoordinatorView(
      members: records.map { record in
        let held = record.tilesInHand
        return CoordinatorView.Member(
          worker: record.hello.worker, host: record.hello.host, processID: record.hello.processID,
          threads: record.hello.threads, isReady: record.phase == .ready,
          silence_s: now.seconds(since: record.lastHeard), tilesDone: record.tilesDone,
          computeSeconds: record.computeSeconds, tilesHeld: held,
          relativeSpeed: relativeSpeed(of: record), isSlow: slowness.isNamed(record.hello.worker, now: now))
      },
      departures: departures,
      tilesInFlight: records.reduce(0) { $0 + $1.tilesInHand },
      tilesOfJob: job?.job.shape.tileCount ?? 0)
  }

  /// Speed of one of a worker's threads against the median of the others'.
  func relativeSpeed(of record: WorkerRecord) -> Double? {
    guard let speed = record.speed else { return nil }
    let others = roster.compactMap { workers[$0] }
      .filter { $0.session != record.session }.compactMap(\.speed).sorted()
    guard !others.isEmpty else { return nil }
    let middle = others.count / 2
    let median = others.count % 2 == 1 ? others[middle] : 0.5 * (others[middle - 1] + others[middle])
    return median > 0 ? speed / median : nil
  }

  /// Remembers who was lost.
  mutating func remember(_ record: WorkerRecord, lostBecause reason: String, now: Instant) {
    departures.removeAll { $0.worker == record.hello.worker }
    if departures.count >= CoordinationLimits.departures { departures.removeFirst() }
    departures.append(
      CoordinatorView.Departure(
        worker: record.hello.worker, host: record.hello.host, processID: record.hello.processID,
        reason: reason, at: now))
  }
}
