import Coordination
import Foundation
import Inference
import NumericsKit
import Posteriors
import Reporting

/// Draws from a fit, in a format of the user's.
public enum SampleService {
  /// Writes draws of a fit.
  ///
  /// - Parameters:
  ///   - fit: a fit's folder, or its `mixture.json`.
  ///   - isUnconstrained: θ itself instead of the model's output variables.
  ///   - path: nil for standard output.
  /// - Throws: errors that ``RunFailure`` puts in words.
  public static func write(
    fit: String, draws count: Int, seed: UInt64, format: DrawFormat, isUnconstrained: Bool, to path: String?
  ) throws {
    BLAS.prepare()
    if isUnconstrained {
      // The model is not needed, nor what it needs.
      let mixture = try FittedMixture.read(fit)
      let table = DrawTable(try mixture.draws(count, seed: seed), names: mixture.names)
      return try write(table, format, model: mixture.family, to: path)
    }
    let model = try FittedModel(fit)
    let draws = try model.mixture.draws(count, seed: seed)
    let hasNoRows = model.specification.data == nil
    guard format == .netcdf else {
      let table = DrawTable(draws, of: model.target, hasNoRows: hasNoRows)
      return try write(table, format, model: model.mixture.family, to: path)
    }
    let bytes = count.multipliedReportingOverflow(
      by: 8 * max(model.target.dimension, model.target.outputCount))
    guard !bytes.overflow, bytes.partialValue <= mostNetCDFBytes else {
      throw RuntimeError(
        "--draws \(count): a netCDF file of so many draws would have more than \(mostNetCDFBytes >> 30) GiB, and it is made in "
          + "memory; ask for fewer, or for --format npy", exitCode: ExitCode.usage)
    }
    let data = InferenceData(
      draws, chains: InferenceData.chains(for: count), target: model.target,
      hasNoRows: hasNoRows, version: Identity.version)
    try write(to: path) { output in try data.encode { try output.write($0) } }
  }

  private static let mostNetCDFBytes = 2 << 30

  private static func write(_ table: DrawTable, _ format: DrawFormat, model: String, to path: String?) throws
  {
    try write(to: path) { try table.write(format, model: model, version: Identity.version, to: $0) }
  }

  private static func write(to path: String?, _ body: (OutputFile) throws -> Void) throws {
    Signals.ignoreBrokenPipes()
    let output = try OutputFile(path: path)
    do {
      try body(output)
    } catch is OutputFile.ReaderGone {
      // Whoever read the draws has read enough.
    }
    try output.finish()
  }
}
