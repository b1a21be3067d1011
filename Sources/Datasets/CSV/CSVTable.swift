import NumericsKit

/// The rows of one or more CSV files with the same header, as numbers and category codes.
///
/// A column is numeric if its first value is a number. Any later value that is not one is an error, unless the
/// column is listed as categorical or is the response of a classification.
package struct CSVTable<Source: ByteSource>: ~Copyable, TableSource {
  /// The columns of the files.
  let layout: CSVLayout
  /// What the records read so far have shown.
  private(set) var state: CSVState
  private let names: [String]
  private let open: (Int) throws -> Source
  private let firstBufferBytes: Int
  private var fileIndex = 0
  private var finished: [SourceFile] = []
  private var tokenizer: CSVTokenizer<Source>

  /// Opens the files and reads the first one's header.
  /// - Parameters:
  ///   - names: the files' names, for messages.
  ///   - open: makes the source of a file, by its index.
  package init(
    names: [String], options: ImportOptions, bufferBytes: Int = DatasetLimits.readBufferBytes,
    open: @escaping (Int) throws -> Source
  ) throws {
    guard let first = names.first else { throw DatasetError(.noInput, "no CSV file is named") }
    // All that can fail comes before the first stored property is set, as a struct that can't be copied needs.
    var tokenizer = CSVTokenizer(source: try open(0), name: first, bufferBytes: bufferBytes)
    let (layout, state) = try CSVLayout.make(CSVHeader.read(&tokenizer), options: options, name: first)
    self.tokenizer = tokenizer
    self.layout = layout
    self.state = state
    self.names = names
    self.open = open
    firstBufferBytes = bufferBytes
  }

  /// Goes on within a file whose records so far led to `state`.
  /// - Parameters:
  ///   - line: the line that the source starts with.
  ///   - hasHeader: whether the source starts with a header, which has to be that of `first`.
  init(
    continuing layout: CSVLayout, state: CSVState, name: String, line: Int, hasHeader: Bool, first: String,
    source: Source
  ) throws {
    var tokenizer = CSVTokenizer(source: source, name: name, line: line)
    if hasHeader {
      let other = try CSVHeader.read(&tokenizer)
      guard other == layout.header else {
        throw CSVHeader.differs(other, from: layout.header, name: name, first: first)
      }
    }
    tokenizer.columnNames = layout.header
    self.tokenizer = tokenizer
    self.layout = layout
    self.state = state
    names = [name]
    open = { _ in source }
    firstBufferBytes = DatasetLimits.readBufferBytes
  }

  package var columnNames: [String] { layout.columnNames }
  var categories: [CategoryTable?] { state.categories }
  package var droppedRows: Int { state.droppedRows }
  var missingValues: [Int] { state.missingValues }
  /// The line of the next byte.
  var line: Int { tokenizer.line }
  private var header: [String] { layout.header }
  private var options: ImportOptions { layout.options }

  /// The bytes of the read buffer, which do not depend on the size of the input.
  package var bufferBytes: Int { tokenizer.capacity }

  package mutating func readRow(into row: UnsafeMutablePointer<Double>) throws -> Bool {
    let last = header.count - 1
    while true {
      guard try beginRow() else { return false }
      var isComplete = true
      var index = 0
      while true {
        let terminator: CSVTokenizer<Source>.Terminator
        if case .number = state.handlings[index], let end = tokenizer.nextNumber(&row[layout.targets[index]])
        {
          terminator = end
        } else {
          terminator = try tokenizer.nextField()
          if case .skip = state.handlings[index] {
          } else if let value = try value(index) {
            row[layout.targets[index]] = value
          } else {
            isComplete = false
          }
        }
        if terminator != .comma || index == last {
          guard terminator != .comma, index == last else { throw raggedRow(index, terminator) }
          break
        }
        index += 1
      }
      if isComplete {
        countCategories(row)
        return true
      }
      state.droppedRows += 1
    }
  }

  /// Goes to the next record, in the next file if need be; false after the last one.
  private mutating func beginRow() throws -> Bool {
    while true {
      let isMore = try tokenizer.beginRecord()
      if tokenizer.emptyLines > 0, isMore {
        let line = tokenizer.firstEmptyLine
        guard header.count == 1 else {
          throw DatasetError(
            .badData,
            "\(tokenizer.name):\(line): is an empty line between records; it has none of the \(header.count) columns"
          )
        }
        if case .skip = state.handlings[0] {
        } else {
          try missing("\(tokenizer.name):\(line): column 1 '\(header[0])'", 0)
        }
        state.missingValues[0] += tokenizer.emptyLines - 1
        state.droppedRows += tokenizer.emptyLines
      }
      if isMore { return true }
      try finishFile()
      guard fileIndex + 1 < names.count else { return false }
      fileIndex += 1
      tokenizer = CSVTokenizer(
        source: try open(fileIndex), name: names[fileIndex], bufferBytes: firstBufferBytes)
      let other = try CSVHeader.read(&tokenizer)
      guard other == header else {
        throw CSVHeader.differs(other, from: header, name: names[fileIndex], first: names[0])
      }
    }
  }

  private mutating func finishFile() throws {
    guard finished.count == fileIndex else { return }
    let (byteCount, digest) = try tokenizer.source.finish()
    let name = FileSystem.lastComponent(names[fileIndex])
    finished.append(SourceFile(name: name, byteCount: byteCount, sha256: digest.description))
  }

  mutating func finish() throws -> [SourceFile] { finished }

  /// The value of the current field; nil if it is missing and its record is to be dropped.
  private mutating func value(_ index: Int) throws -> Double? {
    let handling = state.handlings[index]
    let text = tokenizer.isFieldQuoted ? tokenizer.field : trimmed(tokenizer.field)
    if MissingValue.matches(text) {
      try missing(tokenizer.place, layout.targets[index])
      return nil
    }
    switch handling {
    case .skip: return nil
    case .number: return try number(text)
    case .binary: return try binary(number(text), text)
    case .count: return try count(number(text), text)
    case .category(let limit): return try code(text, index, limit: limit, isLabel: false, allowed: nil)
    case .level(let allowed):
      return try code(text, index, limit: DatasetLimits.categories, isLabel: false, allowed: allowed)
    case .classLabel(let limit, let allowed):
      return try code(text, index, limit: limit, isLabel: true, allowed: allowed)
    case .undecided:
      state.handlings[index] = decided(text, index)
      return try value(index)
    }
  }

  private func decided(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> CSVHandling {
    var value = 0.0
    let isNumber = isWholeNumber(text, &value) || MissingValue.isInfinity(text)
    if let response = options.response, response.name == header[index] {
      return isNumber ? .binary : .classLabel(limit: 2, allowed: response.classes)
    }
    return isNumber ? .number : .category(limit: DatasetLimits.categories)
  }

  private mutating func missing(_ place: String, _ target: Int) throws {
    guard options.missingValues == .drop else {
      throw DatasetError(
        .badData, "\(place): the value is missing; fill it in, or drop such records (missing values: drop)")
    }
    state.missingValues[target] += 1
  }

  private func isWholeNumber(_ text: UnsafeBufferPointer<UInt8>, _ value: inout Double) -> Bool {
    guard let start = text.baseAddress else { return false }
    return tokenizer.numbers.parse(start, &value) == text.count && text.count > 0
  }

  private func number(_ text: UnsafeBufferPointer<UInt8>) throws -> Double {
    var value = 0.0
    guard isWholeNumber(text, &value) else {
      if MissingValue.isInfinity(text) { throw notFinite(text) }
      throw tokenizer.failure(
        "holds \(quotedText(text)), which is not a number; correct it, or import the column as categorical")
    }
    guard value.isFinite else { throw notFinite(text) }
    return value
  }

  private func binary(_ value: Double, _ text: UnsafeBufferPointer<UInt8>) throws -> Double {
    guard value == 0 || value == 1 else {
      throw tokenizer.failure("holds \(quotedText(text)), but a binary response is 0 or 1")
    }
    return value == 0 ? 0 : 1
  }

  private func count(_ value: Double, _ text: UnsafeBufferPointer<UInt8>) throws -> Double {
    guard ResponseRules.isCount(value) else {
      throw tokenizer.failure("holds \(quotedText(text)), but a count is a whole number from 0")
    }
    return value
  }

  private mutating func code(
    _ text: UnsafeBufferPointer<UInt8>, _ index: Int, limit: Int, isLabel: Bool, allowed: [String]?
  ) throws -> Double {
    let target = layout.targets[index]
    if state.categories[target] == nil { state.categories[target] = CategoryTable() }
    if let code = state.categories[target]?.code(of: text) { return Double(code) }
    guard let name = CategoryName.make(text, isLabel: isLabel, tokenizer.numbers) else { throw badName(text) }
    if let allowed, CategoryOrder.index(of: name, in: allowed) == nil {
      throw tokenizer.failure(
        "holds the \(isLabel ? "class" : "level") '\(name)', which the training data don't have; they have \(ColumnChoice.quoted(allowed))"
      )
    }
    let before = state.categories[target]?.byteCount ?? 0
    let code = state.categories[target]?.add(text, as: name) ?? 0
    // Other spellings of a class count as well: they take memory too.
    state.categoryBytes += (state.categories[target]?.byteCount ?? 0) - before
    guard code < limit, state.categoryBytes <= DatasetLimits.categoryBytes else {
      throw tooManyCategories(name, limit: limit)
    }
    return Double(code)
  }

  private func tooManyCategories(_ name: String, limit: Int) -> DatasetError {
    if limit == 2 {
      return tokenizer.failure("holds a third category, '\(name)', but a binary response has exactly two")
    }
    return tokenizer.failure(
      "has more than \(limit) different texts; leave it out by listing the columns to use, or correct it")
  }

  private func badName(_ text: UnsafeBufferPointer<UInt8>) -> DatasetError {
    text.count > DatasetLimits.nameBytes
      ? tokenizer.failure(
        "holds a text of more than \(DatasetLimits.nameBytes) bytes, too long for a category")
      : tokenizer.failure("holds a text that is not valid UTF-8; convert the file to UTF-8")
  }

  private mutating func countCategories(_ row: UnsafeMutablePointer<Double>) {
    for target in state.categories.indices where state.categories[target] != nil {
      state.categories[target]?.counts[Int(row[target])] += 1
    }
  }

  private func notFinite(_ text: UnsafeBufferPointer<UInt8>) -> DatasetError {
    tokenizer.failure("holds \(quotedText(text)), which is not a finite number (binary64)")
  }

  private func raggedRow(_ index: Int, _ terminator: CSVTokenizer<Source>.Terminator) -> DatasetError {
    let found =
      terminator == .comma ? "more than \(header.count) fields" : "\(index + 1) of \(header.count) fields"
    return tokenizer.failure("ends a record with \(found); the header has \(header.count) columns")
  }
}

/// A field's text for a message, shortened.
private func quotedText(_ text: UnsafeBufferPointer<UInt8>) -> String {
  let shown = String(decoding: text.prefix(40), as: UTF8.self)
  return "'\(shown)\(text.count > 40 ? "…" : "")'"
}

/// A field without blanks around it.
@inline(__always)
private func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
  var range = text.startIndex..<text.endIndex
  while let first = range.first, text[first] == 0x20 || text[first] == 0x09 { range = range.dropFirst() }
  while let last = range.last, text[last] == 0x20 || text[last] == 0x09 { range = range.dropLast() }
  return UnsafeBufferPointer(rebasing: text[range])
}
