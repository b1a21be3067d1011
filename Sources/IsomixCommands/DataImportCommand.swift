import ArgumentParser
import Datasets
import FitRuntime
import Foundation
import NumericsKit
import Reporting

struct DataImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Import CSV, Parquet, HDF5, NPY or LIBSVM files into a folder of shards with a manifest.",
    discussion: """
      Reads the files once, in bounded memory, and checks every cell. `fit` reads the folder as it reads a CSV.
      CSV is read by several threads; the result does not depend on how many. An import of CSV files that was
      interrupted goes on where it was when it is started again. Parquet needs the command duckdb (pip install
      duckdb-cli). In an HDF5 file the table is a dataset or a group of columns: FILE::/PATH.

      EXAMPLE
        isomix data import 'flights-*.csv' --output flights --shuffle 1
        isomix data import X.npy --response-file y.npy --output table
        isomix data import measurements.h5::/run7 --output run7
        isomix data import words.svm --output words --storage sparse
      """)

  @Argument(help: "Files of one kind, or quoted globs.", completion: .file())
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

  @Option(
    help:
      "How LIBSVM files are stored: auto (sparse where at most a tenth of the numbers is not 0), sparse or dense."
  )
  var storage = "auto"

  @Option(help: "Threads that read CSV records (default: one per core). The result does not depend on it.")
  var threads: Int?

  @Flag(help: "Print the manifest as JSON.")
  var json = false

  func validate() throws {
    guard storage == "auto" || MatrixStorage(rawValue: storage) != nil else {
      throw ValidationError("--storage: '\(storage)' is not auto, sparse or dense")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads: \(threads) is not between 1 and 1024")
    }
  }

  func run() throws {
    try reportingFailures("data import") {
      var options = ImportOptions(
        missingValues: dropMissing ? .drop : .error, shuffleSeed: shuffle,
        categoricalColumns: Set(categorical.map(DataImportCommand.names) ?? []),
        columns: columns.map(DataImportCommand.names))
      options.storage = MatrixStorage(rawValue: storage)
      let manifest = try DatasetImporter.importFiles(
        DataSource(paths: files, responseFile: responseFile), into: output, options: options,
        effort: ImportEffort(
          threads: threads,
          progress: { try? StandardStream.error.write("isomix data import: \($0)\n") }))
      if json { return try printJSON(manifest) }
      try printOut(
        "Imported \(manifest.rows) rows × \(manifest.columns.count) columns into \(output) "
          + "(\(manifest.shards.count) shard(s)"
          + (manifest.nonzeros.map { ", sparse with \($0) stored numbers" } ?? "")
          + (manifest.droppedRows > 0 ? ", \(manifest.droppedRows) incomplete rows dropped" : "") + ").")
    }
  }

  private static func names(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
  }
}
