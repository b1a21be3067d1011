import Datasets
import Foundation

/// What a table of predictions is written as.
public enum PredictionFormat: String, Sendable, CaseIterable {
  case csv
  case npy
}

/// Writes a table of predictions as it comes, to an ``OutputFile``.
public final class PredictionFile {
  private let columns: PredictionColumns
  private let format: PredictionFormat
  private let output: OutputFile
  private let threads: Int

  /// - Parameters:
  ///   - path: nil for standard output.
  ///   - rows: how many there will be.
  ///   - threads: that turn numbers into text.
  /// - Throws: ``ReportingError`` when it can't be written.
  public init(
    _ columns: PredictionColumns, format: PredictionFormat, path: String?, rows: Int, threads: Int
  ) throws {
    self.columns = columns
    self.format = format
    self.threads = max(1, threads)
    output = try OutputFile(path: path)
    do {
      switch format {
      case .csv: try output.write(columns.names.map(CSVField.quoted).joined(separator: ",") + "\n")
      case .npy: try emit(NPYHeader.bytes(.float64, shape: [rows, columns.count]))
      }
    } catch is OutputFile.ReaderGone {
      // The next rows will say so.
    }
  }

  /// Writes rows `[rows, layout.width]`.
  /// - Throws: as ``OutputFile`` does.
  public func append(_ numbers: [Double]) throws {
    let rows = numbers.count / columns.layout.width
    let share = (rows + threads - 1) / threads
    let pieces = Pieces(count: threads)
    DispatchQueue.concurrentPerform(iterations: threads) { [columns, format] piece in
      let range = min(piece * share, rows)..<min((piece + 1) * share, rows)
      pieces.put(PredictionFile.bytes(of: numbers, range, columns, format), at: piece)
    }
    for piece in pieces.values { try emit(piece) }
  }

  /// Ends the file and gives it its name.
  public func finish() throws { try output.finish() }

  /// Removes what was written so far. May be called by any thread.
  public func discard() { output.discard() }

  private static func bytes(
    of numbers: [Double], _ rows: Range<Int>, _ columns: PredictionColumns, _ format: PredictionFormat
  ) -> [UInt8] {
    guard !rows.isEmpty else { return [] }
    let classes = columns.classes.map { Array(CSVField.quoted($0).utf8) }
    let longestClass = classes.map(\.count).max() ?? 0
    let perRow = format == .npy ? 8 * columns.count : columns.count * (DecimalText.longest + 1) + longestClass
    return [UInt8](unsafeUninitializedCapacity: rows.count * perRow) { buffer, count in
      numbers.withUnsafeBufferPointer { numbers in
        guard let start = buffer.baseAddress, let source = numbers.baseAddress else { return }
        let own = source + rows.lowerBound * columns.layout.width
        switch format {
        case .npy: count = raw(own, rows.count, columns, into: start)
        case .csv: count = text(own, rows.count, columns, classes, into: start)
        }
      }
    }
  }

  private static func raw(
    _ numbers: UnsafePointer<Double>, _ rows: Int, _ columns: PredictionColumns,
    into start: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var row = [Double](repeating: 0, count: columns.count)
    for index in 0..<rows {
      columns.fill(numbers + index * columns.layout.width, into: &row)
      row.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(start: start + index * $0.count, count: $0.count).copyMemory(from: $0)
      }
    }
    return rows * columns.count * 8
  }

  private static func text(
    _ numbers: UnsafePointer<Double>, _ rows: Int, _ columns: PredictionColumns, _ classes: [[UInt8]],
    into start: UnsafeMutablePointer<UInt8>
  ) -> Int {
    DecimalText.withPowers { powers in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: columns.count) { values in
        guard let row = values.baseAddress else { return 0 }
        var writer = DecimalText.Writer(start)
        let numeric = columns.hasClass ? columns.count - 1 : columns.count
        for index in 0..<rows {
          columns.fill(numbers + index * columns.layout.width, into: row)
          for column in 0..<numeric {
            if column > 0 { writer.append(UInt8(ascii: ",")) }
            writer.append(row[column], powers: powers)
          }
          if columns.hasClass {
            writer.append(UInt8(ascii: ","))
            writer.append(classes[Int(row[numeric])])
          }
          writer.append(UInt8(ascii: "\n"))
        }
        return writer.end - start
      }
    } ?? 0
  }

  private func emit(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try output.write($0) } }
}

/// Results of threads, each in its place.
private final class Pieces: @unchecked Sendable {
  // Sendable: `values` is read and written only while `lock` is held.
  private let lock = NSLock()
  private var stored: [[UInt8]]

  init(count: Int) { stored = [[UInt8]](repeating: [], count: count) }

  func put(_ value: [UInt8], at index: Int) { lock.withLock { stored[index] = value } }

  var values: [[UInt8]] { lock.withLock { stored } }
}
