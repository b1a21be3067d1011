import ArgumentParser

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Import and inspect data sets.",
    discussion: """
      EXAMPLE
        isomix data import 'flights-*.csv' --output flights --shuffle 1
        isomix data inspect flights
      """,
    subcommands: [DataImportCommand.self, DataInspectCommand.self])
}
