import ArgumentParser
import FitRuntime

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Say how far two fits of the same parameters are from each other.",
    discussion: """
      Prints the mixture-Wasserstein distance between the two fitted mixtures (optimal transport between their \
      components, exactly), the means and standard deviations of the parameters that differ most, in units of \
      their pooled standard deviation, and the difference of the ELBOs when both fits have the same model and \
      data. Everything is computed from the files, without draws.

      EXAMPLE
        isomix compare out out-20-components
        isomix compare monday/mixture.json friday/mixture.json --json
      """)

  @Argument(help: "A fit's folder, or its mixture.json.", completion: .directory)
  var a: String

  @Argument(help: "Another one.", completion: .directory)
  var b: String

  @Flag(help: "Print JSON, with all parameters.")
  var json = false

  func run() throws {
    try reportingFailures("compare") {
      let comparison = try FitComparison(a, b)
      if json { try printJSON(comparison) } else { try printOut(comparison.text) }
    }
  }
}
