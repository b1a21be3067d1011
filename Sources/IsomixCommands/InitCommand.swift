import ArgumentParser
import Coordination
import FitRuntime
import Foundation
import Reporting

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Write a first spec for a data set.",
    discussion: """
      Reads the data once, guesses the family from the response, leaves out columns that say nothing (constant, full of \
      holes, identifiers), and writes a commented spec that `isomix fit` takes as it is. The guess is a start: read the \
      comments.

      EXAMPLE
        isomix init patients.csv --response survived --output patients.yaml
        isomix fit patients.yaml --output out
      """)

  @Argument(help: "A CSV or NPY file, a quoted glob, or an imported folder.", completion: .file())
  var data: String

  @Option(name: .shortAndLong, help: "The column to explain.")
  var response: String

  @Option(name: .shortAndLong, help: "The spec to write (default: standard output).", completion: .file())
  var output: String?

  @Option(help: "The family to use instead of the guess.")
  var family: String?

  @Flag(help: "Replace an existing file.")
  var force = false

  func run() throws {
    try reportingFailures("init") {
      if let output, !force, FileManager.default.fileExists(atPath: output) {
        throw RunFailure(
          exitCode: Coordination.ExitCode.cannotCreate,
          message: "\(output) exists already: --force replaces it")
      }
      let first = try FirstSpecification(
        path: data, naming: InitCommand.path(of: data, from: output), response: response, family: family)
      guard let output else { return try StandardStream.output.write(first.yaml) }
      try RunFolder.write(Array(first.yaml.utf8), to: output)
      try printOut("Wrote \(output): \(first.summary)")
      try printOut("Fit it: isomix fit \(output) --output out")
    }
  }

  /// A spec's paths start from its folder: the data's path as it is when the spec goes to the current folder, and
  /// absolute otherwise.
  private static func path(of data: String, from spec: String?) -> String {
    guard let spec, spec.contains("/"), !data.hasPrefix("/") else { return data }
    return FileManager.default.currentDirectoryPath + "/" + data
  }
}
