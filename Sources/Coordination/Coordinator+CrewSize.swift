import Wire

/// How many workers take part in a job. Each of them costs the coordinator a message and an answer; where a job is short, more
/// workers cost more time than they save, and the others rest.
extension Coordinator {
  /// Those of some free workers that find a processor of their own, in their order: where a machine has more threads of workers
  /// than processors, the others would only take turns with them, and every change of turns would cost time. All of them
  /// where jobs are so long that this does not matter, or as long as it is not known how long they are.
  func sharingProcessors(_ free: [PeerID], in running: RunningJob) -> [PeerID] {
    guard !configuration.employsAll, let last = jobSeconds[running.job.kind],
      last < Double(CoordinationLimits.straggler_ms) / 2000
    else { return free }
    var taken: [Processors: Int] = [:]
    return free.filter { peer in
      guard let record = workers[peer], let processors = record.hello.processors else { return true }
      let before = taken[processors, default: 0]
      guard before == 0 || before + record.threads <= processors.count else { return false }
      taken[processors] = before + record.threads
      return true
    }
  }

  /// Remembers how long the job took whose sums, or a portion's, are complete.
  mutating func noteDuration(now: Instant) {
    guard let running = job, let started = running.startedAt else { return }
    let seconds = now.seconds(since: started)
    jobSeconds[running.job.kind] = seconds
    guard running.isWhole, seconds > 0, let done = running.initialDoneAt else { return }
    firstShares[running.job.kind, default: FirstShare()].learn(done: done.seconds(since: started) / seconds)
  }

  /// Those of some free workers that a job is handed out to: all of them where that is worth it, or as long as their speed is
  /// not known.
  mutating func crew(of free: [PeerID], for running: RunningJob) -> [PeerID] {
    let speeds =
      configuration.presumedSpeed.map { [Double](repeating: $0, count: free.count) }
      ?? free.compactMap { workers[$0]?.speed }.sorted()
    guard !configuration.employsAll, free.count > 1, 2 * speeds.count >= free.count else { return free }
    let threads = free.reduce(0) { $0 + (workers[$1]?.threads ?? 0) }
    let strength = speeds[speeds.count / 2] * Double(threads) / Double(free.count)
    let seconds = running.waitingCost / max(strength, 1)
    let perWorker =
      CoordinationLimits.workerCost_s + Double(running.job.state.count) * CoordinationLimits.byteCost_s
    // The least of k · perWorker + seconds / k.
    var count = max(1, Int(min((seconds / perWorker).squareRoot().rounded(), Double(free.count))))
    if let last = crewSizes[running.job.kind], last <= free.count,
      Double(max(last, count)) <= Coordinator.steadiness * Double(min(last, count))
    {
      count = last
    }
    crewSizes[running.job.kind] = count
    guard count < free.count else { return free }
    let fastEnough = 0.5 * speeds[speeds.count / 2]
    let able = free.filter { workers[$0]?.speed ?? strength >= fastEnough }
    let candidates = able.count >= count ? able : free
    // Spread over all, so that hosts share the work.
    return (0..<count).map { candidates[$0 * candidates.count / count] }
  }

  /// The number of workers stays what it is while their speeds wobble: homes move with it.
  private static let steadiness = 1.3

  /// Lets workers that rest take part: somebody was lost, or the job takes longer than short ones do.
  mutating func callAll(now: Instant) -> [CoordinatorAction] {
    job?.crew = nil
    return dispatchToIdle(now: now)
  }

  /// Lets workers that rest take part in a job that has taken long.
  mutating func callAllIfLate(now: Instant) -> [CoordinatorAction] {
    guard let started = job?.startedAt, job?.crew != nil,
      started.adding(milliseconds: CoordinationLimits.straggler_ms) < now
    else { return [] }
    return callAll(now: now)
  }

  /// Says once that workers rest: `able` of the free ones have a processor.
  mutating func noteResting(_ crew: Int, of able: Int, of free: Int) -> [CoordinatorAction] {
    guard !hasNotedResting, crew < free, statistics.jobs > Coordinator.jobsBeforeNote else { return [] }
    hasNotedResting = true
    let reason =
      crew < able
      ? "it is so short that more would cost more time than they save"
      : "their threads keep all processors busy that the workers have"
    return [.log(.info, "\(crew) of \(free) workers take part in an iteration: \(reason)")]
  }

  /// The first jobs are of other kinds and sizes than those that a fit is made of.
  private static let jobsBeforeNote = 100
}
