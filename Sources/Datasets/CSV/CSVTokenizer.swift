import Foundation

/// Splits CSV bytes (RFC 4180) into fields, strictly, in memory that does not grow with the input.
///
/// A record ends with LF or CRLF. A field may be quoted; inside quotes a quote is doubled, and commas and line
/// ends are text. The bytes of the current field stay in the read buffer: no field is copied.
struct CSVTokenizer<Source: ByteSource>: ~Copyable {
  /// What follows a field.
  enum Terminator { case comma, newline, endOfFile }

  /// The name of the source, for messages.
  let name: String
  /// The names of the columns, once the header is read, for messages.
  var columnNames: [String] = []
  /// The line of the next byte, from 1.
  private(set) var line = 1
  /// The line at which the current field starts.
  private(set) var fieldLine = 1
  /// The column of the current field, from 0.
  private(set) var column = -1
  /// Where the current field starts in the buffer.
  private(set) var fieldStart: UnsafeMutablePointer<UInt8>
  private(set) var fieldCount = 0
  private(set) var isFieldQuoted = false
  /// Empty lines just before the current record.
  private(set) var emptyLines = 0
  private(set) var firstEmptyLine = 0
  /// The bytes that the buffer has; bounded by the buffer's first size and `DatasetLimits.fieldBytes`.
  private(set) var capacity: Int

  let numbers = NumberParser()
  var source: Source
  // The byte after the last one read is always 0: scans stop there without comparing positions.
  private var buffer: UnsafeMutablePointer<UInt8>
  private var position = 0
  private var limit = 0
  private var consumed = 0
  private var recordOffset = 0
  private let isSpecial: UnsafeMutablePointer<Bool>

  /// - Parameter line: the line that the source starts with.
  init(source: Source, name: String, bufferBytes: Int = DatasetLimits.readBufferBytes, line: Int = 1) {
    self.source = source
    self.name = name
    self.line = line
    fieldLine = line
    capacity = max(8, bufferBytes)
    buffer = .allocate(capacity: capacity + 1)
    buffer[0] = 0
    fieldStart = buffer
    isSpecial = .allocate(capacity: 256)
    isSpecial.initialize(repeating: false, count: 256)
    for byte in [0, comma, quote, lineFeed, carriageReturn] { isSpecial[Int(byte)] = true }
  }

  deinit {
    buffer.deallocate()
    isSpecial.deallocate()
  }

  /// The bytes of the current field, without quotes.
  var field: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: fieldStart, count: fieldCount) }

  /// The current field as text; nil if it is not valid UTF-8.
  var fieldText: String? { String(bytes: field, encoding: .utf8) }

  /// Goes to the start of the next record; false at the end of the input.
  ///
  /// Passes over empty lines, and says how many there were and where the first one was.
  mutating func beginRecord() throws -> Bool {
    column = -1
    emptyLines = 0
    while true {
      if position == limit, try !refill(keepingFrom: position) { return false }
      if buffer[position] == carriageReturn, position + 1 == limit { _ = try refill(keepingFrom: position) }
      let length =
        buffer[position] == lineFeed
        ? 1
        : buffer[position] == carriageReturn && position + 1 < limit && buffer[position + 1] == lineFeed
          ? 2 : 0
      if length == 0 { break }
      if emptyLines == 0 { firstEmptyLine = line }
      emptyLines += 1
      position += length
      line += 1
    }
    recordOffset = consumed + position
    return true
  }

  /// Skips a UTF-8 byte order mark; call before anything else.
  mutating func skipByteOrderMark() throws {
    while limit < 3, try refill(keepingFrom: 0) {}
    if limit >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { position = 3 }
    if limit >= 2, buffer[0] == 0x1F, buffer[1] == 0x8B {
      throw DatasetError(.badData, "\(name): is compressed (gzip); decompress it first")
    }
  }

  /// Reads an unquoted number in one pass when it lies whole in the buffer; nil, having read nothing, for
  /// anything else.
  @inline(__always)
  mutating func nextNumber(_ value: inout Double) -> Terminator? {
    let start = buffer + position
    let count = numbers.parse(start, &value)
    // The slow path checks the record's length.
    if count == 0 || count > 64 || !value.isFinite
      || consumed + position + count + 2 - recordOffset > DatasetLimits.recordBytes
    {
      return nil
    }
    let end = start + count
    let terminator: Terminator
    fieldLine = line
    switch end.pointee {
    case comma:
      terminator = .comma
      position += count + 1
    case lineFeed:
      terminator = .newline
      position += count + 1
      line += 1
    case carriageReturn where end[1] == lineFeed && position + count + 1 < limit:
      terminator = .newline
      position += count + 2
      line += 1
    default: return nil
    }
    column += 1
    return terminator
  }

  /// Reads the next field.
  mutating func nextField() throws -> Terminator {
    column += 1
    fieldLine = line
    isFieldQuoted = false
    if position == limit, try !refill(keepingFrom: position) {
      return try endField(start: position, end: position, next: position, .endOfFile)
    }
    if buffer[position] == quote { return try nextQuotedField() }
    var start = position
    var cursor = position
    while true {
      while !isSpecial[Int(buffer[cursor])] { cursor += 1 }
      switch buffer[cursor] {
      case comma:
        try checkLength(cursor - start)
        return try endField(start: start, end: cursor, next: cursor + 1, .comma)
      case lineFeed:
        try checkLength(cursor - start)
        return try endField(start: start, end: cursor, next: cursor + 1, .newline)
      case carriageReturn:
        if cursor + 1 == limit, try refillField(&start, &cursor) { continue }
        // Lengths are checked before anything else that may be wrong here, so that which error is found does not
        // depend on where the buffer ends.
        try checkLength(cursor - start)
        guard cursor + 1 < limit, buffer[cursor + 1] == lineFeed else { throw strayCarriageReturn() }
        return try endField(start: start, end: cursor, next: cursor + 2, .newline)
      case quote:
        try checkLength(cursor - start)
        throw failure(
          "has a quote inside a field that is not quoted; quote the whole field and double the quote")
      default:
        guard cursor == limit else {
          try checkLength(cursor - start)
          throw nulByte()
        }
        if try !refillField(&start, &cursor) {
          try checkLength(cursor - start)
          return try endField(start: start, end: cursor, next: cursor, .endOfFile)
        }
      }
    }
  }

  private mutating func nextQuotedField() throws -> Terminator {
    isFieldQuoted = true
    var start = position
    var cursor = position + 1
    // Where the next byte of the text goes: doubled quotes make the text shorter than its source.
    var end = cursor
    while true {
      let byte = buffer[cursor]
      switch byte {
      case quote:
        if cursor + 1 == limit {
          let shift = end - start
          let isMore = try refillField(&start, &cursor)
          end = start + shift
          if isMore { continue }
        }
        if cursor + 1 < limit, buffer[cursor + 1] == quote {
          buffer[end] = quote
          end += 1
          cursor += 2
          continue
        }
        return try afterClosingQuote(start: start, end: end, closing: cursor)
      case 0:
        guard cursor == limit else {
          try checkLength(cursor - start - 1)
          throw nulByte()
        }
        let shift = end - start
        guard try refillField(&start, &cursor) else {
          try checkLength(cursor - start - 1)
          throw failure("opens a quote that is never closed; close it or double it")
        }
        end = start + shift
      default:
        if byte == lineFeed { line += 1 }
        buffer[end] = byte
        end += 1
        cursor += 1
      }
    }
  }

  private mutating func afterClosingQuote(start: Int, end: Int, closing: Int) throws -> Terminator {
    var start = start
    var next = closing + 1
    let shift = end - start
    // Doubled quotes count twice: as many bytes as the field has in the file.
    try checkLength(closing - start - 1)
    if next < limit, buffer[next] == carriageReturn, next + 1 == limit { _ = try refillField(&start, &next) }
    let end = start + shift
    if next == limit { return try endField(start: start + 1, end: end, next: next, .endOfFile) }
    switch buffer[next] {
    case comma: return try endField(start: start + 1, end: end, next: next + 1, .comma)
    case lineFeed: return try endField(start: start + 1, end: end, next: next + 1, .newline)
    case carriageReturn where next + 1 < limit && buffer[next + 1] == lineFeed:
      return try endField(start: start + 1, end: end, next: next + 2, .newline)
    default:
      throw failure("has text after its closing quote; double quotes that belong to the text")
    }
  }

  @inline(__always)
  private mutating func endField(start: Int, end: Int, next: Int, _ terminator: Terminator) throws
    -> Terminator
  {
    guard consumed + next - recordOffset <= DatasetLimits.recordBytes else {
      throw failure(
        "is in a record of more than \(DatasetLimits.recordBytes) bytes; is a closing quote missing?")
    }
    fieldStart = buffer + start
    fieldCount = end - start
    position = next
    if terminator == .newline { line += 1 }
    return terminator
  }

  private func checkLength(_ count: Int) throws {
    guard count <= DatasetLimits.fieldBytes else {
      throw failure("has a field of more than \(DatasetLimits.fieldBytes) bytes; is a closing quote missing?")
    }
  }

  /// Reads more of a field that reached the end of the buffer, and moves its positions with it.
  private mutating func refillField(_ start: inout Int, _ cursor: inout Int) throws -> Bool {
    try checkLength(cursor - start - 2)
    let isMore = try refill(keepingFrom: start)
    cursor -= start
    start = 0
    return isMore
  }

  /// Moves the bytes from `start` on to the front of the buffer and reads more behind them; false at the end.
  private mutating func refill(keepingFrom start: Int) throws -> Bool {
    let kept = limit - start
    if start > 0 {
      buffer.update(from: buffer + start, count: kept)
      consumed += start
      position -= start
      limit = kept
    }
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
    buffer[limit] = 0
    fieldStart = buffer
    fieldCount = 0
    return count > 0
  }

  private func nulByte() -> DatasetError {
    failure("has a NUL byte; the file is damaged or not a text file")
  }

  private func strayCarriageReturn() -> DatasetError {
    failure("has a carriage return without a line feed; convert the line ends to LF or CRLF")
  }

  /// The error that names the file, the line and the column of the current field.
  borrowing func failure(_ what: String) -> DatasetError {
    DatasetError(.badData, place + " " + what)
  }

  /// `file:line: column 3 'name'`.
  var place: String {
    let name = columnNames.indices.contains(column) ? " '\(columnNames[column])'" : ""
    return "\(self.name):\(fieldLine): column \(column + 1)\(name)"
  }
}

private let comma = UInt8(ascii: ",")
private let quote = UInt8(ascii: "\"")
private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
