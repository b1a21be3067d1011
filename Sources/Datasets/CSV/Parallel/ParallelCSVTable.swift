import NumericsKit

/// The rows of CSV files as `CSVTable` gives them, with the records read by several threads.
///
/// The calling thread cuts the files into chunks and takes the chunks' rows in order; threads read the chunks in
/// between. A chunk that was read from another state than the one that the records before it led to, or in which
/// something is wrong, is read again from the right one. So rows, categories, counts and errors don't depend on the
/// number of threads.
package struct ParallelCSVTable: ~Copyable, TableSource {
  private let files: [CSVFile]
  private let layout: CSVLayout
  private var chunker: TextChunker
  private let threads: Int
  private let chunkBytes: Int
  private let most: Int
  private var workers: WorkerThreads?
  /// After the records of all chunks up to the current one.
  private var state: CSVState
  /// The line with which the next chunk starts.
  private var line = 1
  /// Rows given out of the chunks before the current one.
  private var rowsBefore = 0
  private var current: TextChunk?
  /// Codes of the current chunk's categories, for each column of a row; nil where they are right.
  private var codes: [[Double]]?
  private var position = 0
  private var waiting: [(chunk: TextChunk, ticket: WorkerThreads.Ticket?)] = []
  private var isCut = false
  /// Why no more chunks could be cut; thrown once those before are done.
  private var cutFailure: (any Error)?
  /// The first file's beginning, until its records are read.
  private var first: TextChunk?
  /// What reads the rest of a file that can't be cut.
  private var endless: EndlessText?
  /// What was known before the current chunk.
  private(set) var mark: CSVMark?

  /// - Parameters:
  ///   - threads: threads that read records, besides this one; the records are read in this one if there is one.
  ///   - chunkBytes: bytes of a chunk, about.
  ///   - isDigested: false where nobody asks what was read.
  package init(
    _ files: [CSVFile], options: ImportOptions, threads: Int = WorkerThreads.usual,
    chunkBytes: Int = DatasetLimits.readBufferBytes, most: Int = DatasetLimits.chunkBytes,
    isDigested: Bool = true
  ) throws {
    let chunker = try TextChunker(files, chunkBytes: chunkBytes, most: most, isDigested: isDigested)
    guard let first = try chunker.next() else { throw DatasetError(.noInput, "no CSV file is named") }
    let name = files[0].name
    // Reads the header alone.
    let table = try EndlessText(names: [name], options: options) { _ in
      ChunkSource(first.text, rest: first.place.isEndless ? { try chunker.readRest(into: $0) } : nil)
    }
    layout = table.table.layout
    state = table.table.state
    if first.place.isEndless { endless = table } else { self.first = first }
    self.files = files
    self.chunker = chunker
    self.threads = threads
    self.chunkBytes = chunkBytes
    self.most = most
  }

  deinit { workers?.stop() }

  package var columnNames: [String] { layout.columnNames }
  var categories: [CategoryTable?] { endless?.table.categories ?? state.categories }
  package var droppedRows: Int { endless?.table.droppedRows ?? state.droppedRows }
  var missingValues: [Int] { endless?.table.missingValues ?? state.missingValues }
  var isAtMark: Bool { position == 1 && mark != nil }

  package mutating func readRow(into row: UnsafeMutablePointer<Double>) throws -> Bool {
    while true {
      if let current {
        if position < current.rows.count {
          row.update(from: current.rows[position], count: layout.columnNames.count)
          position += 1
          if let codes {
            for (target, codes) in codes.enumerated() where !codes.isEmpty {
              row[target] = codes[Int(row[target])]
            }
          }
          return true
        }
        if let failure = current.failure { throw failure }
      }
      if endless != nil {
        if try endless?.table.readRow(into: row) == true {
          rowsBefore += 1
          return true
        }
        state = endless?.table.state ?? state
        endless = nil
      }
      guard try advance() else { return false }
    }
  }

  /// Goes to the next chunk; false after the last one.
  private mutating func advance() throws -> Bool {
    rowsBefore += position
    (current, codes, position, mark) = (nil, nil, 0, nil)
    if let chunk = first {
      first = nil
      take(chunk)
      return true
    }
    cutMore()
    guard !waiting.isEmpty else {
      if let cutFailure { throw cutFailure }
      return false
    }
    let (chunk, ticket) = waiting.removeFirst()
    if chunk.place.isFirst { line = 1 }
    if chunk.place.isEndless {
      let chunker = chunker
      endless = try EndlessText(
        continuing: layout, state: state, name: files[chunk.place.file].name, line: line,
        hasHeader: chunk.place.isFirst, first: files[0].name,
        source: ChunkSource(chunk.text) { try chunker.readRest(into: $0) })
      return true
    }
    if let ticket { workers?.wait(for: ticket) }
    take(chunk)
    return true
  }

  /// Makes a chunk the current one, and reads it again if need be.
  private mutating func take(_ chunk: TextChunk) {
    mark = CSVMark(
      place: chunk.place, line: line, state: state, rows: rowsBefore,
      finished: Array(chunker.finished.prefix(chunk.place.file)))
    if chunk.failure == nil, let end = chunk.end, chunk.expected?.handlings == state.handlings,
      let codes = state.add(end, targets: layout.targets)
    {
      self.codes = codes.allSatisfy(\.isEmpty) ? nil : codes
    } else {
      chunk.read(layout, from: state, name: files[chunk.place.file].name, first: files[0].name, line: line)
      state = chunk.end ?? state
    }
    line += chunk.lines
    current = chunk
  }

  /// Cuts chunks and hands them to the threads, as many as may be in memory at once.
  private mutating func cutMore() {
    let most = threads > 1 ? 2 * threads + 1 : 1
    // After an endless chunk the chunker is in the middle of its file until the rest was read.
    while !isCut, waiting.count < most, waiting.last?.chunk.place.isEndless != true {
      do {
        guard let chunk = try chunker.next() else {
          isCut = true
          return
        }
        waiting.append((chunk, threads > 1 && !chunk.place.isEndless ? submit(chunk) : nil))
      } catch {
        (isCut, cutFailure) = (true, error)
      }
    }
  }

  private mutating func submit(_ chunk: TextChunk) -> WorkerThreads.Ticket {
    let workers = self.workers ?? WorkerThreads(count: threads)
    self.workers = workers
    let (layout, start) = (layout, CSVState(handlings: state.handlings, columns: columnNames.count))
    let (name, first) = (files[chunk.place.file].name, files[0].name)
    chunk.expected = start
    return workers.submit { chunk.read(layout, from: start, name: name, first: first, line: 1) }
  }

  /// Goes on from a place where an earlier import of the same files was.
  /// - Parameter isRead: whether all records were read by then.
  /// - Returns: whether the files are still what they were up to there; if not, this can't be used any more.
  mutating func resume(at mark: CSVMark, isRead: Bool) throws -> Bool {
    guard let prefix = Digest(hexadecimal: mark.prefix), mark.state.handlings.count == layout.header.count,
      mark.state.categories.count == columnNames.count, mark.state.missingValues.count == columnNames.count
    else { return false }
    if isRead {
      guard mark.finished.count == files.count else { return false }
      chunker.skipAll(mark.finished)
    } else {
      let chunker = try TextChunker(files, chunkBytes: chunkBytes, most: most)
      guard try chunker.skip(to: mark.offset, in: mark.file, prefix: prefix, finished: mark.finished) else {
        return false
      }
      self.chunker = chunker
    }
    first = nil
    endless = nil
    (state, line, rowsBefore) = (mark.state, mark.line, mark.rows)
    return true
  }

  /// What is known after the last record.
  func endMark() -> CSVMark? {
    CSVMark(
      place: .init(file: files.count, offset: 0, prefix: Digest.of([]), isLast: true, isEndless: false),
      line: line,
      state: state, rows: rowsBefore, finished: chunker.finished)
  }

  mutating func finish() throws -> [SourceFile] { chunker.finished }
}

/// The rest of a file that can't be cut, in a box that can be asked without being taken over.
private final class EndlessText {
  var table: CSVTable<ChunkSource>

  init(names: [String], options: ImportOptions, open: @escaping (Int) throws -> ChunkSource) throws {
    table = try CSVTable(names: names, options: options, open: open)
  }

  init(
    continuing layout: CSVLayout, state: CSVState, name: String, line: Int, hasHeader: Bool, first: String,
    source: ChunkSource
  ) throws {
    table = try CSVTable(
      continuing: layout, state: state, name: name, line: line, hasHeader: hasHeader, first: first,
      source: source)
  }
}

/// A place between two chunks of CSV files, and what the records before it showed.
struct CSVMark: Sendable, Codable {
  let file: Int
  let offset: Int
  let prefix: String
  let line: Int
  let state: CSVState
  /// Rows given out before it.
  let rows: Int
  /// The files before it.
  let finished: [SourceFile]

  init(place: TextChunk.Place, line: Int, state: CSVState, rows: Int, finished: [SourceFile]) {
    file = place.file
    offset = place.offset
    prefix = place.prefix.description
    self.line = line
    self.state = state
    self.rows = rows
    self.finished = finished
  }
}
