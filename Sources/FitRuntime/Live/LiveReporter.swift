import Coordination
import Foundation
import Glibc
import Inference
import Report
import Reporting
import Specification

/// Keeps a fit's ``LiveStatus`` up to date, about once a second, from what the fit's thread tells it.
///
/// Building a status copies a few numbers; it is written elsewhere (``StatusPublisher``).
final class LiveReporter {
  private var status: LiveStatus
  private let publisher: StatusPublisher
  private var trace = BoundedSeries<LiveStatus.TracePoint>(limit: LiveStatusLimits.trace)
  private var course = BoundedSeries<LiveStatus.CoursePoint>(limit: LiveStatusLimits.course)
  private var rates = RateWindow()
  private var lastUpdate: Instant?
  private var hasEnded = false

  /// - Parameter dashboard: the process that shows it, if any.
  init(_ specification: FitSpecification, output: String, identity: Identity, dashboard: DashboardProcess?) {
    status = LiveStatus(
      version: Identity.version, folder: output,
      model: LiveStatus.Model(
        family: specification.model.family, dimension: nil, components: specification.mixture.components),
      phase: "preparing the data", iterations: specification.inference.iterations,
      mayStopEarly: specification.inference.stop == .converged,
      coordinator: LiveStatus.Process(
        host: identity.host, pid: Int(getpid()), started: ProcessLife.of(Int(getpid()))?.started))
    status.dashboard = dashboard?.url
    publisher = StatusPublisher(dashboard: dashboard)
    publisher.offer(status)
  }

  /// The data are prepared and the folder is taken over.
  func begin(folder: RunFolder, run: String, problem: Problem) {
    status.folder = folder.path
    status.run = run
    status.model.dimension = problem.target.dimension
    status.model.components = problem.plan.problem.components
    status.phase = "waiting for workers"
    publisher.use(folder: folder.path)
    publish()
  }

  /// The evaluations of earlier sittings of a fit that is resumed.
  func recall(trace csv: String) {
    for row in Trace(csv: csv).rows where row.elbo.isFinite && row.seconds.isFinite {
      trace.append(
        LiveStatus.TracePoint(
          iteration: Int(row.iteration), seconds: row.seconds, elbo: row.elbo, se: row.standardError))
    }
  }

  /// Whether a second has passed since the last update; or some more between two jobs, because what is in flight is seen
  /// in the middle of one.
  func isDue(now: Instant, isBetweenJobs: Bool = false) -> Bool {
    guard let lastUpdate else { return true }
    let patience_s = isBetweenJobs ? LiveReporter.patience_s : 0
    return lastUpdate.adding(milliseconds: Int(1000 * (LiveStatusLimits.interval_s + patience_s))) <= now
  }

  private static let patience_s = 0.3

  /// The objective was evaluated.
  func evaluated(_ row: TraceRow, seconds: Double) {
    let (elbo, error) = (row.objective.elbo, row.objective.standardError)
    guard elbo.isFinite else { return }
    status.elbo = elbo
    status.elboSe = error.isFinite ? error : nil
    trace.append(
      LiveStatus.TracePoint(
        iteration: row.iteration, seconds: seconds, elbo: elbo, se: error.isFinite ? error : 0))
  }

  /// Where the fit is now.
  ///
  /// - Parameter hasBegun: whether the first job is done; before, workers are waited for.
  func update(
    _ fit: Fit, hasBegun: Bool, seconds: Double, statistics: RunStatistics, view: CoordinatorView,
    warnings: [String], now: Instant
  ) {
    lastUpdate = now
    let phase = fit.phase
    status.state =
      switch phase.kind {
      case .warmingUp: .warmingUp
      case .running: .running
      case .judging, .finished: .judging
      }
    status.phase = phase.description
    if !hasBegun {
      status.state = .preparing
      status.phase = view.members.contains(where: \.isReady) ? "the first pass" : "waiting for workers"
    }
    status.iteration = fit.iteration
    status.seconds = hasBegun ? seconds : 0
    status.bytesSent = statistics.bytesSent
    status.bytesReceived = statistics.bytesReceived
    status.workersSeen = statistics.workers
    status.lostWorkers = statistics.lostWorkers
    status.redispatchedTiles = statistics.redispatchedTiles
    status.tilesInFlight = view.tilesInFlight
    status.tilesOfJob = view.tilesOfJob
    status.warnings = Array((warnings + statistics.warnings).prefix(LiveStatusLimits.warnings))
    addRates(view: view, isIterating: hasBegun, now: now)
    status.workers = workers(view)
    status.workersLeftOut = max(0, view.members.count - LiveStatusLimits.workers)
    status.lost = lost(view, now: now)
    publish()
  }

  /// The fit has ended well.
  func finished(_ summary: Summary) {
    status.iteration = summary.iterations
    status.seconds = summary.seconds
    status.elbo = summary.elbo ?? status.elbo
    status.elboSe = summary.elboStandardError ?? status.elboSe
    status.bytesSent = summary.bytesSent
    status.bytesReceived = summary.bytesReceived
    status.warnings = Array(summary.warnings.prefix(LiveStatusLimits.warnings))
    end(.finished, ExitCode.done, FitDiagnosis.ending(summary.stoppedBy, converged: summary.converged))
  }

  /// The fit has ended otherwise.
  func failed(_ failure: RunFailure) {
    end(failure.exitCode == ExitCode.interrupted ? .interrupted : .failed, failure.exitCode, failure.message)
  }

  /// The last status; nothing comes after it.
  private func end(_ state: LiveStatus.State, _ exitCode: Int32, _ message: String) {
    guard !hasEnded else { return }
    hasEnded = true
    status.state = state
    status.exitCode = Int(exitCode)
    status.message = message
    status.phase = "ended"
    status.secondsLeft = nil
    status.tilesInFlight = 0
    status.iterationsPerSecond =
      status.seconds > 0 && status.iteration > 0 ? Double(status.iteration) / status.seconds : nil
    status.bytesPerSecond = nil
    stamp()
    publisher.end(with: status)
  }

  /// What happened to the dashboard, for the log.
  func takeNews() -> [String] { publisher.takeNews() }

  private func publish() {
    stamp()
    publisher.offer(status)
  }

  private func stamp() {
    status.trace = trace.points
    status.course = course.points
    status.updatedAt = LiveStatus.timestamp(Date())
  }

  // MARK: Rates and workers

  private func addRates(view: CoordinatorView, isIterating: Bool, now: Instant) {
    guard isIterating else { return }
    rates.add(
      RateWindow.Moment(
        at: now, iteration: status.iteration, bytes: status.bytesSent &+ status.bytesReceived,
        workers: view.members.map {
          RateWindow.Work(worker: $0.worker, tiles: $0.tilesDone, computeSeconds: $0.computeSeconds)
        }))
    status.iterationsPerSecond = rates.iterationsPerSecond
    status.bytesPerSecond = rates.bytesPerSecond
    let left = Double(status.iterations - status.iteration)
    status.secondsLeft = rates.iterationsPerSecond.flatMap { $0 > 0 ? left / $0 : nil }
    if status.state == .judging { status.secondsLeft = nil }
    guard let rate = rates.iterationsPerSecond else { return }
    course.append(
      LiveStatus.CoursePoint(
        seconds: (1000 * status.seconds).rounded() / 1000, iterationsPerSecond: rate,
        bytesPerSecond: (rates.bytesPerSecond ?? 0).rounded(), workers: view.members.count(where: \.isReady)))
  }

  private func workers(_ view: CoordinatorView) -> [LiveWorker] {
    let known = rates.workers
    return view.members.prefix(LiveStatusLimits.workers).map { member in
      let rate = known[member.worker]
      return LiveWorker(
        name: "\(member.host)/\(member.processID)", host: member.host, pid: member.processID,
        threads: member.threads,
        state: !member.isReady
          ? .preparing : member.tilesHeld > 0 || (rate?.busy ?? 0) > LiveReporter.atWork ? .computing : .idle,
        tilesDone: member.tilesDone, tilesHeld: member.tilesHeld, tilesPerSecond: rate?.tilesPerSecond,
        busy: rate?.busy, relativeSpeed: member.relativeSpeed, isSlow: member.isSlow,
        lastSeenSeconds: (1000 * member.silence_s).rounded() / 1000)
    }
  }

  /// Who has computed for this share of the last seconds only waits for the next pass when it holds nothing.
  private static let atWork = 0.05

  private func lost(_ view: CoordinatorView, now: Instant) -> [LostWorker] {
    let date = Date()
    return view.departures.suffix(LiveStatusLimits.lost).map {
      LostWorker(
        name: "\($0.host)/\($0.processID)", host: $0.host, pid: $0.processID, reason: $0.reason,
        lostAt: LiveStatus.timestamp(date.addingTimeInterval(-now.seconds(since: $0.at))))
    }
  }
}
