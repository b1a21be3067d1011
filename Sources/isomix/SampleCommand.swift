import ArgumentParser
import FitRuntime
import Foundation
import Reporting

struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Draw from a fitted mixture, as CSV with parameter names.",
    discussion: """
      EXAMPLE
        isomix sample out --draws 1000 --seed 1 > draws.csv
        isomix sample out --draws 1000 --output draws.csv
      """)

  @Argument(help: "A fit's folder, or its mixture.json.", completion: .directory)
  var fit: String

  @Option(name: .shortAndLong, help: "Number of draws.")
  var draws: Int = 1000

  @Option(help: "Seed of the draws.")
  var seed: UInt64 = 1

  @Option(name: .shortAndLong, help: "File to write (default: standard output).", completion: .file())
  var output: String?

  func validate() throws {
    guard draws >= 1, draws <= Int(UInt32.max) else {
      throw ValidationError("--draws must be from 1 to \(UInt32.max).")
    }
  }

  func run() throws {
    try reportingFailures("sample") {
      let fitted = try FittedMixture.read(fit)
      try DrawWriter(fitted, seed: seed).write(draws: draws, to: output)
    }
  }
}
