/// Numbers as little-endian IEEE 754 binary64, as states and sums travel and as checkpoints keep them.
public enum Float64Bytes {
  /// Bytes of a number.
  public static let width = 8

  /// Encodes arrays one after the other.
  public static func encode(_ parts: [[Double]]) -> [UInt8] {
    let byteCount = parts.reduce(0) { $0 + width * $1.count }
    return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      var offset = 0
      for part in parts {
        #if _endian(little)
          part.withUnsafeBytes { raw[offset..<offset + $0.count].copyBytes(from: $0) }
          offset += width * part.count
        #else
          for value in part {
            raw.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: offset, as: UInt64.self)
            offset += width
          }
        #endif
      }
      initialized = byteCount
    }
  }

  /// Decodes arrays that come one after the other, of `counts` numbers each; the bytes must hold them.
  public static func decode(_ bytes: [UInt8], counts: [Int]) -> [[Double]] {
    bytes.withUnsafeBytes { buffer in
      var offset = 0
      return counts.map { count in
        defer { offset += width * count }
        return decode(buffer, from: offset, count: count)
      }
    }
  }

  /// Decodes `count` numbers from a byte offset; the buffer must hold them.
  public static func decode(_ bytes: UnsafeRawBufferPointer, from offset: Int, count: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      #if _endian(little)
        UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes[offset..<offset + width * count])
      #else
        for index in 0..<count {
          let bits = bytes.loadUnaligned(fromByteOffset: offset + width * index, as: UInt64.self)
          buffer.initializeElement(at: index, to: Double(bitPattern: UInt64(littleEndian: bits)))
        }
      #endif
      initialized = count
    }
  }
}
