import Foundation
import NumericsKit

/// Reads the numbers of an NPY source one after the other, as binary64, in bounded memory.
package struct NPYStream<Source: ByteSource>: ~Copyable {
  package let header: NPYHeader
  package let name: String
  private var source: Source
  private let buffer: UnsafeMutableRawBufferPointer
  private var position = 0
  private var limit = 0
  private var remaining: Int

  package init(source: Source, name: String) throws {
    var source = source
    // The buffer holds any header that is not refused, and starts on a boundary of every element.
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: DatasetLimits.npyHeaderBytes + NPYHeader.longestPreamble, alignment: 16)
    var count = 0
    do {
      try NPYStream.fill(&source, buffer, &count, upTo: NPYHeader.longestPreamble)
      let known = UnsafeRawBufferPointer(rebasing: buffer[0..<count])
      let (start, length) = try NPYHeader.extent(known, name: name)
      try NPYStream.fill(&source, buffer, &count, upTo: start + length)
      header = try NPYHeader(UnsafeRawBufferPointer(rebasing: buffer[0..<count]), name: name)
    } catch {
      buffer.deallocate()
      throw error
    }
    self.name = name
    self.source = source
    self.buffer = buffer
    remaining = header.rows * header.columns
    // What was read beyond a short header (a version 1 file of 10 + 1 bytes, say) belongs to the numbers.
    position = header.dataOffset
    limit = count
  }

  deinit { buffer.deallocate() }

  private static func fill(
    _ source: inout Source, _ buffer: UnsafeMutableRawBufferPointer, _ count: inout Int, upTo needed: Int
  ) throws {
    while count < needed {
      let read = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count..<needed]))
      if read == 0 { return }
      count += read
    }
  }

  /// The next number; nil after the last one. Throws if the file ends early or goes on after its last number.
  package mutating func next() throws -> Double? {
    let size = header.element.byteCount
    if remaining == 0 {
      if limit - position == 0 { try refill() }
      guard limit == position else {
        throw DatasetError(.badData, "\(name): goes on after its last number; the file is damaged")
      }
      return nil
    }
    while limit - position < size {
      let before = limit - position
      try refill()
      guard limit - position > before else {
        throw DatasetError(
          .badData, "\(name): ends before its last number (shape \(header.shape)); the file is cut off")
      }
    }
    let bytes = UnsafeRawBufferPointer(buffer)
    let value: Double
    switch header.element {
    case .float64:
      value = Double(
        bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
    case .float32:
      value = Double(
        Float(
          bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))))
    case .int64:
      value = Double(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int64.self)))
    case .int32:
      value = Double(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int32.self)))
    case .uint8: value = Double(bytes[position])
    case .bool: value = bytes[position] == 0 ? 0 : 1
    }
    position += size
    remaining -= 1
    return value
  }

  private mutating func refill() throws {
    let kept = limit - position
    if kept > 0 { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[position..<limit])) }
    position = 0
    limit = kept
    limit += try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[limit...]))
  }

  /// The size and digest of the source. Ends it.
  package mutating func finish() throws -> (byteCount: Int, digest: Digest) { try source.finish() }
}
