import ArgumentParser
import Datasets
import FitRuntime

struct DataImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Import CSV or NPY files into a folder of shards with a manifest.")
}
struct DataInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what a data set contains.")
}
