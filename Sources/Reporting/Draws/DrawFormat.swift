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
      variables.flatMap(\.columnNames).map(DrawTable.quoted).joined(separator: ",") + "\n")
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
    try NPYHead.float64(rows: draws.count, columns: width).withUnsafeBytes { try output.write($0) }
    try forEachBlock { block in
      try block.values.map(\.bitPattern.littleEndian).withUnsafeBytes { try output.write($0) }
    }
  }

  /// RFC 4180 quoting where it is needed.
  private static func quoted(_ name: String) -> String {
    guard name.contains(where: { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" || $0 == "\r\n" }) else {
      return name
    }
    return "\"" + name.replacing("\"", with: "\"\"") + "\""
  }
}

/// The beginning of NumPy's files, format version 1.0.
enum NPYHead {
  /// Of a row-major matrix; padded so that numbers begin at a multiple of 64 bytes.
  static func float64(rows: Int, columns: Int) -> [UInt8] {
    let dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    let length = (magicBytes + dictionary.utf8.count + 1 + 63) / 64 * 64 - magicBytes
    let text = dictionary + String(repeating: " ", count: length - dictionary.utf8.count - 1) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(text.utf8)
  }

  /// Magic, version and the length of what follows.
  private static let magicBytes = 10
}
