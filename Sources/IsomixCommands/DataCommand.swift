import ArgumentParser

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Import and inspect data sets, and look after the cache.",
    discussion: """
      EXAMPLE
        isomix data import 'flights-*.csv' --output flights --shuffle 1
        isomix data inspect flights
        isomix data cache list
      """,
    subcommands: [DataImportCommand.self, DataInspectCommand.self, DataCacheCommand.self])
}
