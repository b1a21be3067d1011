import ArgumentParser
import Datasets
import FitRuntime
import Foundation

struct DataImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Import CSV or NPY files into a folder of shards with a manifest.",
    discussion: """
      Reads the files once, in bounded memory, and checks every cell. `fit` reads the folder as it reads a CSV.

      EXAMPLE
        isomix data import 'flights-*.csv' --output flights --shuffle 1
        isomix data import X.npy --response-file y.npy --output table
      """)

  @Argument(help: "CSV or NPY files, or quoted globs.", completion: .file())
  var files: [String]

  @Option(name: .shortAndLong, help: "Folder to make.", completion: .directory)
  var output: String

  @Option(help: "NPY file with the responses, when the other file has the features alone.")
  var responseFile: String?

  @Flag(help: "Drop rows with missing values; without it they are an error that names line and column.")
  var dropMissing = false

  @Option(help: "Shuffle the rows by this seed.")
  var shuffle: UInt64?

  @Option(help: "Columns that are categories even where they look like numbers, separated by commas.")
  var categorical: String?

  @Option(help: "Columns to import, separated by commas (default: all).")
  var columns: String?

  @Flag(help: "Print the manifest as JSON.")
  var json = false

  func run() throws {
    try reportingFailures("data import") {
      let options = ImportOptions(
        missingValues: dropMissing ? .drop : .error, shuffleSeed: shuffle,
        categoricalColumns: Set(categorical.map(DataImportCommand.names) ?? []),
        columns: columns.map(DataImportCommand.names))
      let manifest = try DatasetImporter.importFiles(
        DataSource(paths: files, responseFile: responseFile), into: output, options: options)
      if json { return try printJSON(manifest) }
      try printOut(
        "Imported \(manifest.rows) rows × \(manifest.columns.count) columns into \(output) "
          + "(\(manifest.shards.count) shard(s)"
          + (manifest.droppedRows > 0 ? ", \(manifest.droppedRows) incomplete rows dropped" : "") + ").")
    }
  }

  private static func names(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
  }
}
