import NumericsKit

/// The rows of a LIBSVM (SVMlight) text file: `label index:value index:value …`, a row a line; `#` starts a comment.
///
/// Indices ascend within a line; they start at 1, or at 0 if the file has an index 0. What is not written is 0. The
/// columns are named `column_1`, `column_2`, …, and the label's, which comes last, `response`: as for NPY files.
/// Rows are read as they are, or made dense, one at a time.
struct SparseText: ~Copyable, NumericRows {
  let name: String
  let columnNames: [String]
  private let width: Int
  private let base: Int
  private let isBinary: Bool
  private var lines: LineReader
  private let numbers = NumberParser()

  /// - Parameter isBinary: whether the label is a binary response: -1 then means 0, as it does in such files.
  init(path: String, extent: Extent, isBinary: Bool = false) throws {
    name = path
    self.isBinary = isBinary
    width = extent.columns
    base = extent.hasZero ? 0 : 1
    columnNames = SparseText.columnNames(extent)
    lines = LineReader(source: try FileByteSource(path: path), name: path)
  }

  /// The label's column.
  static let responseName = NPYTable<FileByteSource>.responseName

  static func columnNames(_ extent: Extent) -> [String] {
    (0..<extent.columns).map { "column_\($0 + 1)" } + [responseName]
  }

  /// Reads files once to find out how wide their rows are, and how full.
  /// - Throws: `DatasetError` also where `options` know how indices are counted and the files count otherwise.
  static func extent(of paths: [String], _ options: ImportOptions = ImportOptions()) throws -> Extent {
    var extent = Extent()
    for path in paths {
      var text = try SparseText(path: path, extent: Extent())
      while let line = try text.lines.next() {
        var count = 1
        let label = try text.parse(line) { index, value in
          extent.highest = max(extent.highest, index)
          if index == 0 { extent.hasZero = true }
          if value != 0 { count += 1 }
        }
        if label != nil { extent.add(rowWith: count) }
      }
    }
    try extent.follow(options, name: paths[0])
    guard extent.columns < DatasetLimits.columns else {
      throw DatasetError(
        .badData,
        "\(paths[0]): has the index \(extent.highest); a table has at most \(DatasetLimits.columns) columns"
      )
    }
    return extent
  }

  var place: String { "line \(lines.number)" }

  mutating func readRow(into row: UnsafeMutablePointer<Double>) throws -> Bool {
    while let line = try lines.next() {
      row.update(repeating: 0, count: width)
      guard let label = try parseRow(line, { row[$0] = $1 }) else { continue }
      row[width] = label
      return true
    }
    return false
  }

  /// Reads the next row's numbers, with the response in the last column.
  /// - Returns: the response; nil at the end.
  mutating func readRow(into row: inout SparseRow) throws -> Double? {
    while let line = try lines.next() {
      row.removeAll()
      guard let label = try parseRow(line, { row.append($1, at: Int32($0)) }) else { continue }
      row.append(label, at: Int32(width))
      return label
    }
    return nil
  }

  /// Calls `body` with each column and value of a line; returns the response, nil for a line without one.
  private borrowing func parseRow(
    _ line: UnsafeMutablePointer<UInt8>, _ body: (Int, Double) -> Void
  ) throws -> Double? {
    let (width, base, number, name) = (width, base, lines.number, name)
    let label = try parse(line) { index, value in
      // The file may have been changed since its extent was found.
      guard index >= base, index - base < width else {
        throw DatasetError(.changed, "\(name):\(number): has an index that was not there before; run again")
      }
      body(index - base, value)
    }
    return isBinary && label == -1 ? 0 : label
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
