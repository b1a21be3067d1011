import ArgumentParser
import FitRuntime
import Foundation
import Reporting

struct FitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit", abstract: "Fit a posterior as a spec describes it.",
    discussion: """
      Starts its own worker processes, so one command is enough. The result does not depend on how many there \
      are. An earlier fit in the output folder is moved aside, never overwritten.

      With --require-convergence the exit code is 1 when the fit ended before its stopping rule found it converged; \
      its results are written all the same.

      EXAMPLE
        isomix fit cluster/examples/breast-cancer.yaml --output out --workers 2
        isomix fit flights.yaml --output out --set mixture.components=20 --seed 7
        isomix fit flights.yaml --output out --resume
        isomix fit flights.yaml --output out --require-convergence && isomix sample out > draws.csv
        isomix fit flights.yaml --output out --workers 0 --listen tcp://127.0.0.1:5555
        isomix fit flights.yaml --output out --listen tcp://0.0.0.0:5555 --keys ~/isomix-keys
        isomix fit flights.yaml --output out --listen tcp://0.0.0.0:5555 --keys ~/isomix-keys --set data.transport=stream
        isomix fit flights.yaml --output out --dashboard
        isomix fit flights.yaml --output out --dashboard 0.0.0.0:8090 --dashboard-token-file token
      """)

  @Argument(help: "The spec (YAML).", completion: .file(extensions: ["yaml", "yml"]))
  var spec: String

  @Option(name: .shortAndLong, help: "Folder for the results.", completion: .directory)
  var output: String

  @OptionGroup var workers: WorkerOptions

  @Option(
    help: """
      Take remote workers at ENDPOINT, for example tcp://127.0.0.1:5555, or with the name of a network interface \
      tcp://eth0:0 (port 0: any free one); repeatable.
      """)
  var listen: [String] = []

  @Option(
    help: "Key folder (see `isomix keys`): encrypt tcp endpoints, and take workers with known keys only.",
    completion: .directory)
  var keys: String?

  @Flag(help: "Allow --listen on addresses that other machines can reach, without authentication.")
  var insecure = false

  @Flag(help: "Accept workers whose CPU or libraries may give other bits.")
  var mixedNumerics = false

  @Flag(
    help: """
      Let every worker take part in every iteration, also where some would better rest: more of them than processors, or \
      iterations so short that messages take longer than computing.
      """)
  var noRest = false

  @Option(name: .customLong("set"), help: "Set a value of the spec by its dotted path; repeatable.")
  var overrides: [String] = []

  @Option(help: "Seed of all random numbers; the same as --set inference.seed=….")
  var seed: UInt64?

  @Option(help: "Seconds to wait for workers before giving up.")
  var workerTimeout: Double = 60

  @Option(help: "Seconds of silence after which a worker is lost and its work goes to others.")
  var silenceTimeout: Double = 15

  @Flag(
    help:
      "Go on with the interrupted fit in the output folder, to the same bits; any number of workers will do.")
  var resume = false

  @Flag(
    help: """
      Go on with the fit in the output folder if there is one, else begin it: for a service that starts the same \
      command again and again, as Kubernetes does.
      """)
  var resumeIfPossible = false

  @Flag(help: "Exit 1 when the fit has not converged; needs inference.stop: converged.")
  var requireConvergence = false

  @Option(help: "Seconds from one checkpoint to the next.")
  var checkpointInterval: Double = 30

  @Option(
    help: ArgumentHelp(
      "Folder for prepared data; workers on other hosts must see it, or data.transport be stream.",
      discussion: "Default: data.cache.folder of the spec, or $XDG_CACHE_HOME/isomix, or ~/.cache/isomix."))
  var cache: String?

  @Option(
    defaultAsFlag: DashboardAddress.standard,
    help: ArgumentHelp(
      "Serve a live page, /metrics and /status.json at HOST:PORT (default: a free port of 127.0.0.1).",
      discussion: "The address is printed. Others than loopback need a token, which is printed with it.",
      valueName: "host:port"))
  var dashboard: String?

  @Option(
    help: "File with the token that the dashboard's readers must give, instead of a random one.",
    completion: .file())
  var dashboardTokenFile: String?

  @Option(help: "auto, bar, plain, json or none.")
  var progress: ProgressStyle = .auto

  @Flag(help: "Stop as by SIGTERM when standard input closes: when the program that started this is gone.")
  var lifeline = false

  func validate() throws {
    guard workerTimeout > 0, workerTimeout <= 1e9 else {
      throw ValidationError("--worker-timeout must be a number of seconds from 0 to 1e9.")
    }
    guard silenceTimeout >= 2, silenceTimeout <= 86_400 else {
      throw ValidationError("--silence-timeout must be a number of seconds from 2 to 86400.")
    }
    guard dashboard != nil || dashboardTokenFile == nil else {
      throw ValidationError("--dashboard-token-file needs --dashboard.")
    }
    guard checkpointInterval >= 0, checkpointInterval.isFinite else {
      throw ValidationError("--checkpoint-interval must be a number of seconds.")
    }
  }

  func run() throws {
    try reportingFailures("fit") {
      var options = FitService.Options(specification: spec, output: output)
      options.overrides = overrides + (seed.map { ["inference.seed=\($0)"] } ?? [])
      options.workers = workers.workers
      options.threads = workers.threads
      options.listen = listen
      options.insecure = insecure
      options.keys = keys
      options.mixedNumerics = mixedNumerics
      options.employsAll = noRest
      options.workerTimeout_s = workerTimeout
      options.silenceTimeout_s = silenceTimeout
      options.cache = cache
      options.resume = resume || (resumeIfPossible && RunFolder.holdsFit(output))
      options.requireConvergence = requireConvergence
      options.checkpointInterval_s = checkpointInterval
      options.progress = progress
      options.lifeline = lifeline
      options.dashboard = try dashboard.map { try DashboardAddress($0) }
      options.dashboardTokenFile = dashboardTokenFile
      let outcome = try FitService(options).run()
      if progress == .json {
        try printJSON(SummaryEvent(summary: outcome.summary), pretty: false)
      } else if progress != .none {
        try printOut(FitCommand.describe(outcome))
      }
      try checkConvergence(of: outcome.summary)
    }
  }

  /// - Throws: exit code 1 after a sentence, when convergence is required and was not reached.
  private func checkConvergence(of summary: Summary) throws {
    guard requireConvergence, summary.converged != true else { return }
    let ending = FitDiagnosis.ending(summary.stoppedBy, converged: summary.converged)
    try? StandardStream.error.write("isomix fit: \(ending) (--require-convergence)\n")
    throw ExitCode.requirementMissed
  }

  /// The printed summary.
  static func describe(_ outcome: FitService.Outcome) -> String {
    let summary = outcome.summary
    let rate = summary.seconds > 0 ? Double(summary.iterations) / summary.seconds : 0
    var lines = [
      "Fitted \(outcome.family) (dimension \(outcome.dimension)) with \(outcome.components) component(s): "
        + "\(summary.iterations) iterations in \(String(format: "%.2f", summary.seconds)) s "
        + "(\(String(format: rate >= 10 ? "%.0f" : "%.2f", rate))/s), \(summary.workers) worker(s)."
    ]
    if let elbo = summary.elbo, let error = summary.elboStandardError {
      lines.append(String(format: "ELBO  %.3f ± %.3f nats (standard error)", elbo, error))
    }
    if let kl = summary.kl, let error = summary.elboStandardError {
      lines.append(String(format: "KL    %.4f ± %.4f nats", kl, error))
    }
    if let test = summary.test {
      var parts = ["\(test.rows) rows"]
      if let accuracy = test.accuracy { parts.append(String(format: "accuracy %.4f", accuracy)) }
      if let rmse = test.rmse { parts.append(String(format: "RMSE %.4g", rmse)) }
      parts.append(String(format: "mean log predictive density %.4f", test.logPredictiveDensity))
      lines.append("Test  " + parts.joined(separator: ", "))
    }
    lines.append("End   " + FitDiagnosis.ending(summary.stoppedBy, converged: summary.converged))
    if let verdict = summary.verdict { lines.append("Fit   " + verdict) }
    lines.append("state_sha256 \(summary.stateSHA256)")
    lines.append("Results are in \(outcome.output): mixture.json, fit.nc, summary.json, trace.csv")
    return lines.joined(separator: "\n")
  }
}

extension ProgressStyle: ExpressibleByArgument {}

/// The last line of `--progress json`.
private struct SummaryEvent: Encodable {
  let event = "summary"
  let summary: Summary
}

/// Options that say how many processes and threads compute.
struct WorkerOptions: ParsableArguments {
  @Option(
    help: """
      Local worker processes (default: as many as the cores that this process may use have room for; 1 works in this \
      process; 0: remote ones only).
      """)
  var workers: Int?

  @Option(help: "Compute threads of each local worker.")
  var threads: Int = 1

  func validate() throws {
    if let workers, !(0...1024).contains(workers) {
      throw ValidationError("--workers must be from 0 to 1024.")
    }
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024.") }
  }
}
