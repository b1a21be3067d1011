import Foundation

/// The header of an NPY file (NumPy's format, versions 1 to 3): what the numbers after it are.
package struct NPYHeader: Equatable {
  /// The formats of number that are read.
  package enum Element: String, CaseIterable, Sendable {
    case float64 = "<f8"
    case float32 = "<f4"
    case int64 = "<i8"
    case int32 = "<i4"
    case uint8 = "|u1"
    case bool = "|b1"

    package var byteCount: Int {
      switch self {
      case .float64, .int64: 8
      case .float32, .int32: 4
      case .uint8, .bool: 1
      }
    }
  }

  package let element: Element
  /// `[rows]` or `[rows, columns]`, C order.
  package let shape: [Int]
  /// Where the numbers start in the file.
  package let dataOffset: Int

  package var rows: Int { shape[0] }
  package var columns: Int { shape.count == 2 ? shape[1] : 1 }
  /// The size of the whole file.
  package var fileByteCount: Int { dataOffset + rows * columns * element.byteCount }

  /// The bytes before the header's text: magic, version, length.
  private static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]
  package static let longestPreamble = 12

  /// Whether a file that starts with these bytes says that it is an NPY file.
  static func isNPY(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: magic) }

  /// The bytes of every header that is written here, so that numbers start on a cache line.
  static let writtenByteCount = 128

  /// A version 1 header of `writtenByteCount` bytes, laid out as NumPy does.
  package static func bytes(_ element: Element, shape: [Int]) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ")
    let tuple = shape.count == 1 ? "(\(sizes),)" : "(\(sizes))"
    var text = Array("{'descr': '\(element.rawValue)', 'fortran_order': False, 'shape': \(tuple), }".utf8)
    // The longest text, with two numbers of 19 digits, has 97 bytes.
    let padding = writtenByteCount - (magic.count + 4 + text.count + 1)
    text += [UInt8](repeating: UInt8(ascii: " "), count: max(0, padding)) + [UInt8(ascii: "\n")]
    return magic + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text
  }

  /// Reads the header at the start of `bytes`, which hold all of it.
  package init(_ bytes: UnsafeRawBufferPointer, name: String) throws {
    let (start, count) = try NPYHeader.extent(bytes, name: name)
    guard bytes.count >= start + count else {
      throw DatasetError(.badData, "\(name): ends within its NPY header; the file is cut off")
    }
    var literal = NPYLiteral(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
    guard let fields = literal.header() else {
      throw DatasetError(.badData, "\(name): has an NPY header that makes no sense; the file is damaged")
    }
    guard let element = Element(rawValue: fields.description) else {
      let known = Element.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      throw DatasetError(
        .badData,
        "\(name): holds numbers of type '\(fields.description.prefix(40))'; convert them to one of \(known) "
          + "(little endian)")
    }
    guard !fields.isFortranOrder else {
      throw DatasetError(
        .badData, "\(name): is in Fortran order; save it in C order (numpy.ascontiguousarray) first")
    }
    guard fields.shape.count == 1 || fields.shape.count == 2 else {
      throw DatasetError(
        .badData, "\(name): has \(fields.shape.count) dimensions; a table has one or two: [rows, columns]")
    }
    let columns = fields.shape.count == 2 ? fields.shape[1] : 1
    guard fields.shape[0] <= DatasetLimits.rows, columns >= 1, columns <= DatasetLimits.columns else {
      throw DatasetError(
        .badData,
        "\(name): has the shape \(fields.shape); a table has 1 to \(DatasetLimits.columns) columns")
    }
    let (numbers, overflow) = fields.shape[0].multipliedReportingOverflow(by: columns)
    guard !overflow, numbers < Int.max / 16 else {
      throw DatasetError(.badData, "\(name): has an impossible shape \(fields.shape); the file is damaged")
    }
    self.element = element
    self.shape = fields.shape
    self.dataOffset = start + count
  }

  /// Where the header's text starts, and its length, from the first 12 bytes.
  package static func extent(_ bytes: UnsafeRawBufferPointer, name: String) throws -> (start: Int, count: Int)
  {
    guard isNPY(bytes), bytes.count >= 10 else {
      throw DatasetError(.badData, "\(name): is not an NPY file (its first bytes are not \\x93NUMPY)")
    }
    let version = bytes[6]
    guard (1...3).contains(version), bytes[7] == 0 else {
      throw DatasetError(
        .badData, "\(name): is an NPY file of version \(version).\(bytes[7]); 1.0 to 3.0 are read")
    }
    guard version == 1 || bytes.count >= longestPreamble else {
      throw DatasetError(.badData, "\(name): ends within its NPY header; the file is cut off")
    }
    let lengthBytes = version == 1 ? 2 : 4
    let count = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    guard count <= DatasetLimits.npyHeaderBytes else {
      throw DatasetError(
        .badData, "\(name): has an NPY header of \(count) bytes; the limit is \(DatasetLimits.npyHeaderBytes)"
      )
    }
    return (8 + lengthBytes, count)
  }
}
