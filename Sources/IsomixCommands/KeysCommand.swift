import ArgumentParser
import FitRuntime

struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Make and show the keys of encrypted connections.",
    discussion: """
      EXAMPLE
        isomix keys new ~/isomix-keys
        isomix keys show ~/isomix-keys
      """,
    subcommands: [KeysNewCommand.self, KeysShowCommand.self])
}

struct KeysNewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Make a key folder, or the keys of one more worker in it.",
    discussion: """
      Makes the keys of a coordinator and of its workers, readable by you alone. Nothing is ever overwritten.

      EXAMPLE
        isomix keys new ~/isomix-keys
        isomix keys new ~/isomix-keys --worker cluster-b
      """)

  @Argument(help: "The key folder.", completion: .directory)
  var folder: String

  @Option(help: "Make a worker of this name in a folder that is there, and let it connect.")
  var worker: String?

  func run() throws {
    try reportingFailures("keys new") {
      if let worker {
        try KeyFolder.addWorker(worker, to: folder)
        return try printOut(
          "made \(folder)/\(worker).secret and \(worker).public, and added \(worker) to authorized_workers")
      }
      try KeyFolder.create(folder)
      try printOut(
        "made keys in \(folder); a worker elsewhere needs coordinator.public and worker.secret of them")
    }
  }
}

struct KeysShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the public keys of a key folder.",
    discussion: """
      EXAMPLE
        isomix keys show ~/isomix-keys
      """)

  @Argument(help: "The key folder.", completion: .directory)
  var folder: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reportingFailures("keys show") {
      let contents = try KeyFolder.contents(folder)
      if json { return try printJSON(contents) }
      try printOut("coordinator  \(contents.coordinator ?? "none: there is no coordinator.public")")
      for worker in contents.authorizedWorkers { try printOut("worker       \(worker.key)  \(worker.name)") }
      if contents.authorizedWorkers.isEmpty { try printOut("no worker may connect") }
    }
  }
}
