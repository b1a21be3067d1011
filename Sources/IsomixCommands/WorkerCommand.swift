import ArgumentParser
import FitRuntime

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Join a running fit and compute for it.",
    discussion: """
      A worker outlives its fit's coordinator: when that is interrupted or killed and resumed at the same endpoint \
      (or under the same rendezvous file), the worker joins it again by itself. SIGTERM and Ctrl-C make it finish \
      or hand back its work, leave, and exit 0; the fit goes on without it.

      EXAMPLE
        isomix worker --connect tcp://127.0.0.1:5555 --threads 2
        isomix worker --rendezvous out/rendezvous.json
        isomix worker --connect tcp://node7:5555 --keys ~/isomix-keys
      """)

  @Option(help: "The fit's endpoint, as its --listen says.")
  var connect: String?

  @Option(help: "A fit's rendezvous.json; waited for if it is not there yet.", completion: .file())
  var rendezvous: String?

  @Option(
    help: "Seconds to wait for the fit: at the start, and when it is gone and may be resumed; then exit 69.")
  var wait: Double = 300

  @Option(
    help: "Key folder (see `isomix keys`), for a fit that was started with --keys.", completion: .directory)
  var keys: String?

  @Option(help: "Which of the folder's workers this is: NAME.secret.")
  var keyName: String = "worker"

  @Option(help: "Compute threads.")
  var threads: Int = 1

  @Option(help: .hidden)
  var parentProcess: Int?

  func validate() throws {
    guard (connect == nil) != (rendezvous == nil) else {
      throw ValidationError("Give either --connect ENDPOINT or --rendezvous FILE.")
    }
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024.") }
    guard wait >= 0, wait < 1e6 else { throw ValidationError("--wait must be a number of seconds.") }
  }

  func run() throws {
    try reportingFailures("worker") {
      if let connect { try Endpoint.check(connect) }
      if let rendezvous { try Rendezvous.await(rendezvous, wait_s: wait) }
      let target = connect.map { WorkerService.Target.endpoint($0) } ?? .rendezvous(rendezvous ?? "")
      let security = try keys.map { try KeyFolder.worker($0, name: keyName) }
      let code = try WorkerService.run(
        WorkerService.Options(
          target: target, threads: threads, parent: parentProcess, wait_s: wait, security: security))
      if code != 0 { throw ExitCode(code) }
    }
  }
}
