import Coordination
import Foundation
import Inference
import Mixtures
import Reporting

/// The course of one run: asks the fit for its next job, has it evaluated, hands the sums back, and writes what
/// comes out.
final class FitRun {
  private let prepared: PreparedFit
  private let folder: RunFolder
  private let log: RunLog
  private let progress: ProgressReporter
  private let interruption: Interruption
  private let warnings: [String]
  private var fit: Fit
  private let shapes: [JobKind: JobShape]
  private var trace: TraceWriter?
  private var start = Clock.now

  init(
    prepared: PreparedFit, folder: RunFolder, log: RunLog, progress: ProgressReporter,
    interruption: Interruption, warnings: [String]
  ) {
    self.prepared = prepared
    self.folder = folder
    self.log = log
    self.progress = progress
    self.interruption = interruption
    self.warnings = warnings
    fit = Fit(prepared.problem)
    let plan = prepared.setup.plan
    shapes = Dictionary(
      uniqueKeysWithValues: JobKind.allCases.compactMap { kind in
        plan.job(kind).map { (kind, JobShape($0, problem: plan.problem)) }
      })
  }

  /// Runs to the end. Whatever the end is, no worker is left and the state reached is written.
  func run(with runner: any JobRunner) throws -> FitService.Outcome {
    do {
      trace = try TraceWriter(path: folder.file("trace.csv"))
      try iterate(with: runner)
    } catch {
      let failure = describe(RunFailure(error))
      let seconds = Clock.now.seconds(since: start)
      runner.end(exitCode: failure.exitCode, message: failure.message)
      progress.finish(iteration: fit.iteration, seconds: seconds)
      if fit.iteration > 0 {
        _ = try? writeResults(runner.statistics, stoppedBy: failure.message, seconds: seconds)
      }
      throw failure
    }
    let seconds = Clock.now.seconds(since: start)
    runner.end(exitCode: ExitCode.done, message: "the fit is finished")
    progress.finish(iteration: fit.iteration, seconds: seconds)
    return try writeResults(
      runner.statistics, stoppedBy: "the number of iterations asked for", seconds: seconds)
  }

  /// The whole of a fit: job, sums, step; job, sums, step.
  private func iterate(with runner: any JobRunner) throws {
    var isFirst = true
    while let next = fit.next {
      guard let shape = shapes[next.kind] else {
        throw RunFailure(exitCode: ExitCode.software, message: "the plan has no job of kind \(next.kind)")
      }
      let job = Job(
        kind: next.kind.rawValue, iteration: next.iteration, state: JobState.encode(fit.mixture), shape: shape
      )
      let sums = try runner.run(job)
      // Time counts from the first result: before it, processes start and data are opened.
      if isFirst { start = Clock.now }
      isFirst = false
      let row = try fit.take(sums)
      let seconds = Clock.now.seconds(since: start)
      if let row {
        try trace?.append(row, seconds: seconds, workers: runner.statistics.workers)
        progress.evaluated(row, seconds: seconds)
      } else {
        progress.step(iteration: fit.iteration, seconds: seconds)
      }
    }
  }

  private func describe(_ failure: RunFailure) -> RunFailure {
    guard failure.exitCode == ExitCode.interrupted else { return failure }
    guard fit.iteration > 0 else {
      return RunFailure(exitCode: failure.exitCode, message: "\(failure.message) before the first step")
    }
    return RunFailure(
      exitCode: failure.exitCode,
      message: "\(failure.message) at iteration \(fit.iteration); "
        + "\(folder.file(FittedMixture.fileName)) holds the mixture as it stood")
  }

  private func writeResults(_ statistics: RunStatistics, stoppedBy: String, seconds: Double) throws
    -> FitService.Outcome
  {
    let problem = prepared.problem
    let family = problem.specification.model.family
    let standardization = problem.train.map { design in
      FittedMixture.Standardization(
        columns: design.manifest.statistics.features, means: design.manifest.statistics.means,
        standardDeviations: design.manifest.statistics.standardDeviations,
        classes: design.manifest.classes)
    }
    try folder.write(
      json: FittedMixture(
        fit.mixture, family: family, names: problem.target.parameterNames, iteration: fit.iteration,
        standardization: standardization), to: FittedMixture.fileName, pretty: false)
    let summary = Summary(
      stoppedBy: stoppedBy, iterations: fit.iteration, row: fit.lastRow, test: fit.testScores,
      seconds: seconds, workers: statistics.workers, lostWorkers: statistics.lostWorkers,
      bytesSent: statistics.bytesSent, bytesReceived: statistics.bytesReceived,
      stateSHA256: fit.stateDigest.description, warnings: warnings, version: Identity.version)
    try folder.write(json: summary, to: "summary.json")
    log.append(
      level: "info",
      "ended after \(fit.iteration) iterations and \(String(format: "%.3f", seconds)) s: \(stoppedBy)")
    return FitService.Outcome(
      summary: summary, output: folder.path, family: family, dimension: problem.target.dimension,
      components: fit.mixture.componentCount)
  }
}
