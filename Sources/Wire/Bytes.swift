/// Appends little-endian integers and bytes.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 64) { bytes.reserveCapacity(capacity) }

  mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ value: Double) { append(value.bitPattern) }

  mutating func append(_ values: [UInt8]) { bytes.append(contentsOf: values) }
}

/// Reads little-endian integers and bytes; never past the end.
struct ByteReader {
  private let buffer: UnsafeRawBufferPointer
  private var offset = 0

  init(_ buffer: UnsafeRawBufferPointer) { self.buffer = buffer }

  var remaining: Int { buffer.count - offset }

  mutating func integer<Value: FixedWidthInteger>() throws(WireError) -> Value {
    let size = MemoryLayout<Value>.size
    try require(size)
    defer { offset += size }
    return Value(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  mutating func double() throws(WireError) -> Double { Double(bitPattern: try integer()) }

  mutating func bytes(_ count: Int) throws(WireError) -> [UInt8] {
    try require(count)
    defer { offset += count }
    return Array(buffer[offset..<offset + count])
  }

  func requireEnd() throws(WireError) {
    guard remaining == 0 else {
      throw WireError(.malformed, "\(remaining) bytes are left over at the end of a message")
    }
  }

  private func require(_ count: Int) throws(WireError) {
    guard count >= 0, remaining >= count else {
      throw WireError(.malformed, "a message ends \(count - remaining) bytes too early")
    }
  }
}
