import NumericsKit

/// The rows of a LIBSVM (SVMlight) text file: `label index:value index:value …`, a row a line; `#` starts a comment.
///
/// Indices ascend within a line; they start at 1, or at 0 if the file has an index 0. What is not written is 0. The
/// columns are named `column_1`, `column_2`, …, and the label's, which comes last, `response`: as for NPY files.
/// Rows are made dense here, one at a time.
struct SparseText: ~Copyable, NumericRows {
  let name: String
  let columnNames: [String]
  private let width: Int
  private let base: Int
  private let isBinary: Bool
  private var lines: LineReader
  private let numbers = NumberParser()

  /// The highest index of files, and whether one is 0: how wide their rows are.
  struct Extent {
    var highest = -1
    var hasZero = false

    /// Columns without the response.
    var columns: Int { hasZero ? highest + 1 : max(0, highest) }
  }

  /// - Parameter isBinary: whether the label is a binary response: -1 then means 0, as it does in such files.
  init(path: String, extent: Extent, isBinary: Bool = false) throws {
    name = path
    self.isBinary = isBinary
    width = extent.columns
    base = extent.hasZero ? 0 : 1
    columnNames = (0..<extent.columns).map { "column_\($0 + 1)" } + [NPYTable<FileByteSource>.responseName]
    lines = LineReader(source: try FileByteSource(path: path), name: path)
  }

  /// Reads files once to find out how wide their rows are.
  static func extent(of paths: [String]) throws -> Extent {
    var extent = Extent()
    for path in paths {
      var text = try SparseText(path: path, extent: Extent())
      while let line = try text.lines.next() {
        _ = try text.parse(line) { index, _ in
          extent.highest = max(extent.highest, index)
          if index == 0 { extent.hasZero = true }
        }
      }
    }
    guard extent.columns < DatasetLimits.columns else {
      throw DatasetError(
        .badData,
        "\(paths[0]): has the index \(extent.highest); a dense table has at most \(DatasetLimits.columns) columns"
      )
    }
    return extent
  }

  var place: String { "line \(lines.number)" }

  mutating func readRow(into row: UnsafeMutablePointer<Double>) throws -> Bool {
    while let line = try lines.next() {
      row.update(repeating: 0, count: width)
      let (width, base, number, name) = (width, base, lines.number, name)
      let label = try parse(line) { index, value in
        // The file may have been changed since its extent was found.
        guard index >= base, index - base < width else {
          throw DatasetError(.changed, "\(name):\(number): has an index that was not there before; run again")
        }
        row[index - base] = value
      }
      guard let label else { continue }
      row[width] = isBinary && label == -1 ? 0 : label
      return true
    }
    return false
  }

  /// Calls `body` with each index and value of a line; returns the label, nil for a line without one.
  private borrowing func parse(
    _ line: UnsafeMutablePointer<UInt8>, _ body: (Int, Double) throws -> Void
  ) throws -> Double? {
    var cursor = afterBlanks(UnsafePointer(line))
    if isEnd(cursor) { return nil }
    var label = 0.0
    let count = numbers.parse(cursor, &label)
    guard count > 0, label.isFinite else { throw failure("does not start with a number, the label") }
    cursor += count
    var previous = -1
    while true {
      let afterToken = cursor
      cursor = afterBlanks(cursor)
      if isEnd(cursor) { return label }
      guard cursor != afterToken else { throw failure("has '\(token(cursor))' right after a number") }
      var index = 0
      let start = cursor
      while let digit = cursor.pointee.isDigit, cursor - start < 12 {
        index = 10 * index + digit
        cursor += 1
      }
      guard cursor != start, cursor.pointee == UInt8(ascii: ":") else {
        throw failure("holds '\(token(start))'; after the label come pairs index:value")
      }
      guard index > previous else {
        throw failure("has the index \(index) after \(previous); indices have to ascend")
      }
      previous = index
      cursor += 1
      var value = 0.0
      let length = numbers.parse(cursor, &value)
      guard length > 0, value.isFinite else {
        throw failure("holds '\(token(start))', whose value is not a finite number")
      }
      cursor += length
      try body(index, value)
    }
  }

  private func afterBlanks(_ text: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
    var cursor = text
    while cursor.pointee == 0x20 || cursor.pointee == 0x09 || cursor.pointee == 0x0D { cursor += 1 }
    return cursor
  }

  private func isEnd(_ text: UnsafePointer<UInt8>) -> Bool {
    text.pointee == 0 || text.pointee == UInt8(ascii: "#")
  }

  private func token(_ start: UnsafePointer<UInt8>) -> String {
    var end = start
    while end.pointee != 0, end.pointee != 0x20, end.pointee != 0x09, end - start < 40 { end += 1 }
    return String(decoding: UnsafeBufferPointer(start: start, count: end - start), as: UTF8.self)
  }

  private borrowing func failure(_ what: String) -> DatasetError {
    DatasetError(.badData, "\(name):\(lines.number): \(what)")
  }

  mutating func finish() throws -> SourceFile { try lines.finish() }
}

extension UInt8 {
  /// The value of an ASCII digit; nil for anything else.
  fileprivate var isDigit: Int? { self >= 0x30 && self <= 0x39 ? Int(self - 0x30) : nil }
}

/// Lines of a text file, one at a time, in memory that holds one line.
struct LineReader: ~Copyable {
  private let source: FileByteSource
  private let name: String
  /// The number of the last line, from 1.
  private(set) var number = 0
  private var buffer: UnsafeMutablePointer<UInt8>
  private var capacity = DatasetLimits.readBufferBytes
  private var position = 0
  private var limit = 0

  init(source: FileByteSource, name: String) {
    self.source = source
    self.name = name
    buffer = .allocate(capacity: capacity + 1)
  }

  deinit { buffer.deallocate() }

  /// The next line, ended by a NUL instead of its line feed; nil at the end. Valid until the next call.
  mutating func next() throws -> UnsafeMutablePointer<UInt8>? {
    var scanned = position
    while true {
      while scanned < limit {
        guard buffer[scanned] != 0 else {
          throw DatasetError(
            .badData, "\(name):\(number + 1): has a NUL byte; the file is damaged or not a text file")
        }
        if buffer[scanned] == 0x0A { return end(at: scanned, next: scanned + 1) }
        scanned += 1
      }
      let kept = limit - position
      guard kept < DatasetLimits.recordBytes else {
        throw DatasetError(
          .badData, "\(name):\(number + 1): is longer than \(DatasetLimits.recordBytes) bytes")
      }
      if position > 0 { buffer.update(from: buffer + position, count: kept) }
      (position, limit, scanned) = (0, kept, kept)
      if kept == capacity {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * capacity + 1)
        larger.update(from: buffer, count: kept)
        buffer.deallocate()
        buffer = larger
        capacity *= 2
      }
      let count = try source.read(
        into: UnsafeMutableRawBufferPointer(start: buffer + limit, count: capacity - limit))
      limit += count
      if count == 0 {
        // The last line may lack its line feed.
        return kept == 0 ? nil : end(at: limit, next: limit)
      }
    }
  }

  private mutating func end(at index: Int, next: Int) -> UnsafeMutablePointer<UInt8> {
    buffer[index] = 0
    let line = buffer + position
    position = next
    number += 1
    return line
  }

  mutating func finish() throws -> SourceFile {
    let (byteCount, digest) = try source.finish()
    return SourceFile(name: FileSystem.lastComponent(name), byteCount: byteCount, sha256: digest.description)
  }
}
