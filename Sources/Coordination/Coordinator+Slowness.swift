/// Who keeps the others waiting, so that a log can name it. Decides nothing.
struct Slowness: Sendable {
  /// A worker that the log has named.
  private struct Named: Sendable {
    let worker: String
    var times: Int
    var last: Instant
    var next: Instant
  }

  private var named: [Named] = []
  private var windowStart: Instant?
  /// Seconds of this window in which all others had answered and only this one had not.
  private(set) var waits: [(peer: PeerID, seconds: Double)] = []
  private var lastAnswer: (peer: PeerID, at: Instant)?
  /// When somebody else than who answered last had answered last.
  private var lastOfOthers: Instant?

  /// A job begins: nobody has answered.
  mutating func begin() {
    lastAnswer = nil
    lastOfOthers = nil
  }

  /// A worker's sums have come.
  mutating func answered(_ peer: PeerID, now: Instant) {
    if let lastAnswer, lastAnswer.peer != peer { lastOfOthers = lastAnswer.at }
    lastAnswer = (peer, now)
  }

  /// The job is complete: since the others' last answer, everybody waited for who answered last.
  mutating func completed() {
    guard let lastAnswer, let lastOfOthers else { return }
    let wait = lastAnswer.at.seconds(since: lastOfOthers)
    if let place = waits.firstIndex(where: { $0.peer == lastAnswer.peer }) {
      waits[place].seconds += wait
    } else if waits.count < CoordinationLimits.namedSlow {
      waits.append((lastAnswer.peer, wait))
    }
  }

  /// Seconds of the window when it is over.
  mutating func window(now: Instant) -> Double? {
    guard let windowStart else {
      self.windowStart = now
      return nil
    }
    let length = now.seconds(since: windowStart)
    return length * 1000 >= Double(CoordinationLimits.slowWindow_ms) ? length : nil
  }

  /// Begins the next window.
  mutating func nextWindow(now: Instant) {
    windowStart = now
    waits = []
  }

  /// Whether a worker may be named now: at first at once, then less and less often.
  mutating func mayName(_ worker: String, now: Instant) -> Bool {
    guard let place = named.firstIndex(where: { $0.worker == worker }) else {
      if named.count >= CoordinationLimits.namedSlow { named.removeFirst() }
      named.append(Named(worker: worker, times: 1, last: now, next: Slowness.next(after: 1, now)))
      return true
    }
    named[place].last = now
    guard named[place].next <= now else { return false }
    named[place].times += 1
    named[place].next = Slowness.next(after: named[place].times, now)
    return true
  }

  private static func next(after times: Int, _ now: Instant) -> Instant {
    now.adding(milliseconds: CoordinationLimits.slowAgain_ms << min(times - 1, 6))
  }

  /// Whether a worker was found slow a short time ago.
  func isNamed(_ worker: String, now: Instant) -> Bool {
    named.contains {
      $0.worker == worker && now < $0.last.adding(milliseconds: 2 * CoordinationLimits.slowWindow_ms)
    }
  }
}

extension Coordinator {
  /// At the end of a window of time: says which worker computes much slower than the others, or is waited for much.
  mutating func nameSlowest(now: Instant) -> [CoordinatorAction] {
    guard let length = slowness.window(now: now) else { return [] }
    defer { slowness.nextWindow(now: now) }
    guard roster.count > 1 else { return [] }
    var slowest: (record: WorkerRecord, speed: Double, wait: Double)?
    for peer in roster {
      guard let record = workers[peer], let speed = relativeSpeed(of: record) else { continue }
      let wait = slowness.waits.first { $0.peer == peer }?.seconds ?? 0
      let isSlow =
        speed < CoordinationLimits.slowSpeed
        || (speed < CoordinationLimits.waitedForSpeed && wait > CoordinationLimits.longWait * length)
      guard isSlow else { continue }
      if let other = slowest, (other.wait, -other.speed) >= (wait, -speed) { continue }
      slowest = (record, speed, wait)
    }
    guard let slowest, slowness.mayName(slowest.record.hello.worker, now: now) else { return [] }
    return [
      .log(
        .info,
        "\(slowest.record.name) is slow: its threads compute at \(percent(slowest.speed)) of the median of the others "
          + "(\(tenths((slowest.record.speed ?? 0) * 1e-9)) GFLOP/s each), and of the last \(tenths(length)) s the "
          + "others waited \(tenths(min(slowest.wait, length))) s (\(percent(min(1, slowest.wait / length)))) for it "
          + "alone")
    ]
  }

  /// Says which worker has had a piece of work for far too long, and whether an iteration waits for it.
  mutating func nameStragglers(now: Instant) -> [CoordinatorAction] {
    guard roster.count > 1 else { return [] }
    var actions: [CoordinatorAction] = []
    for peer in roster {
      guard let record = workers[peer], !record.isFetching, let assignment = record.assignments.first else {
        continue
      }
      let taken = now.seconds(since: assignment.sentAt)
      let expected = assignment.cost / max(record.speed ?? speed, 1e6) / Double(max(1, record.hello.threads))
      guard taken * 1000 >= Double(CoordinationLimits.namedStraggler_ms),
        taken >= CoordinationLimits.stragglerFactor * expected,
        slowness.mayName(record.hello.worker, now: now)
      else { continue }
      let tiles = "\(assignment.tiles.lowerBound)–\(assignment.tiles.upperBound - 1)"
      let isWaitedFor =
        job?.number == assignment.job
        && (assignment.gathered != nil || job?.pieces[assignment.piece] != nil)
      let consequence =
        isWaitedFor
        ? "iteration \(job?.job.iteration ?? 0) waits for them" : "others have computed them instead"
      actions.append(
        .log(
          .info,
          "\(record.name) is slow: it has had tiles \(tiles) for \(tenths(taken)) s where "
            + "\(tenths(max(expected, 0.1))) s were expected; \(consequence)"))
    }
    return actions
  }

  private func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }

  /// A number to a tenth.
  private func tenths(_ value: Double) -> String { "\((10 * min(value, 1e12)).rounded() / 10)" }
}
