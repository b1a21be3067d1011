/// The beginning of NumPy's files, format version 1.0.
enum NPYHead {
  /// Of a row-major matrix; padded so that numbers begin at a multiple of 64 bytes.
  static func float64(rows: Int, columns: Int) -> [UInt8] {
    let dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    let length = (magicBytes + dictionary.utf8.count + 1 + 63) / 64 * 64 - magicBytes
    let text = dictionary + String(repeating: " ", count: length - dictionary.utf8.count - 1) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(text.utf8)
  }

  /// Magic, version and the length of what follows.
  private static let magicBytes = 10
}
