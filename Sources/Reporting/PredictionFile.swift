import Foundation

/// What a table of predictions is written as.
public enum PredictionFormat: String, Sendable, CaseIterable {
  case csv
  case npy
}

/// Writes a table of predictions as it comes. A file appears whole or not at all; standard output and devices take it
/// as it comes.
public final class PredictionFile {
  /// Whoever read standard output wants no more.
  public struct ReaderGone: Error {}

  private let columns: PredictionColumns
  private let format: PredictionFormat
  private let path: String?
  /// Where a file is written until it is whole; nil where that can't be.
  private let temporary: String?
  private let descriptor: Int32
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
    self.path = path
    self.threads = max(1, threads)
    if let path {
      var status = stat()
      let isDevice = stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
      temporary = isDevice ? nil : path + ".\(getpid()).tmp"
      descriptor = open(temporary ?? path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    } else {
      temporary = nil
      descriptor = dup(STDOUT_FILENO)
    }
    guard descriptor >= 0 else { throw failure() }
    do {
      switch format {
      case .csv:
        try emit(Array((columns.names.map(PredictionFile.quoted).joined(separator: ",") + "\n").utf8))
      case .npy: try emit(PredictionFile.header(rows: rows, columns: columns.count))
      }
    } catch is ReaderGone {
      // The next rows will say so.
    } catch {
      discard()
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Writes rows `[rows, layout.width]`.
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
  public func finish() throws {
    guard let temporary, let path else { return }
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
      let error = failure()
      discard()
      throw error
    }
  }

  /// Removes what was written so far.
  public func discard() {
    if let temporary { unlink(temporary) }
  }

  private static func bytes(
    of numbers: [Double], _ rows: Range<Int>, _ columns: PredictionColumns, _ format: PredictionFormat
  ) -> [UInt8] {
    guard !rows.isEmpty else { return [] }
    let classes = columns.classes.map { Array(quoted($0).utf8) }
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

  private func emit(_ bytes: [UInt8]) throws {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { raw in
        raw.baseAddress.map { write(descriptor, $0 + offset, bytes.count - offset) } ?? 0
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&item, 1, 1000)
        continue
      }
      if count < 0, errno == EPIPE, path == nil { throw ReaderGone() }
      guard count > 0 else { throw failure() }
      offset += count
    }
  }

  private func failure() -> ReportingError {
    ReportingError(
      .cannotWrite, "can't write \(path ?? "to standard output"): \(String(cString: strerror(errno)))")
  }

  /// A version 1 header of float64 numbers in C order (NumPy's format).
  private static func header(rows: Int, columns: Int) -> [UInt8] {
    var text = "{'descr': '<f8', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    let fixed = 10
    let total = (fixed + text.utf8.count + 1 + 63) / 64 * 64
    text += String(repeating: " ", count: total - fixed - text.utf8.count - 1) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count & 255), UInt8(text.utf8.count >> 8)]
      + Array(text.utf8)
  }

  /// RFC 4180 quoting where it is needed.
  private static func quoted(_ name: String) -> String {
    guard name.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return name }
    return "\"" + name.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
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
