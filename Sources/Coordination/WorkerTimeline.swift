/// What each worker did over the time of a run, in bounded memory: how busy it was in bins of time that are merged in
/// pairs as the run grows, and when it was there.
///
/// For people to look at: nothing that a fit computes depends on it.
public struct WorkerTimeline: Sendable, Equatable {
  /// A stretch of time in which a worker took part.
  public struct Stay: Sendable, Equatable {
    /// Seconds since the timeline's start.
    public var from: Double
    /// Nil while it is there.
    public var until: Double?
    /// Whether it was lost rather than let go.
    public var isLost = false
  }

  /// One worker process, over all its registrations.
  public struct Row: Sendable, Equatable {
    /// Host and process.
    public var name: String
    public var threads: Int
    /// Seconds of computing that fall in each bin, at most ``CoordinationLimits/timelineBins``.
    public var busy: [Double] = []
    /// The first ``CoordinationLimits/timelineStays`` stays.
    public var stays: [Stay] = []
    /// Until when its computing is counted, so that no second counts twice.
    var countedUntil = 0.0
  }

  /// Seconds a bin.
  public private(set) var binWidth = WorkerTimeline.firstBinWidth
  /// Workers in the order in which they became ready.
  public private(set) var rows: [Row] = []
  /// Workers that came when there were ``CoordinationLimits/timelineWorkers`` already.
  public private(set) var leftOut = 0
  /// Seconds from the first job to the last result.
  public private(set) var length = 0.0
  private var start: Instant?
  private var places: [String: Int] = [:]

  /// 1/1024 s: a power of two, so that merged bins have exact widths.
  static let firstBinWidth = 0.0009765625

  public init() {}

  /// Time counts from here; only the first call counts.
  package mutating func begin(now: Instant) { start = start ?? now }

  private func seconds(_ now: Instant) -> Double { start.map { now.seconds(since: $0) } ?? 0 }

  /// A worker is ready to compute.
  package mutating func joined(worker: String, name: String, threads: Int, now: Instant) {
    if places[worker] == nil {
      guard rows.count < CoordinationLimits.timelineWorkers else {
        leftOut += 1
        return
      }
      places[worker] = rows.count
      rows.append(Row(name: name, threads: threads))
    }
    guard let place = places[worker], rows[place].stays.count < CoordinationLimits.timelineStays else {
      return
    }
    rows[place].stays.append(Stay(from: seconds(now)))
  }

  /// A worker takes no part any more.
  package mutating func ended(worker: String, isLost: Bool, now: Instant) {
    guard let place = places[worker], let last = rows[place].stays.indices.last,
      rows[place].stays[last].until == nil
    else { return }
    rows[place].stays[last].until = seconds(now)
    rows[place].stays[last].isLost = isLost
  }

  /// A worker says that it has just computed for so many seconds.
  package mutating func computed(worker: String, seconds duration: Double, now: Instant) {
    guard let place = places[worker], duration > 0, duration.isFinite else { return }
    let end = seconds(now)
    let from = max(end - duration, rows[place].countedUntil, 0)
    length = max(length, end)
    rows[place].countedUntil = max(end, rows[place].countedUntil)
    guard end > from else { return }
    while end >= binWidth * Double(CoordinationLimits.timelineBins) { merge() }
    let (first, last) = (Int(from / binWidth), Int(end / binWidth))
    let missing = last + 1 - rows[place].busy.count
    if missing > 0 { rows[place].busy += [Double](repeating: 0, count: missing) }
    for bin in first...last {
      let (left, right) = (Double(bin) * binWidth, Double(bin + 1) * binWidth)
      rows[place].busy[bin] += max(0, min(end, right) - max(from, left))
    }
  }

  /// Makes bins twice as wide.
  private mutating func merge() {
    binWidth *= 2
    for place in rows.indices {
      let busy = rows[place].busy
      rows[place].busy = stride(from: 0, to: busy.count, by: 2).map {
        busy[$0] + ($0 + 1 < busy.count ? busy[$0 + 1] : 0)
      }
    }
  }
}
