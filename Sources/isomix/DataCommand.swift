import ArgumentParser

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Import and inspect data sets.",
    subcommands: [DataImportCommand.self, DataInspectCommand.self])
}
