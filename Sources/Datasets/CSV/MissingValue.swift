/// The texts that mean "no value" in a table.
enum MissingValue {
  /// Whether a field, without surrounding blanks, says that its value is missing: empty, `NA`, `N/A`, `#N/A`,
  /// `<NA>`, `NaN`, `null`, `none`, `?` or `.`, in any case.
  static func matches(_ field: UnsafeBufferPointer<UInt8>) -> Bool {
    switch field.count {
    case 0: return true
    case 1: return field[0] == UInt8(ascii: "?") || field[0] == UInt8(ascii: ".")
    case 2...4: break
    default: return false
    }
    var packed: UInt32 = 0
    for byte in field { packed = packed << 8 | UInt32(lowercase(byte)) }
    return packed == code("na") || packed == code("nan") || packed == code("n/a") || packed == code("null")
      || packed == code("none") || packed == code("<na>") || packed == code("#n/a")
  }

  /// Whether a field is a word for a number that is not finite: `inf` or `infinity`, with or without a sign.
  static func isInfinity(_ field: UnsafeBufferPointer<UInt8>) -> Bool {
    guard field.count <= 9 else { return false }
    var text = String(decoding: field, as: UTF8.self).lowercased()
    if text.hasPrefix("-") || text.hasPrefix("+") { text.removeFirst() }
    return text == "inf" || text == "infinity"
  }

  @inline(__always)
  private static func code(_ text: StaticString) -> UInt32 {
    var packed: UInt32 = 0
    for index in 0..<text.utf8CodeUnitCount { packed = packed << 8 | UInt32(text.utf8Start[index]) }
    return packed
  }

  @inline(__always)
  private static func lowercase(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}
