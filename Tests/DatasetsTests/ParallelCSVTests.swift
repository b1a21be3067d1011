import Datasets
import Foundation
import NumericsKit
import Testing

/// What reading a table gives: its rows up to the first error, that error, and the records left out.
struct Reading: Equatable {
  var rows: [[Double]] = []
  var error: DatasetError?
  var dropped = 0

  /// By one thread, from one buffer.
  static func sequential(_ texts: [[UInt8]], _ options: ImportOptions) -> Reading {
    var reading = Reading()
    do {
      var table = try CSVTable(names: texts.indices.map { "\($0).csv" }, options: options) {
        MemoryByteSource(texts[$0])
      }
      defer { reading.dropped = table.droppedRows }
      let row = UnsafeMutablePointer<Double>.allocate(capacity: max(1, table.columnNames.count))
      defer { row.deallocate() }
      while try table.readRow(into: row) {
        reading.rows.append(Array(UnsafeBufferPointer(start: row, count: table.columnNames.count)))
      }
    } catch {
      reading.error = error as? DatasetError
    }
    return reading
  }

  /// In chunks, by several threads.
  static func parallel(
    _ texts: [[UInt8]], _ options: ImportOptions, threads: Int, chunkBytes: Int, most: Int
  ) -> Reading {
    var reading = Reading()
    do {
      let files = texts.enumerated().map { index, text in
        CSVFile(name: "\(index).csv", isText: true) { MemoryByteSource(text) }
      }
      var table = try ParallelCSVTable(
        files, options: options, threads: threads, chunkBytes: chunkBytes, most: most)
      defer { reading.dropped = table.droppedRows }
      let row = UnsafeMutablePointer<Double>.allocate(capacity: max(1, table.columnNames.count))
      defer { row.deallocate() }
      while try table.readRow(into: row) {
        reading.rows.append(Array(UnsafeBufferPointer(start: row, count: table.columnNames.count)))
      }
    } catch {
      reading.error = error as? DatasetError
    }
    return reading
  }
}

@Suite("Reading CSV with several threads")
struct ParallelCSVTests {
  @Test(
    "line ends in quotes, CRLF, empty lines and a last line without an end are read alike wherever texts are cut"
  )
  func everyCut() {
    let texts = [
      "a,b\n1,2\n3,4\n5,6\n", "a,b\r\n1,2\r\n3,4\r\n5,6",
      "k,\"n \"\"q\"\"\"\n\"r\n,d\",1\n\"gre\r\n\"\"en\",2\nred,3\n",
      "a\n1\n\n\n2\n\n", "\u{FEFF}a,b\n\"1\",2\n\"3\",\"4\"\n\n\n", "a,k\n1,x\n2,\n3,y\n,z\n4,w\n5,x\n",
      "a,b\n1,2\n\n3,4\n", "a,b\n1,2\n3,\"4\n5,6\n", "a,b\n1,2\n3,x\n5,6\n", "a,b\n1,2\n3,4,5\n",
      "a,b\n1,\"2\"x\n3,4\n",
    ].map { Array($0.utf8) }
    for text in texts {
      for missing in MissingValues.allCases {
        let options = ImportOptions(missingValues: missing)
        let expected = Reading.sequential([text], options)
        for chunkBytes in 1...text.count + 1 {
          for most in [chunkBytes, 2 * chunkBytes, 1 << 20] {
            let found = Reading.parallel([text], options, threads: 1, chunkBytes: chunkBytes, most: most)
            #expect(found == expected, "\(String(decoding: text, as: UTF8.self)) in \(chunkBytes), \(most)")
          }
        }
      }
    }
  }

  @Test("mutated files give the same rows, dropped records and errors, whatever the chunks and threads")
  func fuzz() {
    let seed: UInt64 = 11
    print("parallel CSV fuzz seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let bases = [
      "a,b\n1,2\n3,4\n5,6\n7,8\n", "\u{FEFF}x,y\r\n1.5e3,\"2\"\r\n-.25,\"4\"\r\n1,1\r\n",
      "k,\"n \"\"q\"\"\"\nred,1\n\"gre\nen\",2\n\"b\r\n\"\"l\",3\nred,4\n", "a\n1\n\n2\n\n\n3\n",
      "a,y,c\n1,no,0.1\n2,yes,0.2\n3,no,NA\n4,maybe,\n5,yes,0.5\n", "k\n1\n01\n1.0\nx\n2\nx\n",
    ].map { Array($0.utf8) }
    let special = Array("\",\n\r\0 \t.eE+-019NAxyz;?\n\n\"\"".utf8) + [0xEF, 0xBB, 0xBF, 0xFF]
    var refused = 0
    let count = 8_000
    for round in 0..<count {
      let texts = (0..<Int.random(in: 1...2, using: &generator)).map { _ -> [UInt8] in
        FuzzTests.mutate(bases.randomElement(using: &generator) ?? [], special, &generator)
      }
      var options = ImportOptions(missingValues: Bool.random(using: &generator) ? .drop : .error)
      if Int.random(in: 0..<3, using: &generator) == 0 {
        options.response = ResponseColumn(
          name: ["y", "k"].randomElement(using: &generator) ?? "y",
          kind: ResponseKind.allCases.randomElement(using: &generator) ?? .real)
      }
      let chunkBytes = Int.random(in: 1...40, using: &generator)
      let most = chunkBytes + Int.random(in: 0...60, using: &generator)
      let expected = Reading.sequential(texts, options)
      let found = Reading.parallel(
        texts, options, threads: round % 8 == 0 ? 3 : 1, chunkBytes: chunkBytes, most: most)
      if found != expected {
        Issue.record(
          "\(texts), \(chunkBytes), \(most): \(found) but \(expected), round \(round), seed \(seed)")
      }
      if expected.error != nil { refused += 1 }
    }
    #expect(refused > count / 10 && count - refused > count / 50, "\(refused) of \(count) are refused")
  }

  @Test(
    "an import gives the same manifest, shards and digests, however many threads read however small chunks")
  func manifests() throws {
    let scratch = try Scratch()
    var generator = SeededGenerator(seed: 5)
    var text = "x,k,\"a\nb\"\n"
    for row in 0..<3000 {
      let level = ["red", "\"gr\neen\"", "\"b,\"\"lue\"", "1.0"].randomElement(using: &generator) ?? ""
      text += "\(Double.random(in: -1...1, using: &generator)),\(level),\(row)\n"
    }
    let file = try scratch.file("t.csv", text)
    for (name, options) in [
      ("plain", ImportOptions(columns: ["x", "a\nb"], rowsPerShard: 256)),
      ("levels", ImportOptions(rowsPerShard: 512)),
      ("shuffled", ImportOptions(shuffleSeed: 3, rowsPerShard: 512)),
    ] {
      var manifests: [DatasetManifest] = []
      for (threads, chunkBytes) in [(1, 1 << 20), (1, 777), (2, 300), (4, 2000), (3, 40_000)] {
        var effort = ImportEffort(threads: threads)
        effort.chunkBytes = chunkBytes
        manifests.append(
          try DatasetImporter.importCSV(
            files: [file], into: "\(scratch.path)/\(name)-\(threads)-\(chunkBytes)", options: options,
            effort: effort))
      }
      #expect(manifests.allSatisfy { $0 == manifests[0] })
      #expect(manifests[0].rows == 3000)
      #expect(manifests[0].source.map(\.sha256) == [Digest.of(text).description])
    }
  }

  @Test("a category too many is refused at its line, with chunks as without")
  func categoryLimit() {
    var lines = (0..<999).map { "\($0)\n" } + (0..<500).map { "\($0)\n" }
    lines += ["1000\n", "1001\n"]
    let text = Array(("y\n" + lines.joined()).utf8)
    let options = ImportOptions(response: ResponseColumn(name: "y", kind: .classes))
    let expected = Reading.sequential([text], options)
    #expect(expected.error?.message.hasPrefix("0.csv:1502: column 1 'y' has more than 1000") == true)
    #expect(
      Reading.parallel([text], options, threads: 2, chunkBytes: 500, most: 1 << 16).error == expected.error)
  }

  @Test("which limit a field or record passes does not depend on where buffers end")
  func limits() {
    let long = String(repeating: "\"\"", count: 40_000)
    for text in ["a\n\"\(long)\"\n", "a,b\n1,x\(String(repeating: "y", count: 66_000))\"\n"] {
      let bytes = Array(text.utf8)
      let messages = [8, 70_000, 1 << 20].map { size in
        datasetError { _ = try rows(bytes, bufferBytes: size) }?.message ?? ""
      }
      #expect(messages[0].contains("more than 65536 bytes"), "\(messages)")
      #expect(Set(messages).count == 1)
    }
  }
}
