import ArgumentParser
import Datasets
import FitRuntime

struct DataInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what a data set contains.",
    discussion: """
      EXAMPLE
        isomix data inspect cluster/examples/data/wine-train.csv
      """)

  @Argument(help: "A CSV, Parquet, HDF5, NPY or LIBSVM file, or an imported folder.", completion: .file())
  var path: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reportingFailures("data inspect") {
      let inspection = try DatasetInspection.inspect(path: path)
      if json { return try printJSON(inspection) }
      try printOut(inspection.description)
    }
  }
}
