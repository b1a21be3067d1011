import ArgumentParser
import FitRuntime

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Join a running fit and compute for it.",
    discussion: """
      A worker outlives its fit's coordinator: when that is interrupted or killed and resumed at the same endpoint \
      (or under the same rendezvous file), the worker joins it again by itself. SIGTERM and Ctrl-C make it finish \
      or hand back its work, leave, and exit 0 (or --code-when-stopped); the fit goes on without it.

      EXAMPLE
        isomix worker --connect tcp://127.0.0.1:5555 --threads 2
        isomix worker --rendezvous out/rendezvous.json
        isomix worker --connect tcp://node7:5555 --keys ~/isomix-keys
        isomix worker --rendezvous out/rendezvous.json --processes auto
      """)

  @Option(help: "The fit's endpoint, as its --listen says.")
  var connect: String?

  @Option(help: "A fit's rendezvous.json; waited for if it is not there yet.", completion: .file())
  var rendezvous: String?

  @Option(
    help: "Seconds to wait for the fit: at the start, and when it is gone and may be resumed; then exit 69.")
  var wait: Double = 300

  @Option(
    help: """
      Key folder (see `isomix keys`), for a fit that was started with --keys; or -, to read two lines from standard \
      input: coordinator.public and worker.secret.
      """, completion: .directory)
  var keys: String?

  @Option(help: "Which of the folder's workers this is: NAME.secret.")
  var keyName: String = "worker"

  @Option(
    help: ArgumentHelp(
      "Folder for data that come from the coordinator (data.transport: stream).",
      discussion: "Default: data.cache.folder of the spec, or $XDG_CACHE_HOME/isomix, or ~/.cache/isomix."),
    completion: .directory)
  var cache: String?

  @Option(help: "Compute threads of each process.")
  var threads: Int = 1

  @Option(
    help: """
      Exit code after SIGTERM or Ctrl-C. A service that starts another worker for one that failed, as a Kubernetes \
      Job does, needs one that is not 0.
      """)
  var codeWhenStopped: Int32 = 0

  @Option(
    help: "Worker processes, started again when they crash; auto: as many as the cores given to this one.")
  var processes: ProcessCount = .number(1)

  @Flag(
    help:
      "Leave when standard input closes: when the ssh connection, or the program, that started this is gone.")
  var lifeline = false

  @Option(help: .hidden)
  var parentProcess: Int?

  func validate() throws {
    guard (connect == nil) != (rendezvous == nil) else {
      throw ValidationError("Give either --connect ENDPOINT or --rendezvous FILE.")
    }
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024.") }
    guard (0...125).contains(codeWhenStopped) else {
      throw ValidationError("--code-when-stopped must be from 0 to 125.")
    }
    guard wait >= 0, wait < 1e6 else { throw ValidationError("--wait must be a number of seconds.") }
  }

  func run() throws {
    try reportingFailures("worker") {
      if let connect { try Endpoint.check(connect) }
      let number = processes.number(threads: threads)
      let code = try number == 1 ? work() : lead(number)
      if code != 0 { throw ExitCode(code) }
    }
  }

  /// Works in this process.
  private func work() throws -> Int32 {
    let security = try keys.map { keys in
      try keys == "-"
        ? KeyFolder.worker(coordinator: Lifeline.readLine(), secret: Lifeline.readLine())
        : KeyFolder.worker(keys, name: keyName)
    }
    if lifeline { WorkerService.watchLifeline() }
    if let rendezvous { try Rendezvous.await(rendezvous, wait_s: wait) }
    let target = connect.map { WorkerService.Target.endpoint($0) } ?? .rendezvous(rendezvous ?? "")
    return try WorkerService.run(
      WorkerService.Options(
        target: target, threads: threads, parent: parentProcess, wait_s: wait, security: security,
        cache: cache,
        codeWhenStopped: codeWhenStopped))
  }

  /// Starts processes that work.
  private func lead(_ number: Int) throws -> Int32 {
    var arguments = [
      "worker", "--threads", "\(threads)", "--wait", "\(wait)", "--key-name", keyName, "--code-when-stopped",
      "\(codeWhenStopped)",
    ]
    if let connect { arguments += ["--connect", connect] }
    if let rendezvous { arguments += ["--rendezvous", rendezvous] }
    if let keys { arguments += ["--keys", keys] }
    if let cache { arguments += ["--cache", cache] }
    let lines = try keys == "-" ? [Lifeline.readLine(), Lifeline.readLine()] : []
    return try WorkerPool.run(
      WorkerPool.Options(
        processes: number, arguments: arguments, input: lines.map { $0 + "\n" }.joined(), lifeline: lifeline))
  }
}

/// A number of worker processes, or as many as fit.
enum ProcessCount: ExpressibleByArgument, Equatable {
  case number(Int)
  case auto

  private static let most = 1024

  init?(argument: String) {
    if argument == "auto" {
      self = .auto
    } else {
      guard let number = Int(argument), (1...ProcessCount.most).contains(number) else { return nil }
      self = .number(number)
    }
  }

  var defaultValueDescription: String {
    switch self {
    case .number(let number): "\(number)"
    case .auto: "auto"
    }
  }

  func number(threads: Int) -> Int {
    switch self {
    case .number(let number): number
    case .auto: Allocation.current().workers(threads: threads)
    }
  }
}
