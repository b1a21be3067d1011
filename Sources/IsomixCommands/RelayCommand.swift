import ArgumentParser
import FitRuntime

struct RelayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay", abstract: "Stand between a fit and the workers of a rack or node.",
    discussion: """
      A relay is one worker to the fit's coordinator, with the threads of all workers that join behind it, and a \
      coordinator to them: set-up and state come to it once, work is split among its workers, and one sum for each part \
      goes back. So the coordinator's traffic depends on the number of relays and not on that of workers; the bits of the \
      fit depend on neither. Workers behind a relay that has gone wait for another one at the same endpoint (or under the \
      same --publish file), as they do for a coordinator; relays wait for theirs.

      EXAMPLE
        isomix relay --rendezvous out/rendezvous.json --listen tcp://0.0.0.0:7001 --listen-keys rack-keys --keys fit-keys
        isomix worker --connect tcp://rack3:7001 --keys rack-keys --threads 8
        isomix relay --connect tcp://127.0.0.1:5555 --listen ipc:///tmp/relay --publish relay.json
        isomix worker --rendezvous relay.json

      With ISOMIX_NO_REST=1 in its environment all of its workers take part in every iteration, as with `isomix fit --no-rest`.
      """)

  @Option(help: "The fit's endpoint (or another relay's), as its --listen says.")
  var connect: String?

  @Option(
    help: "A fit's rendezvous.json (or another relay's --publish file); waited for if it is not there yet.",
    completion: .file())
  var rendezvous: String?

  @Option(help: "Endpoint for workers (tcp://HOST:PORT, port 0: any free one; or ipc://PATH); repeatable.")
  var listen: [String] = []

  @Option(help: "Write where workers can join to FILE, for their --rendezvous.", completion: .file())
  var publish: String?

  @Option(
    help: "Seconds to wait for the fit: at the start, and when it is gone and may be resumed; then exit 69.")
  var wait: Double = 300

  @Option(
    help: "Key folder (see `isomix keys`) of a fit that was started with --keys.", completion: .directory)
  var keys: String?

  @Option(help: "Which of the folder's workers this is: NAME.secret.")
  var keyName: String = "worker"

  @Option(
    help: "Key folder for the endpoints that workers join at: encrypts them and takes known workers only.",
    completion: .directory)
  var listenKeys: String?

  @Option(
    help: ArgumentHelp(
      "Folder for data that come from the coordinator (data.transport: stream), one copy for all workers.",
      discussion: "Default: data.cache.folder of the spec, or $XDG_CACHE_HOME/isomix, or ~/.cache/isomix."),
    completion: .directory)
  var cache: String?

  @Flag(help: "Listen without keys where other machines can connect.")
  var insecure = false

  func validate() throws {
    guard (connect == nil) != (rendezvous == nil) else {
      throw ValidationError("Give either --connect ENDPOINT or --rendezvous FILE.")
    }
    guard !listen.isEmpty else { throw ValidationError("Give --listen ENDPOINT, where workers can join.") }
    guard wait >= 0, wait < 1e6 else { throw ValidationError("--wait must be a number of seconds.") }
  }

  func run() throws {
    try reportingFailures("relay") {
      if let connect { try Endpoint.check(connect) }
      if let rendezvous { try Rendezvous.await(rendezvous, wait_s: wait) }
      let target = connect.map { WorkerService.Target.endpoint($0) } ?? .rendezvous(rendezvous ?? "")
      let code = try RelayService.run(
        RelayService.Options(
          target: target, listen: listen, publish: publish, wait_s: wait,
          security: try keys.map { try KeyFolder.worker($0, name: keyName) }, listenKeys: listenKeys,
          insecure: insecure, cache: cache))
      if code != 0 { throw ExitCode(code) }
    }
  }
}
