import ArgumentParser
import FitRuntime

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Join a running fit and compute for it.",
    discussion: """
      EXAMPLE
        isomix worker --connect tcp://127.0.0.1:5555 --threads 2
        isomix worker --rendezvous out/rendezvous.json
      """)

  @Option(help: "The fit's endpoint, as its --listen says.")
  var connect: String?

  @Option(help: "A fit's rendezvous.json; waited for if it is not there yet.", completion: .file())
  var rendezvous: String?

  @Option(help: "Seconds to wait for the rendezvous file.")
  var wait: Double = 60

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
      let endpoint = try connect ?? Rendezvous.endpoint(from: rendezvous ?? "", wait_s: wait)
      let code = try WorkerService.run(
        WorkerService.Options(endpoint: endpoint, threads: threads, parent: parentProcess))
      if code != 0 { throw ExitCode(code) }
    }
  }
}
