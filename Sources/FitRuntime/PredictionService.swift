import Coordination
import Datasets
import Foundation
import Inference
import NumericsKit
import Posteriors
import Reporting
import Specification
import Wire

/// Predicts the rows of new data with a finished fit, over worker processes, and writes them as they come.
public final class PredictionService {
  public struct Options: Sendable {
    /// The fit's folder.
    public var fit: String
    /// Files, globs or one imported folder.
    public var data: [String]
    /// An NPY file with the responses beside NPY features.
    public var responseFile: String?
    /// Nil: standard output.
    public var output: String?
    public var format = PredictionFormat.csv
    public var quantity = RowPrediction.Quantity.response
    public var quantiles = [0.05, 0.5, 0.95]
    /// Nil: as many as are useful, none where the model allows it.
    public var draws: Int?
    public var seed: UInt64 = 1
    /// Whether responses, where there are some, are compared with the predictions.
    public var scores = true
    /// Whether data without responses are an error.
    public var requiresScores = false
    /// Local worker processes; nil or one: this process alone.
    public var workers: Int?
    /// Compute threads of each process; nil: one, but one a core where `workers` is nil, too.
    public var threads: Int?
    /// Folder where prepared data stay; nil: they are removed at the end.
    public var cache: String?
    /// Told what takes time.
    public var progress: @Sendable (String) -> Void = { _ in }

    public init(fit: String, data: [String]) {
      self.fit = fit
      self.data = data
    }
  }

  /// What was done.
  public struct Outcome: Sendable, Encodable {
    public var family: String
    public var rows: Int
    public var columns: [String]
    /// Draws from the mixture; nil when predictions were integrated without.
    public var draws: Int?
    public var scores: PredictionScores?
    public var seconds: Double
    public var workers: Int
  }

  private let options: Options
  private let interruption: Interruption
  private let identity: Identity

  /// Prepares this process: signals first, before any thread is started.
  public init(_ options: Options) throws {
    self.options = options
    interruption = Interruption(try Signals(Interruption.signals))
    identity = try Identity.measure(isAlone: (options.workers ?? 1) <= 1)
  }

  /// Predicts all rows.
  /// - Throws: ``RunFailure`` with a message and an exit code.
  public func run() throws -> Outcome {
    do {
      return try predict()
    } catch {
      throw RunFailure(error)
    }
  }

  private func predict() throws -> Outcome {
    let start = Clock.now
    let model = try FittedModel(options.fit)
    guard let response = model.target.predictedResponse, let statistics = model.statistics else {
      throw RuntimeError(
        "\(options.fit): family \(model.mixture.family) predicts nothing, because it has no response",
        exitCode: ExitCode.badData)
    }
    try checkOutput()
    let cache = try WorkingCache(kept: options.cache, default: FitService.defaultCache())
    defer { cache.remove() }
    let source = DataSpecification.Source(paths: options.data, responseFile: options.responseFile)
    let prediction = RowPrediction(
      quantity: options.quantity, quantiles: options.quantiles.sorted(), draws: options.draws,
      hasResponses: try hasResponses(model, source))
    let setup = try Signals.ending(
      with: ExitCode.interrupted,
      "isomix predict: interrupted while the data were prepared; start it again with the same command"
    ) {
      try ProblemBuilder(cacheFolder: cache.path, progress: options.progress).build(
        predicting: source, with: model.specification, components: model.mixture.components,
        metric: model.mixture.coordinates().kind, statistics: statistics, target: model.target,
        prediction: prediction, seed: options.seed, streamedInto: cache.streamFolder)
    }
    let problem = try Problem(setup)
    guard let plan = setup.plan.rows, let prediction = setup.prediction,
      let layout = prediction.layout(response)
    else { throw RuntimeError("the plan has no rows to predict", exitCode: ExitCode.software) }
    var classes = statistics.classes
    if case .classes(let names) = response, classes.count != names.count { classes = names }
    let columns = PredictionColumns(prediction, layout: layout, classes: classes)
    let rows = setup.plan.problem.testRows
    let file = try PredictionFile(
      columns, format: options.format, path: options.output, rows: rows, threads: Allocation.current().cores)
    let sink = PredictionSink(file, columns)
    do {
      let workers = try evaluate(setup, problem, plan, model, into: sink)
      let scores = try sink.finish()
      return Outcome(
        family: model.mixture.family, rows: rows, columns: columns.names, draws: prediction.draws,
        scores: scores, seconds: Clock.now.seconds(since: start), workers: workers)
    } catch {
      sink.discard()
      throw error
    }
  }

  /// Has all rows computed, a job after the other; the sink gets the numbers of each job's rows in order.
  private func evaluate(
    _ setup: FitSetup, _ problem: Problem, _ plan: JobPlan, _ model: FittedModel, into sink: PredictionSink
  ) throws -> Int {
    let runner = try makeRunner(setup, problem)
    do {
      let start = try model.mixture.inner()
      let state = JobState.encode(start.mixture, factors: model.mixture.fullMixture?.factors ?? [])
      let context =
        start.metric.isUnit ? nil : SharedContext(number: 1, bytes: JobContext.encode(start.metric))
      let costs = CostModel(setup.plan.problem)
      let rows = setup.plan.problem.testRows
      for job in 0..<plan.jobs(rows: rows) {
        let here = plan.rows(ofJob: job, of: rows)
        let blocks = (here.count + plan.rowsPerTile - 1) / plan.rowsPerTile
        let shape = JobShape(
          blocks: (0..<blocks).map { JobShape.Block(tileCount: 1, width: plan.width(ofBlock: $0)) },
          costs: (0..<blocks).map { costs.cost(of: plan.tile(block: $0, leaf: 0), kind: .rows) })
        let sums = try runner.run(
          Job(kind: JobKind.rows.rawValue, iteration: job, state: state, context: context, shape: shape))
        var numbers: [Double] = []
        numbers.reserveCapacity(blocks * plan.rowsPerTile * plan.unitWidth)
        for sum in sums { numbers.append(contentsOf: sum) }
        numbers.removeLast(numbers.count - here.count * plan.unitWidth)
        try sink.append(numbers)
      }
    } catch is OutputFile.ReaderGone {
      // Whoever read the predictions has read enough.
    } catch {
      let failure = RunFailure(error)
      runner.end(exitCode: failure.exitCode, message: failure.message)
      throw failure
    }
    let workers = runner.statistics.workers
    runner.end(exitCode: ExitCode.done, message: "all rows are predicted")
    return workers
  }

  private func makeRunner(_ setup: FitSetup, _ problem: Problem) throws -> any JobRunner {
    let bytes = try setup.encoded()
    // Without a wish, threads of this process: they need no copies of the predictions.
    let local = options.workers ?? 1
    let threads = options.threads ?? (options.workers == nil ? Allocation.current().cores : 1)
    let configuration = Coordinator.Configuration(
      run: RunID(bytes: [UInt8](repeating: 0, count: RunID.byteCount)), epoch: 1, version: Identity.version,
      build: identity.build, fingerprint: identity.fingerprint.digest, numerics: identity.numerics,
      setup: bytes, setupDigest: Digest.of(bytes).description, dataDigest: setup.dataDigest,
      mixedNumerics: false, workersToStart: local, workerTimeout_ms: 60_000)
    let progress = options.progress
    let log: (LogLevel, String) -> Void = { level, text in
      if level != .info { progress("\(level.rawValue): \(text)") }
    }
    guard local > 1 else {
      return try InProcessRunner(
        configuration: configuration, setup: setup, problem: problem, threads: threads,
        identity: identity, interruption: interruption, log: log)
    }
    return try DistributedRunner(
      configuration: configuration, localWorkers: local, threads: threads, listen: [],
      interruption: interruption, log: log)
  }

  /// Whether the data have the response's column, and it is wanted.
  private func hasResponses(_ model: FittedModel, _ source: DataSpecification.Source) throws -> Bool {
    guard options.scores, let response = model.specification.model.response else { return false }
    let names = try DataSource(paths: source.paths, responseFile: source.responseFile).columnNames()
    guard options.requiresScores, !names.contains(response) else {
      return names.contains(response)
    }
    throw RuntimeError(
      "\(options.data.joined(separator: ", ")): has no column '\(response)', the response to score with",
      exitCode: ExitCode.badData)
  }

  /// Refuses an output that is one of the inputs.
  private func checkOutput() throws {
    guard let output = options.output else { return }
    var place = stat()
    guard stat(output, &place) == 0 else { return }
    guard place.st_mode & S_IFMT != S_IFDIR else {
      throw RuntimeError("--output \(output) is a folder: give a file", exitCode: ExitCode.cannotCreate)
    }
    for path in options.data {
      var input = stat()
      guard stat(path, &input) == 0, input.st_ino == place.st_ino, input.st_dev == place.st_dev else {
        continue
      }
      throw RuntimeError("--output \(output) is the file with the data", exitCode: ExitCode.usage)
    }
  }
}

/// The folder of prepared data: one that stays, or one that is removed at the end.
private struct WorkingCache {
  let path: String
  private let isKept: Bool

  private static let oldest_s = 86_400.0

  init(kept: String?, default folder: String) throws {
    isKept = kept != nil
    path = kept ?? "\(folder)/predictions/\(UUID().uuidString)"
    if kept == nil { WorkingCache.removeLeftovers(in: "\(folder)/predictions") }
  }

  /// Removes what commands that were killed left a day ago or more.
  private static func removeLeftovers(in folder: String) {
    let files = FileManager.default
    for name in (try? files.contentsOfDirectory(atPath: folder)) ?? [] {
      let attributes = try? files.attributesOfItem(atPath: "\(folder)/\(name)")
      guard let changed = attributes?[.modificationDate] as? Date,
        Date().timeIntervalSince(changed) > oldest_s
      else { continue }
      try? files.removeItem(atPath: "\(folder)/\(name)")
    }
  }

  /// Where rows go that need no import; nil when prepared data are to stay.
  var streamFolder: String? { isKept ? nil : path + "/rows" }

  func remove() {
    if !isKept { try? FileManager.default.removeItem(atPath: path) }
  }
}
