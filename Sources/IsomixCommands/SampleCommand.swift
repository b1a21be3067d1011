import ArgumentParser
import FitRuntime
import Foundation
import Reporting

struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Draw from a fitted mixture: CSV, NPY, Stan's CSV or netCDF for ArviZ.",
    discussion: """
      A fit's mixture.json is all that is needed; the data and the rest of its folder are not. Columns are the model's \
      output variables, constrained as the model has them; --unconstrained gives the coordinates that were fitted.

      EXAMPLE
        isomix sample out --draws 1000 --seed 1 > draws.csv
        isomix sample out --draws 1000 --format npy --output draws.npy
        isomix sample out --format stan-csv --output draws.csv    # cmdstanpy.from_csv("draws.csv")
        isomix sample out/mixture.json --draws 4000 --format netcdf --output draws.nc    # arviz.from_netcdf("draws.nc")
      """)

  @Argument(help: "A fit's folder, or its mixture.json.", completion: .directory)
  var fit: String

  @Option(name: .shortAndLong, help: "Number of draws.")
  var draws: Int = 1000

  @Option(help: "Seed of the draws.")
  var seed: UInt64 = 1

  @Option(help: "csv, npy ([draws, columns], float64), stan-csv or netcdf.")
  var format: DrawFormat = .csv

  @Flag(help: "Write the coordinates of the fit, as they are in mixture.json; not with netcdf.")
  var unconstrained = false

  @Option(name: .shortAndLong, help: "File to write (default: standard output).", completion: .file())
  var output: String?

  func validate() throws {
    guard draws >= 1, draws <= Int(UInt32.max) else {
      throw ValidationError("--draws must be from 1 to \(UInt32.max).")
    }
    guard !unconstrained || format != .netcdf else {
      throw ValidationError("--unconstrained is for tables: give --format csv, npy or stan-csv.")
    }
    guard !format.isBinary || output != nil || isatty(STDOUT_FILENO) == 0 else {
      throw ValidationError(
        "--format \(format.rawValue) is no text: give --output FILE, or send it to a file.")
    }
  }

  func run() throws {
    try reportingFailures("sample") {
      try SampleService.write(
        fit: fit, draws: draws, seed: seed, format: format, isUnconstrained: unconstrained, to: output)
    }
  }
}

extension DrawFormat: ExpressibleByArgument {}
