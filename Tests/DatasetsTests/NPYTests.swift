import Datasets
import Foundation
import NumericsKit
import Testing

/// All numbers of an NPY file in memory.
func numbers(_ bytes: [UInt8]) throws -> (shape: [Int], values: [Double]) {
  var stream = try NPYStream(source: MemoryByteSource(bytes), name: "x.npy")
  var values: [Double] = []
  while let value = try stream.next() { values.append(value) }
  return (stream.header.shape, values)
}

@Suite("Reading NPY")
struct NPYTests {
  @Test("NumPy's files are read to the same numbers")
  func golden() throws {
    let expected: [(String, [Int], [Double])] = [
      ("float64 [2, 3]", [2, 3], [1.5, -2, 3, 4, 5e-300, 6]),
      ("float32 [2, 2]", [2, 2], [1.5, -2, Double(Float(0.1)), 4]),
      ("int64 [3]", [3], [1, -2, 3]),
      ("int32 [2, 1]", [2, 1], [7, -8]),
      ("uint8 [2, 2]", [2, 2], [0, 255, 1, 2]),
      ("bool [3]", [3], [1, 0, 1]),
      ("version 2", [1, 2], [1, 2]),
      ("version 3", [1, 2], [1, 2]),
      ("norow", [0, 2], []),
    ]
    for (name, shape, values) in expected {
      let file = try numbers(NumPyFiles.bytes(name))
      #expect(file.shape == shape, "\(name)")
      #expect(file.values == values, "\(name)")
    }
  }

  @Test(
    "what is no table is refused, and the message says what to do",
    arguments: [
      ("fortran", "Fortran order"), ("big endian", "type '>f8'"), ("text", "type '<U1'"),
      ("complex", "type '<c16'"),
      ("three", "has 3 dimensions"), ("scalar", "has 0 dimensions"), ("nocol", "has the shape [2, 0]"),
      ("struct", "makes no sense"),
    ])
  func refusals(name: String, reason: String) {
    let error = datasetError { _ = try numbers(NumPyFiles.bytes(name)) }
    #expect(error?.code == .badData)
    #expect(error?.message.hasPrefix("x.npy: ") == true)
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }

  @Test("every way to cut a file off is found, and so is a byte too much")
  func cutOff() throws {
    let whole = NumPyFiles.bytes("float64 [2, 3]")
    for count in whole.indices {
      #expect(datasetError { _ = try numbers(Array(whole[0..<count])) }?.code == .badData)
    }
    let longer = datasetError { _ = try numbers(whole + [0]) }
    #expect(longer?.message.contains("goes on after its last number") == true)
  }

  /// An NPY file with any header text.
  static func file(_ header: String, version: UInt8 = 1, length: Int? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    let count = length ?? text.count
    let size = version == 1 ? 2 : 4
    return [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, version, 0]
      + (0..<size).map { UInt8(count >> (8 * $0) & 255) } + text
  }

  @Test(
    "hostile headers are refused",
    arguments: [
      "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 2), }",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 2), }",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (4503599627370496, 65536), }",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2), }",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 65537), }",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (2), }",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), 'more': 1}",
      "{'descr': '<f8', 'fortran_order': False, 'descr': '<f8', 'shape': (2,)}",
      "{'descr': '<f8', 'fortran_order': False}", "{'descr': '<f8', 'fortran_order': 0, 'shape': (2,)}",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)} x", "{", "", "{'descr", "[]",
      "{'descr': '<f\\x38'}",
    ])
  func hostileHeaders(header: String) {
    for version in [UInt8(1), 2, 3] {
      let error = datasetError { _ = try numbers(Self.file(header, version: version)) }
      #expect(error?.code == .badData)
    }
  }

  @Test("a header that says it is longer than the limit is not read")
  func longHeader() {
    let error = datasetError { _ = try numbers(Self.file("{}", version: 2, length: 1 << 31)) }
    #expect(error?.message.contains("the limit is 65536") == true)
    let version = datasetError { _ = try numbers(Self.file("{}", version: 4)) }
    #expect(version?.message.contains("version 4.0") == true)
    #expect(
      datasetError { _ = try numbers(Array("a,b\n1,2\n".utf8)) }?.message.contains("is not an NPY file")
        == true)
  }

  /// Rows of binary64 as NumPy would write them.
  static func matrix(_ values: [Double], shape: String) -> [UInt8] {
    let data = values.flatMap { value in
      (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    return file("{'descr': '<f8', 'fortran_order': False, 'shape': \(shape), }\n") + data
  }

  @Test("features and a separate response file make one table")
  func separateResponse() throws {
    let scratch = try Scratch()
    let features = try scratch.file("x.npy", Self.matrix([1, 2, 3, 4, 5, 7], shape: "(3, 2)"))
    let responses = try scratch.file("y.npy", NumPyFiles.bytes("bool [3]"))
    let request = DesignRequest(response: "response", responseKind: .binary, standardize: false)
    let made = try DesignCache(folder: scratch.path + "/cache").design(
      source: DataSource(paths: [features], responseFile: responses), request: request)
    #expect(made.manifest.columns == ["intercept", "column_1", "column_2"])
    let rows = try DesignTests.rows(Design.open(folder: made.folder))
    #expect(rows == [[1, 1, 2, 1], [1, 3, 4, 0], [1, 5, 7, 1]])
    let short = try scratch.file("short.npy", Self.matrix([1, 2], shape: "(2,)"))
    let error = datasetError {
      try DatasetImporter.importNPY(files: [features], responseFile: short, into: scratch.path + "/t")
    }
    #expect(error?.message.contains("don't have the same number of rows") == true)
  }

  @Test("missing, infinite and impossible values are refused by file, row and column")
  func badValues() throws {
    let scratch = try Scratch()
    let missing = try scratch.file("m.npy", Self.matrix([1, 2, .nan, 4], shape: "(2, 2)"))
    let infinite = try scratch.file("i.npy", Self.matrix([1, 2, 3, -.infinity], shape: "(2, 2)"))
    func message(_ file: String, _ options: ImportOptions = ImportOptions()) -> String {
      datasetError {
        try DatasetImporter.importNPY(files: [file], into: scratch.path + "/t", options: options)
      }?.message ?? ""
    }
    #expect(message(missing).hasPrefix("\(missing): row 2: column 1 'column_1': the value is missing (NaN)"))
    #expect(message(infinite).hasPrefix("\(infinite): row 2: column 2 'column_2' holds -inf"))
    let options = ImportOptions(response: ResponseColumn(name: "column_2", kind: .binary))
    let table = try scratch.file("b.npy", Self.matrix([1, 0, 3, 7], shape: "(2, 2)"))
    #expect(message(table, options).hasPrefix("\(table): row 2: column 2 'column_2' holds 7.0, but a binary"))
    let dropped = try DatasetImporter.importNPY(
      files: [missing], into: scratch.path + "/t", options: ImportOptions(missingValues: .drop))
    #expect(dropped.rows == 1 && dropped.droppedRows == 1)
  }
}
