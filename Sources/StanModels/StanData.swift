/// Data of a Stan model as JSON text, of which parts can be exchanged without reading a number: every digit stays as it is.
struct StanData: Sendable {
  /// The text of the object.
  let text: [UInt8]
  /// Its variables in order, with the place of each value.
  private let entries: [(name: String, value: Range<Int>)]
  private let source: String

  /// - Parameter source: the file's name, for messages.
  /// - Throws: ``StanError`` when the text is not a JSON object.
  init(_ text: [UInt8], source: String) throws {
    var scanner = JSONScanner(text, source: source)
    entries = try scanner.object()
    self.text = text
    self.source = source
  }

  private func range(of name: String) throws -> Range<Int> {
    guard let entry = entries.last(where: { $0.name == name }) else {
      let known = entries.map(\.name).joined(separator: ", ")
      throw StanError(.data, "\(source) has no variable '\(name)'; it has: \(known)")
    }
    return entry.value
  }

  /// The text of a variable's value.
  func value(of name: String) throws -> String { String(decoding: text[try range(of: name)], as: UTF8.self) }

  func has(_ name: String) -> Bool { entries.contains { $0.name == name } }

  /// A variable that must be a whole number.
  func integer(_ name: String) throws -> Int {
    let value = try value(of: name)
    guard let number = Int(value) else {
      throw StanError(.data, "\(source): '\(name)' must be a whole number, not \(value.prefix(40))")
    }
    return number
  }

  /// The places of an array's elements.
  func elements(of name: String) throws -> [Range<Int>] {
    var scanner = JSONScanner(text, source: source, from: try range(of: name).lowerBound)
    return try scanner.array(called: name)
  }

  /// The text with a few values exchanged, and others put in front.
  func replacing(_ values: [String: [UInt8]], adding added: [(name: String, value: [UInt8])] = []) -> [UInt8]
  {
    var result: [UInt8] = [UInt8(ascii: "{")]
    for (name, value) in added + entries.map({ ($0.name, values[$0.name] ?? Array(text[$0.value])) }) {
      if result.count > 1 { result.append(UInt8(ascii: ",")) }
      result += Array("\"\(name)\":".utf8) + value
    }
    result.append(UInt8(ascii: "}"))
    return result
  }
}

/// Finds where values begin and end in JSON text.
struct JSONScanner {
  private let text: [UInt8]
  private let source: String
  private var place: Int

  init(_ text: [UInt8], source: String, from place: Int = 0) {
    self.text = text
    self.source = source
    self.place = place
  }

  /// Nesting of arrays and objects, at most.
  private static let deepest = 64

  private func failure(_ what: String) -> StanError {
    let line = 1 + text[..<min(place, text.count)].count { $0 == UInt8(ascii: "\n") }
    return StanError(.data, "\(source):\(line): \(what)")
  }

  private mutating func skipSpace() {
    while place < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[place]) { place += 1 }
  }

  private mutating func take(_ character: Character) -> Bool {
    skipSpace()
    guard place < text.count, let byte = character.asciiValue, text[place] == byte else { return false }
    place += 1
    return true
  }

  /// The members of the object that is the whole text.
  mutating func object() throws -> [(name: String, value: Range<Int>)] {
    guard take("{") else { throw failure("Stan data must be a JSON object ({\"name\": value, …})") }
    var members: [(name: String, value: Range<Int>)] = []
    if !take("}") {
      repeat {
        skipSpace()
        let name = try string()
        guard take(":") else { throw failure("a ':' is missing after \"\(name)\"") }
        members.append((name, try value()))
      } while take(",")
      guard take("}") else { throw failure("a ',' or '}' is missing") }
    }
    skipSpace()
    guard place == text.count else { throw failure("something follows the object's end") }
    return members
  }

  /// The elements of the array that begins here.
  mutating func array(called name: String) throws -> [Range<Int>] {
    guard take("[") else { throw failure("'\(name)' must be an array, to be cut into shards") }
    var elements: [Range<Int>] = []
    if take("]") { return elements }
    repeat { elements.append(try value()) } while take(",")
    guard take("]") else { throw failure("a ',' or ']' is missing in '\(name)'") }
    return elements
  }

  private mutating func string() throws -> String {
    guard take("\"") else { throw failure("a name in quotes is missing") }
    let start = place
    while place < text.count, text[place] != UInt8(ascii: "\"") {
      place += text[place] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard place < text.count else { throw failure("a text has no end") }
    defer { place += 1 }
    return String(decoding: text[start..<place], as: UTF8.self)
  }

  private mutating func value(depth: Int = 0) throws -> Range<Int> {
    skipSpace()
    guard depth < JSONScanner.deepest else { throw failure("arrays are nested too deeply") }
    let start = place
    guard place < text.count else { throw failure("a value is missing") }
    switch text[place] {
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "["):
      place += 1
      if !take("]") {
        repeat { _ = try value(depth: depth + 1) } while take(",")
        guard take("]") else { throw failure("a ',' or ']' is missing") }
      }
    case UInt8(ascii: "{"):
      place += 1
      if !take("}") {
        repeat {
          skipSpace()
          _ = try string()
          guard take(":") else { throw failure("a ':' is missing") }
          _ = try value(depth: depth + 1)
        } while take(",")
        guard take("}") else { throw failure("a ',' or '}' is missing") }
      }
    default:
      // Numbers and words such as NaN and true: whether they are any is for the model to say.
      while place < text.count, !JSONScanner.ends.contains(text[place]) { place += 1 }
      guard place > start else { throw failure("a value is missing") }
    }
    return start..<place
  }

  private static let ends: Set<UInt8> = Set(Array(",]}: \t\r\n\"[{".utf8))
}
