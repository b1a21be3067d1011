import NumericsKit

/// Consecutive whole records of a CSV file, with what reading them on their own gave.
///
/// Records are independent but for what `CSVState` holds, so that a thread can read them from the state that the
/// records before them are expected to lead to.
final class TextChunk: @unchecked Sendable {
  // Sendable: one thread makes it; then the one thread that reads its records has it alone; then, after
  // `WorkerThreads.wait`, the first one again. Both hand-overs go through a lock.

  /// Where it is.
  struct Place: Sendable {
    /// The file's number.
    let file: Int
    /// Bytes of the file before it.
    let offset: Int
    /// SHA-256 of the bytes before it.
    let prefix: Digest
    /// Whether it has the header.
    var isFirst: Bool { offset == 0 }
    /// Whether the file ends with it.
    let isLast: Bool
    /// Whether the text goes on without a place where a record certainly ends: it can't be read on its own.
    let isEndless: Bool
  }

  let place: Place
  let text: [UInt8]
  /// What the columns become, as expected when it was handed to a thread.
  var expected: CSVState?
  /// The rows, `[rowCount, columns]`.
  private(set) var rows = RowBuffer(columns: 1)
  /// The state after its records, of which categories, missing values and dropped rows are its own.
  private(set) var end: CSVState?
  /// Lines, as the reader counts them.
  private(set) var lines = 0
  /// What was wrong after `rows`; the line in the message is right only where the first line was known.
  private(set) var failure: (any Error)?

  init(place: Place, text: [UInt8]) {
    self.place = place
    self.text = text
  }

  /// Reads the records.
  func read(_ layout: CSVLayout, from state: CSVState, name: String, first: String, line: Int) {
    rows = RowBuffer(columns: layout.columnNames.count)
    failure = nil
    end = nil
    do {
      var table = try CSVTable(
        continuing: layout, state: state, name: name, line: line, hasHeader: place.isFirst, first: first,
        source: ChunkSource(text))
      try read(&table, line: line)
    } catch {
      failure = error
    }
  }

  /// Reads the records through a table that is at their beginning.
  func read(_ table: inout CSVTable<ChunkSource>, line: Int) throws {
    if rows.columns != table.columnNames.count { rows = RowBuffer(columns: table.columnNames.count) }
    defer {
      // Also up to where something is wrong: whoever takes the rows before it asks for their categories.
      lines = table.line - line
      end = table.state
    }
    while try table.readRow(into: rows.next()) { rows.count += 1 }
  }
}

/// Rows of numbers that grow as they come.
struct RowBuffer: ~Copyable {
  let columns: Int
  var count = 0
  private var capacity = 0
  private var start: UnsafeMutablePointer<Double>

  init(columns: Int) {
    self.columns = max(1, columns)
    start = .allocate(capacity: self.columns)
    capacity = 1
  }

  deinit { start.deallocate() }

  /// Where the next row goes; it counts once `count` is raised.
  @inline(__always)
  mutating func next() -> UnsafeMutablePointer<Double> {
    if count == capacity { grow() }
    return start + count * columns
  }

  /// Row `index`, `[columns]`.
  @inline(__always)
  subscript(index: Int) -> UnsafeMutablePointer<Double> { start + index * columns }

  private mutating func grow() {
    capacity = max(2 * capacity, 16)
    let larger = UnsafeMutablePointer<Double>.allocate(capacity: capacity * columns)
    larger.update(from: start, count: count * columns)
    start.deallocate()
    start = larger
  }
}

/// A chunk's text, or all of a file from there on.
final class ChunkSource: ByteSource {
  private let text: [UInt8]
  private var offset = 0
  /// What follows the text.
  private let rest: ((UnsafeMutableRawBufferPointer) throws -> Int)?

  init(_ text: [UInt8], rest: ((UnsafeMutableRawBufferPointer) throws -> Int)? = nil) {
    self.text = text
    self.rest = rest
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = min(buffer.count, text.count - offset)
    if count == 0 { return try rest?(buffer) ?? 0 }
    text.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
    }
    offset += count
    return count
  }

  /// What was read is digested where it is cut.
  func finish() throws -> (byteCount: Int, digest: Digest) { (text.count, Digest.of([])) }
}
