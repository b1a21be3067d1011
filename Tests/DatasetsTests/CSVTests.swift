import Datasets
import NumericsKit
import Testing

/// Rows of CSV text, read from memory through a buffer of a given first size.
func rows(
  _ text: [UInt8], _ options: ImportOptions = ImportOptions(),
  bufferBytes: Int = DatasetLimits.readBufferBytes
) throws -> [[Double]] {
  var table = try CSVTable(names: ["t.csv"], options: options, bufferBytes: bufferBytes) { _ in
    MemoryByteSource(text)
  }
  let row = UnsafeMutablePointer<Double>.allocate(capacity: max(1, table.columnNames.count))
  defer { row.deallocate() }
  var result: [[Double]] = []
  while try table.readRow(into: row) {
    result.append(Array(UnsafeBufferPointer(start: row, count: table.columnNames.count)))
  }
  return result
}

func rows(_ text: String, _ options: ImportOptions = ImportOptions()) throws -> [[Double]] {
  try rows(Array(text.utf8), options)
}

@Suite("Reading CSV")
struct CSVTests {
  @Test(
    "the same table is read however it is written",
    arguments: [
      "a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "\u{FEFF}a,b\n1,2\n3,4\n",
      "a,b\n1,2\n3,4\n\n\n",
      "\"a\",\"b\"\n\"1\",\"2\"\n3,4\n", " a , b\n 1 ,\t2\n3, 4 \n", "a,b\r\n1,\"2\"\r\n\"3\",4",
      "a,b\n1.0,2e0\n+3,.4e1\n",
    ])
  func spellings(text: String) throws {
    for bufferBytes in [8, 9, 10, 11, 13, 64, 1 << 20] {
      #expect(try rows(Array(text.utf8), bufferBytes: bufferBytes) == [[1, 2], [3, 4]])
    }
  }

  @Test("quoted fields hold commas, line ends and doubled quotes")
  func quoting() throws {
    let text =
      "\"the \"\"x\"\", really\",\"two\r\nlines\"\n\"p\"\"q\",1\n\"a,b\",2\n\"c\nd\",3\n\"p\"\"q\",4\n"
    for bufferBytes in [8, 9, 17, 1 << 20] {
      var table = try CSVTable(names: ["t.csv"], options: ImportOptions(), bufferBytes: bufferBytes) { _ in
        MemoryByteSource(text)
      }
      #expect(table.columnNames == ["the \"x\", really", "two\r\nlines"])
      var values: [Double] = []
      let row = UnsafeMutablePointer<Double>.allocate(capacity: 2)
      defer { row.deallocate() }
      while try table.readRow(into: row) { values += [row[0], row[1]] }
      #expect(values == [0, 1, 1, 2, 2, 3, 0, 4])
    }
  }

  @Test("lines inside quotes count, so that a later error names the right line")
  func linesInsideQuotes() {
    let error = datasetError { _ = try rows("a,b\n\"x\ny\nz\",1\nw,oops\n") }
    #expect(error?.message.hasPrefix("t.csv:5: column 2 'b'") == true)
  }

  @Test("records with missing values are dropped on request, and leave no category behind")
  func dropping() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", "a,b,c\nNA,1,x\n2,,y\n3,4,z\n5,6,\n7,8,x\n")
    let folder = scratch.path + "/t"
    let manifest = try DatasetImporter.importCSV(
      files: [file], into: folder, options: ImportOptions(missingValues: .drop))
    #expect(manifest.rows == 2)
    #expect(manifest.droppedRows == 3)
    #expect(manifest.columns[2].categories == ["x", "z"])
    #expect(manifest.columns[0].mean == 5)
  }

  @Test("an empty line of a table with one column is a missing value")
  func emptyLineOfOneColumn() throws {
    #expect(try rows("a\n1\n\n\n2\n\n", ImportOptions(missingValues: .drop)) == [[1], [2]])
    let error = datasetError { _ = try rows("a\n1\n\n2\n") }
    #expect(error?.message.contains("t.csv:3: column 1 'a': the value is missing") == true)
  }

  @Test("the read buffer does not grow with the input")
  func boundedMemory() throws {
    func bufferBytes(records: Int) throws -> (Int, Int) {
      var table = try CSVTable(names: ["t.csv"], options: ImportOptions()) { _ in
        RepeatedSource(header: "a,b\n", record: "1.5,\"2\"\n", count: records)
      }
      let row = UnsafeMutablePointer<Double>.allocate(capacity: 2)
      defer { row.deallocate() }
      var rows = 0
      while try table.readRow(into: row) { rows += 1 }
      return (table.bufferBytes, rows)
    }
    #expect(try bufferBytes(records: 300_000) == (DatasetLimits.readBufferBytes, 300_000))
    #expect(try bufferBytes(records: 3_000_000) == (DatasetLimits.readBufferBytes, 3_000_000))
  }

  @Test("a field without end stops at the limit for fields, not at the end of memory")
  func endlessField() {
    let source = RepeatedSource(header: "a\n\"", record: "xxxxxxxx", count: 1 << 40)
    let error = datasetError {
      var table = try CSVTable(names: ["t.csv"], options: ImportOptions(), bufferBytes: 16) { _ in source }
      let row = UnsafeMutablePointer<Double>.allocate(capacity: 1)
      defer { row.deallocate() }
      _ = try table.readRow(into: row)
    }
    #expect(error?.message.contains("t.csv:2: column 1 'a' has a field of more than 65536 bytes") == true)
  }
}

/// A header, then one record again and again.
struct RepeatedSource: ByteSource {
  private let record: [UInt8]
  private var header: [UInt8]
  private var remaining: Int

  init(header: String, record: String, count: Int) {
    self.header = Array(header.utf8)
    self.record = Array(record.utf8)
    remaining = count
  }

  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var count = 0
    let first = min(header.count, buffer.count)
    buffer.copyBytes(from: header[0..<first])
    header.removeFirst(first)
    count += first
    while remaining > 0, buffer.count - count >= record.count {
      UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyBytes(from: record)
      count += record.count
      remaining -= 1
    }
    if count == 0, remaining > 0 {
      // Less room than a record: put its start, and keep the rest for next time.
      header = record
      remaining -= 1
      return try read(into: buffer)
    }
    return count
  }

  mutating func finish() throws -> (byteCount: Int, digest: Digest) { (0, Digest.of([])) }
}
