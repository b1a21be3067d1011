/// Reads the Python dictionary literal of an NPY header: exactly the keys `descr`, `fortran_order` and `shape`.
struct NPYLiteral {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// nil if the literal is anything else.
  mutating func header() -> (description: String, isFortranOrder: Bool, shape: [Int])? {
    var description: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    guard take("{") else { return nil }
    while !take("}") {
      guard let key = string(), take(":") else { return nil }
      switch key {
      case "descr" where description == nil:
        description = string()
        if description == nil { return nil }
      case "fortran_order" where isFortranOrder == nil:
        isFortranOrder = take("True") ? true : take("False") ? false : nil
        if isFortranOrder == nil { return nil }
      case "shape" where shape == nil:
        shape = tuple()
        if shape == nil { return nil }
      default: return nil
      }
      if !take(",") {
        guard take("}") else { return nil }
        break
      }
    }
    skipBlanks()
    guard position == bytes.count, let description, let isFortranOrder, let shape else { return nil }
    return (description, isFortranOrder, shape)
  }

  private mutating func skipBlanks() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ token: StaticString) -> Bool {
    skipBlanks()
    let count = token.utf8CodeUnitCount
    guard bytes.count - position >= count else { return false }
    for index in 0..<count where bytes[position + index] != token.utf8Start[index] { return false }
    position += count
    return true
  }

  private mutating func string() -> String? {
    skipBlanks()
    guard position < bytes.count else { return nil }
    let quote = bytes[position]
    guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    let start = position + 1
    guard let end = bytes[start...].firstIndex(of: quote) else { return nil }
    position = end + 1
    let text = bytes[start..<end]
    guard text.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { return nil }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func tuple() -> [Int]? {
    guard take("(") else { return nil }
    var sizes: [Int] = []
    while !take(")") {
      guard sizes.count < 32, let size = integer() else { return nil }
      sizes.append(size)
      if !take(",") {
        // Without a comma, parentheses around one number make no tuple.
        guard sizes.count > 1, take(")") else { return nil }
        break
      }
    }
    return sizes
  }

  private mutating func integer() -> Int? {
    skipBlanks()
    let start = position
    while position < bytes.count, bytes[position] &- 0x30 <= 9 { position += 1 }
    guard position > start, position - start <= 19 else { return nil }
    let value = Int(String(decoding: bytes[start..<position], as: UTF8.self))
    // Python 2 wrote long integers with an L.
    _ = take("L")
    return value
  }
}
