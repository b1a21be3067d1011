import Coordination
import Datasets
import Foundation
import Glibc
import Inference
import NumericsKit
import Reporting
import Specification
import StanModels
import Wire
import ZeroMQTransport

/// Runs a fit from its spec to its results.
public final class FitService {
  public struct Options: Sendable {
    public var specification: String
    public var overrides: [String] = []
    public var output: String
    /// Local worker processes; nil: as many as the cores of this process's ``Allocation`` have room for.
    public var workers: Int?
    public var threads = 1
    public var listen: [String] = []
    public var insecure = false
    /// The key folder: with it every tcp endpoint is encrypted, and takes known workers only.
    public var keys: String?
    public var mixedNumerics = false
    /// Whether every worker takes part in every iteration, also where some would better rest.
    public var employsAll = false
    /// Whether even one worker is a process of its own.
    public var separatesWorkers = false
    public var workerTimeout_s = 60.0
    /// After how much silence a worker is lost.
    public var silenceTimeout_s = Double(CoordinationLimits.silenceLimit_ms) / 1000
    public var cache: String?
    /// Go on with the fit in the output folder.
    public var resume = false
    /// The fit must have a stopping rule, because its caller asks whether it has converged.
    public var requireConvergence = false
    /// Seconds from one checkpoint to the next.
    public var checkpointInterval_s = 30.0
    public var progress = ProgressStyle.auto
    /// Stop when standard input closes.
    public var lifeline = false
    /// Where a dashboard is served; nil: nowhere.
    public var dashboard: DashboardAddress?
    /// The file with the token that the dashboard's readers must have.
    public var dashboardTokenFile: String?

    public init(specification: String, output: String) {
      self.specification = specification
      self.output = output
    }
  }

  /// What a finished fit has to show.
  public struct Outcome: Sendable {
    public var summary: Summary
    public var output: String
    public var family: String
    public var dimension: Int
    public var components: Int
  }

  private let options: Options
  private let allocation = Allocation.current()
  private let interruption: Interruption
  private let identity: Identity
  private var warnings: [String] = []
  private var security: CoordinatorSecurity?
  /// Tells others where the fit is.
  private var live: LiveReporter?

  /// Prepares this process: signals first, before any thread is started.
  public init(_ options: Options) throws {
    self.options = options
    interruption = Interruption(try Signals(Interruption.signals))
    if options.lifeline { Lifeline.watch(patience_s: nil) }
    try FitService.reserveDescriptors(
      workers: options.workers ?? allocation.workers(threads: options.threads))
    identity = try Identity.measure()
  }

  /// Makes room for connections: libzmq ends the process when descriptors run out.
  static func reserveDescriptors(workers: Int) throws {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let needed = descriptorsBesides + descriptorsPerWorker * workers
    guard limit.rlim_cur >= UInt64(needed) else {
      throw RuntimeError(
        "\(workers) workers need \(needed) open files, and this process may have \(limit.rlim_cur): raise the limit "
          + "(ulimit -n) or start fewer workers", exitCode: ExitCode.usage)
    }
  }

  private static let warningMark = "warning: "
  private static let descriptorsBesides = 64
  private static let descriptorsPerWorker = 3

  /// Runs the fit.
  /// - Throws: ``RunFailure`` with a message and an exit code.
  public func run() throws -> Outcome {
    do {
      let outcome = try fit()
      live?.finished(outcome.summary)
      return outcome
    } catch {
      let failure = RunFailure(error)
      live?.failed(failure)
      throw failure
    }
  }

  private func fit() throws -> Outcome {
    try checkEndpoints()
    let specification = try FitService.read(options.specification, overrides: options.overrides)
    guard !options.requireConvergence || specification.inference.stop == .converged else {
      throw RuntimeError(
        "--require-convergence needs a stopping rule, and this spec runs all its iterations without one: set "
          + "inference.stop: converged (or --set inference.stop=converged)", exitCode: ExitCode.usage)
    }
    let progress = ProgressReporter(
      style: options.progress, iterations: specification.inference.iterations)
    let protected =
      [options.specification, FileManager.default.currentDirectoryPath]
      + [specification.data?.train, specification.data?.test].compactMap { $0 }.flatMap(\.paths)
    try RunFolder.check(path: options.output, resuming: options.resume, protecting: protected)
    let live = LiveReporter(
      specification, output: options.output, identity: identity, dashboard: try openDashboard(progress))
    self.live = live
    // The folder is taken over only when there is a fit to put into it.
    let prepared = try prepare(specification, progress: progress)
    let folder = try RunFolder(path: options.output, resuming: options.resume, protecting: protected)
    let log = try RunLog(path: folder.file("log.jsonl"), resuming: options.resume)
    if let previous = folder.previous { progress.note("an earlier fit was moved to \(previous)") }
    log.append(level: "info", "isomix \(Identity.version) (build \(identity.build)) on \(identity.host)")
    if let text = prepared.problem.train?.manifest.sparseDescription { log.append(level: "info", text) }
    do {
      let store = CheckpointStore(runFolder: folder.path)
      let origin = try Checkpoint.Origin(prepared.setup)
      let checkpoint = try options.resume ? resumable(store, origin, log, progress) : nil
      let id = RunIdentity(in: folder, resuming: options.resume)
      live.begin(folder: folder, run: id.run.description, problem: prepared.problem)
      try folder.write(prepared.setup.specification, to: "spec.yaml")
      try folder.write(
        json: PlanDocument(run: id.run, setup: prepared.setup, identity: identity), to: PlanDocument.fileName)
      let run = try FitRun(
        prepared: prepared, folder: folder, log: log, progress: progress, interruption: interruption,
        warnings: warnings,
        checkpoints: Checkpointer(
          store: store, origin: origin, build: identity.build, interval_s: options.checkpointInterval_s),
        resuming: checkpoint, live: live)
      return try run.run(
        with: makeRunner(prepared, run: id.run, folder: folder, log: log, progress: progress))
    } catch {
      let failure = RunFailure(error)
      log.append(level: "error", "\(failure.message) (exit \(failure.exitCode))")
      throw failure
    }
  }

  /// Starts the dashboard's process, if one is wanted, and says where the page is.
  private func openDashboard(_ progress: ProgressReporter) throws -> DashboardProcess? {
    guard let address = options.dashboard else { return nil }
    let token =
      try options.dashboardTokenFile.map { try DashboardToken.read($0) }
      ?? (address.isLoopback ? nil : DashboardToken.random())
    let dashboard = try DashboardProcess(address, token: token)
    // The token of a file is known to whoever made the file, and need not stand in a job's output.
    let isShown = options.dashboardTokenFile == nil
    progress.note(
      "dashboard: \(isShown ? dashboard.fullURL : dashboard.url)"
        + (isShown ? "" : "?token=… (of the token file)"))
    return dashboard
  }

  /// The checkpoint to go on from; nil when the fit was interrupted before there was one.
  /// - Throws: ``RuntimeError`` when what is asked for is another fit than the one in the folder.
  private func resumable(
    _ store: CheckpointStore, _ origin: Checkpoint.Origin, _ log: RunLog, _ progress: ProgressReporter
  ) throws -> Checkpoint? {
    let (checkpoint, refused) = store.newest()
    for message in refused {
      log.append(level: "warning", message)
      progress.note("warning: \(message)")
    }
    guard let checkpoint else {
      // To begin again is the user's decision when there was something to go on from.
      if let reason = refused.first {
        throw RuntimeError(
          "can't resume the fit in \(options.output): \(reason)"
            + (refused.count > 1 ? " (nor is any older one)" : "")
            + ". Start anew without --resume; the earlier fit is then moved aside", exitCode: ExitCode.badData
        )
      }
      progress.note("there is no checkpoint in \(store.folder): the fit starts from the beginning")
      return nil
    }
    let theirs = checkpoint.header.origin
    let difference =
      theirs.specification != origin.specification
      ? "the spec is another one (compare \(options.output)/spec.yaml)"
      : theirs.data != origin.data
        ? "the data are others"
        : theirs.plan != origin.plan ? "this version cuts the work in another way" : nil
    if let difference {
      throw RuntimeError(
        "can't resume the fit in \(options.output): \(difference). Start anew without --resume; the earlier fit "
          + "is then moved aside", exitCode: ExitCode.badData)
    }
    if checkpoint.header.build != identity.build {
      warnings.append(
        "resumed by another build (\(identity.build)) than wrote the checkpoint (\(checkpoint.header.build)): the "
          + "bits may differ")
    }
    progress.note("going on from iteration \(checkpoint.header.course.iteration)")
    log.append(level: "info", "resumed from iteration \(checkpoint.header.course.iteration)")
    return checkpoint
  }

  /// Reads a spec file.
  public static func read(_ path: String, overrides: [String]) throws -> FitSpecification {
    guard let data = FileManager.default.contents(atPath: path) else {
      let exists = FileManager.default.fileExists(atPath: path)
      throw RuntimeError(
        exists
          ? "the spec \(path) can't be read: is it a file that you may read?" : "there is no spec at \(path)",
        exitCode: ExitCode.noInput)
    }
    guard let yaml = String(data: data, encoding: .utf8) else {
      throw SpecificationError("\(path): the spec is not UTF-8 text")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    return try FitSpecification(yaml: yaml, source: path, folder: folder, overrides: overrides)
  }

  private func checkEndpoints() throws {
    if let keys = options.keys {
      guard options.listen.contains(where: { $0.hasPrefix("tcp://") }) else {
        throw RuntimeError(
          "--keys is for tcp endpoints: give --listen tcp://HOST:PORT, or leave --keys away",
          exitCode: ExitCode.usage)
      }
      security = try KeyFolder.coordinator(keys)
    }
    for endpoint in options.listen {
      try Endpoint.check(endpoint)
      if Endpoint.isLocal(endpoint) || security != nil { continue }
      guard options.insecure else {
        throw RuntimeError(
          "\(endpoint) can be reached from other machines: give --keys DIR (made by `isomix keys new DIR`) to encrypt "
            + "connections and to take known workers only, listen on 127.0.0.1, or give --insecure on a network where "
            + "you trust everybody",
          exitCode: ExitCode.usage)
      }
      warnings.append(
        "\(endpoint) takes workers from other machines without encryption and authentication (--insecure)")
    }
    if options.workers == 0, options.listen.isEmpty {
      throw RuntimeError(
        "--workers 0 needs --listen ENDPOINT, where remote workers can join", exitCode: ExitCode.usage)
    }
  }

  /// Imports data and makes the plan.
  private func prepare(_ specification: FitSpecification, progress: ProgressReporter) throws -> PreparedFit {
    let builder = ProblemBuilder(
      cacheFolder: FitService.cache(options.cache, of: specification.data),
      progress: { [self] text in
        // Warnings are said when the fit begins, and kept in its summary.
        guard text.hasPrefix(FitService.warningMark) else { return progress.note(text) }
        warnings.append(String(text.dropFirst(FitService.warningMark.count)))
      })
    // An import appears whole or not at all, so that it can be broken off anywhere.
    let setup = try Signals.ending(
      with: ExitCode.interrupted,
      "isomix fit: interrupted while the data were prepared; start it again with the same command"
    ) { try builder.build(specification) }
    if let text = setup.plan.gradient.batchDescription { progress.note(text) }
    let problem = try Problem(setup)
    if let text = problem.train?.manifest.sparseDescription { progress.note(text) }
    return PreparedFit(
      setup: setup, bytes: try setup.encoded(), problem: problem,
      start: try start(of: setup, specification))
  }

  /// The earlier fit that a spec starts from, as it was when the set-up was made.
  private func start(of setup: FitSetup, _ specification: FitSpecification) throws -> StartingMixture? {
    guard let digest = setup.start, case .file(let path) = specification.mixture.initial else { return nil }
    let fitted = try FittedMixture.read(path)
    guard try StartingMixture.digest(at: path) == digest else {
      throw RuntimeError("\(path) is being changed while the fit starts from it", exitCode: ExitCode.badData)
    }
    return try fitted.start()
  }

  /// The folder of prepared data: what the command says, or the spec, or the usual one.
  static func cache(_ option: String?, of data: DataSpecification?) -> String {
    option ?? data?.cache?.folder ?? defaultCache()
  }

  /// `$XDG_CACHE_HOME/isomix`, or `~/.cache/isomix`.
  public static func defaultCache() -> String {
    let environment = ProcessInfo.processInfo.environment
    if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") { return base + "/isomix" }
    return NSHomeDirectory() + "/.cache/isomix"
  }

  private func makeRunner(
    _ prepared: PreparedFit, run: RunID, folder: RunFolder, log: RunLog, progress: ProgressReporter
  ) throws -> any JobRunner {
    let local = options.workers ?? allocation.workers(threads: options.threads)
    // A crash of somebody else's code must end a worker, not the run.
    let isInProcess =
      local == 1 && !options.separatesWorkers && options.listen.isEmpty
      && !prepared.problem.specification.model.isForeign
    var configuration = Coordinator.Configuration(
      run: run,
      epoch: UInt64(Date().timeIntervalSince1970 * 1000), version: Identity.version,
      build: identity.build, fingerprint: identity.fingerprint.digest, numerics: identity.numerics,
      setup: prepared.bytes, setupDigest: Digest.of(prepared.bytes).description,
      dataDigest: prepared.setup.dataDigest, mixedNumerics: options.mixedNumerics,
      workersToStart: isInProcess ? 1 : max(1, local),
      workerTimeout_ms: Int(options.workerTimeout_s * 1000),
      silenceLimit_ms: Int(options.silenceTimeout_s * 1000))
    configuration.gathersSums = true
    configuration.employsAll = options.employsAll || Allocation.letsNobodyRest
    var throttle = LogThrottle(now: Clock.now)
    let note: (LogLevel, String) -> Void = { level, text in
      for message in throttle.pass(text, now: Clock.now) {
        log.append(level: level.rawValue, message)
        if level != .info { progress.note("\(level.rawValue): \(message)") }
      }
    }
    for warning in warnings { note(.warning, warning) }
    for line in StanConsole.shared.takeLines() { note(.info, "the model printed: \(line)") }
    if let nodes = allocation.nodes, nodes > 1, options.listen.isEmpty {
      progress.note(
        "this Slurm job has \(nodes) nodes, and this fit works on one: `isomix launch slurm` uses them all")
    }
    if isInProcess {
      return try InProcessRunner(
        configuration: configuration, setup: prepared.setup, problem: prepared.problem,
        threads: options.threads, identity: identity, interruption: interruption, log: note)
    }
    let isStreamed = prepared.problem.specification.data?.transport == .stream
    let runner = try DistributedRunner(
      configuration: configuration, localWorkers: local, threads: options.threads,
      listen: try options.listen.map(Endpoint.resolved), security: security,
      shards: isStreamed ? try ShardCatalogue(folders: prepared.setup.designs.map(\.folder)) : nil,
      interruption: interruption, log: note)
    if !options.listen.isEmpty {
      let endpoints = runner.endpoints.map(Endpoint.advertised)
      try folder.write(
        json: Rendezvous(
          run: configuration.run.description, endpoints: endpoints, host: identity.host,
          processID: Int(getpid()), version: Identity.version), to: Rendezvous.fileName)
      progress.note(
        "workers can join with: isomix worker --connect \(endpoints.joined(separator: " or "))"
          + (security == nil ? "" : " --keys DIR"))
    }
    return runner
  }
}

/// A fit whose data are prepared and whose plan is made.
struct PreparedFit: Sendable {
  let setup: FitSetup
  /// The set-up as workers get it.
  let bytes: [UInt8]
  let problem: Problem
  /// The mixture of an earlier fit to start from.
  let start: StartingMixture?
}
