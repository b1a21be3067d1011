import ArgumentParser
import Coordination
import FitRuntime
import Reporting
import Specification

struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "Show the model families, their keys and an example spec of each.",
    discussion: """
      EXAMPLE
        isomix models
        isomix models poisson
        isomix models poisson --example > visits.yaml
      """)

  @Argument(help: "A family (default: list them).")
  var family: String?

  @Flag(help: "Print the example spec alone.")
  var example = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard !example || family != nil else { throw ValidationError("--example needs a family.") }
  }

  func run() throws {
    try reportingFailures("models") {
      guard let family else {
        if json { return try printJSON(FamilyDescription.all) }
        let width = FamilyDescription.all.map(\.family.count).max() ?? 0
        for entry in FamilyDescription.all {
          let padding = String(repeating: " ", count: width - entry.family.count)
          try printOut("\(entry.family)\(padding)  \(entry.title)")
        }
        return try printOut("\nisomix models FAMILY shows a family's formula, keys and an example.")
      }
      guard let found = FamilyDescription.of(family) else {
        throw RunFailure(
          exitCode: Coordination.ExitCode.usage,
          message: "there is no family '\(family)'; there are "
            + FamilyDescription.all.map(\.family).joined(separator: ", "))
      }
      if json { return try printJSON(found) }
      if example { return try StandardStream.output.write(found.example) }
      try printOut(found.text)
    }
  }
}
