import Foundation
import NumericsKit

/// Reads Parquet files through the command `duckdb`, if there is one, as CSV text that it writes as it reads.
///
/// Numbers survive: DuckDB writes binary64 with as many digits as tell it apart; binary32 is widened first, and
/// booleans become 0 and 1.
enum DuckDB {
  /// A column as `DESCRIBE` tells.
  private struct Column: Decodable {
    let column_name: String
    let column_type: String
  }

  /// A Parquet file as CSV text. Messages count its rows as lines, the names of the columns being line 1.
  static func file(_ path: String) -> CSVFile {
    CSVFile(name: path, isText: false) { try open(path) }
  }

  private static func open(_ path: String) throws -> ProgramSource {
    let command = try command(for: path)
    let source = "read_parquet(\(quoted(path, "'")))"
    let describe = try ProgramSource(
      command, ["-json", "-c", "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM \(source))"],
      path: path)
    let text = try describe.text(limit: DatasetLimits.manifestBytes)
    guard let columns = try? JSONDecoder().decode([Column].self, from: Data(text)), !columns.isEmpty else {
      throw DatasetError(.badData, "\(path): duckdb does not tell its columns; is it a Parquet file?")
    }
    let selected = columns.map { column in
      let name = quoted(column.column_name, "\"")
      switch column.column_type {
      case "FLOAT": return "CAST(\(name) AS DOUBLE) AS \(name)"
      case "BOOLEAN": return "CAST(\(name) AS TINYINT) AS \(name)"
      default: return name
      }
    }
    let query =
      "SET memory_limit = '\(memory)'; SET preserve_insertion_order = true; "
      + "COPY (SELECT \(selected.joined(separator: ", ")) FROM \(source)) TO '/dev/stdout' (FORMAT csv, HEADER true)"
    return try ProgramSource(command, ["-c", query], path: path)
  }

  /// What DuckDB may use for itself.
  private static let memory = "1GB"

  /// The command: `ISOMIX_DUCKDB`, or `duckdb` on the path.
  private static func command(for path: String) throws -> String {
    let environment = ProcessInfo.processInfo.environment
    let candidates =
      environment["ISOMIX_DUCKDB"].map { [$0] }
      ?? (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/duckdb" }
    guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
      throw DatasetError(
        .noInput,
        "\(path): is a Parquet file, which is read through the command duckdb, and there is none "
          + "(\(environment["ISOMIX_DUCKDB"].map { "ISOMIX_DUCKDB=\($0)" } ?? "on PATH")); install it, for example with "
          + "'pip install duckdb-cli', or write the data as CSV")
    }
    return found
  }

  private static func quoted(_ text: String, _ quote: String) -> String {
    quote + text.replacingOccurrences(of: quote, with: quote + quote) + quote
  }
}

/// What a program writes about a file.
final class ProgramSource: ByteSource {
  private let path: String
  private let process = Process()
  private let output: FileHandle
  private let errors: FileHandle
  private var isDone = false

  init(_ command: String, _ arguments: [String], path: String) throws {
    self.path = path
    let (outputs, errors) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: command)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = outputs
    process.standardError = errors
    output = outputs.fileHandleForReading
    self.errors = errors.fileHandleForReading
    do {
      try process.run()
    } catch {
      throw DatasetError(.noInput, "\(path): \(command) can't be run (\(error.localizedDescription))")
    }
  }

  deinit {
    // Nobody reads on: the program has nothing left to do.
    if !isDone { process.terminate() }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard !isDone else { return 0 }
    let count = try FileSystem.read(output.fileDescriptor, into: buffer, path: path)
    guard count == 0 else { return count }
    isDone = true
    // A program that fails says why in a few lines, which fit into the pipe.
    let said = String(decoding: errors.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0, process.terminationReason == .exit else {
      let reason = said.split(separator: "\n").first.map(String.init) ?? "it says nothing"
      throw DatasetError(.badData, "\(path): duckdb can't read it (\(reason))")
    }
    return 0
  }

  /// All that the program writes.
  func text(limit: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try read(into: buffer)
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[0..<count])
      guard bytes.count <= limit else { throw DatasetError(.badData, "\(path): has too many columns") }
    }
  }

  /// The size and digest of the file that the program read.
  func finish() throws -> (byteCount: Int, digest: Digest) { try FileByteSource(path: path).finish() }
}
