import Datasets

/// In which format draws are written.
public enum DrawFormat: String, Sendable, CaseIterable {
  /// A header of names, then a line a draw.
  case csv
  /// NumPy's: float64, `[draws, columns]`.
  case npy
  /// As CmdStan writes it, for what reads Stan's draws.
  case stanCSV = "stan-csv"
  /// ArviZ's InferenceData.
  case netcdf

  /// Whether it is no text.
  public var isBinary: Bool { self == .npy || self == .netcdf }
}

extension DrawTable {
  /// Writes the table in a format of tables (all but netCDF, which ``InferenceData`` writes).
  /// - Parameter model: the model's name.
  /// - Throws: ``ReportingError``, `PosteriorError`.
  public func write(_ format: DrawFormat, model: String, version: String, to output: OutputFile) throws {
    switch format {
    case .csv: try writeCSV(to: output)
    case .npy, .netcdf: try writeNPY(to: output)
    case .stanCSV: try StanCSV(self, model: model, version: version).write(to: output)
    }
  }

  private func writeCSV(to output: OutputFile) throws {
    try output.write(
      variables.flatMap(\.columnNames).map(CSVField.quoted).joined(separator: ",") + "\n")
    let width = width
    try forEachBlock { block in
      var text = ""
      for row in 0..<block.count {
        text += block.values[row * width..<(row + 1) * width].map { "\($0)" }.joined(separator: ",") + "\n"
      }
      try output.write(text)
    }
  }

  private func writeNPY(to output: OutputFile) throws {
    try NPYHeader.bytes(.float64, shape: [draws.count, width]).withUnsafeBytes { try output.write($0) }
    try forEachBlock { block in
      try block.values.map(\.bitPattern.littleEndian).withUnsafeBytes { try output.write($0) }
    }
  }
}
