import Coordination
import Foundation
import Inference
import Mixtures
import Report
import Reporting

/// The course of one run: asks the fit for its next job, has it evaluated, hands the sums back, and writes what
/// comes out.
final class FitRun {
  private let prepared: PreparedFit
  private let folder: RunFolder
  private let log: RunLog
  private let progress: ProgressReporter
  private let interruption: Interruption
  private var warnings: [String]
  private let checkpoints: Checkpointer
  private let live: LiveReporter
  private var fit: Fit
  /// Seconds that the fit had taken before it was resumed.
  private let secondsBefore: Double
  private let shapes: [JobKind: JobShape]
  private let trace: TraceWriter
  private var start = Clock.now
  private var encodedContext: SharedContext?
  /// What `mixture.json` holds, once it is written.
  private var fitted: FittedMixture?

  init(
    prepared: PreparedFit, folder: RunFolder, log: RunLog, progress: ProgressReporter,
    interruption: Interruption, warnings: [String], checkpoints: Checkpointer, resuming: Checkpoint?,
    live: LiveReporter
  ) throws {
    self.prepared = prepared
    self.live = live
    self.checkpoints = checkpoints
    self.folder = folder
    self.log = log
    self.progress = progress
    self.interruption = interruption
    self.warnings = warnings
    var fit = try Fit(prepared.problem, from: prepared.start)
    if let resuming { try fit.restore(resuming.snapshot) }
    self.fit = fit
    secondsBefore = resuming?.header.seconds ?? 0
    trace =
      resuming == nil
      ? try TraceWriter(path: folder.file("trace.csv"))
      : try TraceWriter(
        path: folder.file("trace.csv"), resumingAfter: fit.snapshot.course.evaluatedAt ?? -1)
    if resuming != nil, let rows = try? String(contentsOfFile: folder.file("trace.csv"), encoding: .utf8) {
      live.recall(trace: rows)
    }
    let plan = prepared.setup.plan
    shapes = Dictionary(
      uniqueKeysWithValues: JobKind.allCases.compactMap { kind in
        plan.job(kind).map { (kind, JobShape($0, problem: plan.problem)) }
      })
  }

  /// Runs to the end. Whatever the end is, no worker is left and the state reached is written.
  func run(with runner: any JobRunner) throws -> FitService.Outcome {
    runner.whileRunning = { [weak self, weak runner] in
      if let self, let runner { self.tell(of: runner) }
    }
    do {
      try iterate(with: runner)
    } catch {
      let seconds = secondsSoFar
      tell(of: runner, isDue: true)
      let described = describe(RunFailure(error), isKept: keep(seconds: seconds))
      let failure = quote(runner.rejection, in: described, of: error)
      end(runner, failure.exitCode, failure.message)
      progress.finish(iteration: fit.iteration, seconds: seconds)
      if fit.iteration > 0 {
        _ = try? writeResults(runner.statistics, stoppedBy: failure.message, seconds: seconds)
      }
      throw failure
    }
    let seconds = secondsSoFar
    tell(of: runner, isDue: true)
    let isKept = keep(seconds: seconds)
    end(runner, ExitCode.done, "the fit is finished")
    progress.finish(iteration: fit.iteration, seconds: seconds)
    do {
      let outcome = try writeResults(
        runner.statistics, stoppedBy: fit.ending?.reason ?? "the number of iterations asked for",
        seconds: seconds)
      writeReport()
      return outcome
    } catch {
      throw describe(RunFailure(error), isKept: isKept)
    }
  }

  /// Ends the runner; nobody can join any more.
  private func end(_ runner: any JobRunner, _ exitCode: Int32, _ message: String) {
    runner.end(exitCode: exitCode, message: message)
    if let bytes = runner.statistics.bytesStreamed {
      log.append(level: "info", "\(bytes) bytes of data were sent to workers and relays")
    }
    try? FileManager.default.removeItem(atPath: folder.file(Rendezvous.fileName))
  }

  private var secondsSoFar: Double { secondsBefore + Clock.now.seconds(since: start) }

  /// Writes a last checkpoint. A disk that takes none is said and ends nothing: older ones are still there.
  private func keep(seconds: Double) -> Bool {
    do {
      try checkpoints.write(fit.snapshot, seconds: seconds)
      return true
    } catch {
      warn("no checkpoint was written: \(RunFailure(error).message)")
      return false
    }
  }

  /// The context of the next job, encoded once for all jobs that share it.
  private var context: SharedContext? {
    guard let context = fit.context else { return nil }
    if let encodedContext, encodedContext.number == context.number { return encodedContext }
    encodedContext = SharedContext(
      number: context.number, bytes: JobContext.encode(context.metric, context.variate))
    return encodedContext
  }

  private func warn(_ message: String, isAlarming: Bool = true) {
    let level = isAlarming ? LogLevel.warning : .info
    log.append(level: level.rawValue, message)
    guard isAlarming else { return progress.note(message) }
    progress.note("warning: \(message)")
    if warnings.count < FitRun.mostWarnings { warnings.append(message) }
  }

  private static let mostWarnings = 20

  /// Whether the first job is done.
  private var hasBegun = false

  /// Tells those who look at the run where it is, about once a second.
  private func tell(of runner: any JobRunner, isDue: Bool = false, isBetweenJobs: Bool = false) {
    let now = Clock.now
    guard isDue || live.isDue(now: now, isBetweenJobs: isBetweenJobs) else { return }
    live.update(
      fit, hasBegun: hasBegun, seconds: secondsSoFar, statistics: runner.statistics, view: runner.view,
      warnings: warnings, now: now)
    for sentence in live.takeNews() { warn(sentence) }
  }

  /// The whole of a fit: job, sums, step; job, sums, step.
  private func iterate(with runner: any JobRunner) throws {
    tell(of: runner, isDue: true)
    while let next = fit.next {
      guard let shape = shapes[next.kind] else {
        throw RunFailure(exitCode: ExitCode.software, message: "the plan has no job of kind \(next.kind)")
      }
      let job = Job(
        kind: next.kind.rawValue, iteration: next.iteration, state: fit.state, context: context, shape: shape)
      let sums = try runner.run(job)
      // Time counts from the first result: before it, processes start and data are opened.
      if !hasBegun { start = Clock.now }
      hasBegun = true
      let row = try fit.take(sums)
      for note in fit.notes {
        warn(note, isAlarming: note.hasPrefix("diverged") || note.hasPrefix("rejected"))
      }
      fit.notes = []
      let seconds = secondsSoFar
      for failure in checkpoints.offer(fit.snapshot, seconds: seconds) {
        warn("a checkpoint could not be written: \(failure)")
      }
      if let row {
        try trace.append(row, seconds: seconds, workers: runner.statistics.readyWorkers)
        progress.evaluated(row, seconds: seconds)
        live.evaluated(row, seconds: seconds)
      } else {
        progress.step(iteration: fit.iteration, seconds: seconds)
      }
      tell(of: runner, isBetweenJobs: true)
    }
  }

  /// Adds why the model rejected points to a failure that may come from it.
  private func quote(_ rejection: String?, in failure: RunFailure, of error: any Error) -> RunFailure {
    guard let rejection, (error as? FitError)?.code == .diverged else { return failure }
    return RunFailure(
      exitCode: failure.exitCode,
      message: "\(failure.message). The model says where it rejects points: \(rejection)")
  }

  private func describe(_ failure: RunFailure, isKept: Bool) -> RunFailure {
    if failure.exitCode == ExitCode.cannotCreate {
      return RunFailure(
        exitCode: failure.exitCode,
        message:
          "\(failure.message), at iteration \(fit.iteration); make room (or the folder writable) and go on with "
          + "the same command and --resume")
    }
    if failure.exitCode == ExitCode.unavailable, isKept {
      return RunFailure(
        exitCode: failure.exitCode,
        message: "\(failure.message). The state is kept: go on with the same command and --resume")
    }
    guard failure.exitCode == ExitCode.interrupted else { return failure }
    let advice = isKept ? "; go on with the same command and --resume" : ""
    guard fit.iteration > 0 else {
      return RunFailure(
        exitCode: failure.exitCode, message: "\(failure.message) before the first step\(advice)")
    }
    return RunFailure(
      exitCode: failure.exitCode,
      message: "\(failure.message) at iteration \(fit.iteration)\(advice) "
        + "(\(folder.file(FittedMixture.fileName)) holds the mixture as it stands)")
  }

  private func writeResults(_ statistics: RunStatistics, stoppedBy: String, seconds: Double) throws
    -> FitService.Outcome
  {
    let problem = prepared.problem
    let family = problem.specification.model.family
    let fitted = FittedMixture(
      fit.mixture, coordinates: fit.coordinateMixture, factors: fit.factors, metric: fit.metric,
      family: family,
      names: problem.target.parameterNames, iteration: fit.iteration,
      specification: prepared.setup.specification, design: problem.train?.manifest)
    try folder.write(json: fitted, to: FittedMixture.fileName, pretty: false)
    self.fitted = fitted
    if fit.next == nil {
      if problem.specification.model.isForeign {
        ModelCrash.explain(
          "\(InferenceData.fileName) was made: \(folder.file(FittedMixture.fileName)) holds the finished fit, and "
            + "`isomix sample --unconstrained` draws from it without the model")
      }
      defer { ModelCrash.forget() }
      let draws = FitDraws(fit: fit, prepared: prepared)
      for note in draws.notes { log.append(level: "info", note) }
      if let problem = try draws.write(to: folder, check: { try interruption.check() }) { warn(problem) }
    }
    let summary = Summary(
      stoppedBy: stoppedBy, iterations: fit.iteration, row: fit.lastRow, test: fit.testScores,
      seconds: seconds, workers: statistics.workers, lostWorkers: statistics.lostWorkers,
      redispatchedTiles: statistics.redispatchedTiles,
      bytesSent: statistics.bytesSent, bytesReceived: statistics.bytesReceived,
      stateSHA256: fit.stateDigest.description, warnings: warnings + statistics.warnings,
      version: Identity.version, converged: fit.ending?.hasConverged, judgement: fit.judgement,
      // Full covariances gain nothing by other coordinates.
      verdict: fit.judgement?.verdict(
        metric: fit.factors.isEmpty ? fit.metric.kind : .dense, dimension: fit.plan.problem.dimension,
        factorization: fit.isFactorized ? .coordinates : .full),
      iterates: fit.iterates, bytesPerIteration: statistics.bytesPerIteration,
      bytesStreamed: statistics.bytesStreamed)
    try folder.write(json: summary, to: "summary.json")
    try writeRecords(statistics, seconds: seconds)
    log.append(
      level: "info",
      "ended after \(fit.iteration) iterations and \(String(format: "%.3f", seconds)) s: \(stoppedBy)")
    return FitService.Outcome(
      summary: summary, output: folder.path, family: family, dimension: problem.target.dimension,
      components: fit.plan.problem.components)
  }

  /// What the report shows besides the summary: the judgement's weights, and what the workers did.
  private func writeRecords(_ statistics: RunStatistics, seconds: Double) throws {
    if let judgement = fit.judgement {
      try folder.write(json: Diagnostics(judgement), to: Diagnostics.fileName, pretty: false)
    }
    let activity = WorkerActivity(
      statistics.timeline, secondsBefore: secondsBefore, seconds: seconds - secondsBefore)
    try folder.write(json: activity, to: WorkerActivity.fileName, pretty: false)
  }

  /// Writes `report.html`. Results are there without it, so a failure is said and ends nothing.
  private func writeReport() {
    guard let fitted else { return }
    let problem = prepared.problem
    if problem.specification.model.isForeign {
      ModelCrash.explain(
        "\(ReportDocument.fileName) was made; the fit is finished, and the rest of \(folder.path) is written")
    }
    defer { ModelCrash.forget() }
    do {
      try FitReport.write(
        FitReport.Opened(
          mixture: fitted, target: problem.target, train: problem.train, test: problem.test), into: folder)
    } catch {
      warn("no report was written: \(RunFailure(error).message); `isomix report \(folder.path)` tries again")
    }
  }
}
