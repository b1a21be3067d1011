import Datasets
import Foundation
import NumericsKit
import Testing

/// Imports that end in the middle, as they do when their process is killed, and are started again.
@Suite("Interrupted imports")
struct ResumedImportTests {
  static func text(_ rows: Int, _ level: (Int) -> String = { _ in "1" }) -> String {
    var text = "x,k,n\n"
    for row in 0..<rows {
      let number = Double(row) / 7
      text += "\(number),\(level(row)),\(row)\n"
    }
    return text
  }

  static func effort(_ progress: (@Sendable (String) -> Void)? = nil) -> ImportEffort {
    var effort = ImportEffort(threads: 2, progress: progress)
    effort.chunkBytes = 1000
    effort.journalBytes = 4000
    return effort
  }

  /// What an import leaves that ends at a row that can't be read, as if it had been killed there: the folder as it is
  /// after a full disk.
  ///
  /// The journal is the import's own; only what ends it is made up, by a source that fails as a disk does.
  static func interrupted(
    _ file: String, into folder: String, _ options: ImportOptions, after bytes: Int
  ) throws {
    let content = try Data(contentsOf: URL(fileURLWithPath: file))
    let source = CSVFile(name: file, isText: true) { FailingSource(Array(content.prefix(bytes))) }
    let error = datasetError {
      _ = try DatasetImporter.importText(
        [source], into: folder, options: options, effort: effort())
    }
    #expect(error?.code == .cannotWrite)
  }

  @Test(
    "an import goes on from its journal to the same bytes",
    arguments: ["plain", "levels", "shuffled"], [9_000, 30_000, 57_000])
  func resumes(kind: String, bytes: Int) throws {
    let scratch = try Scratch()
    let text = Self.text(4000) { kind == "levels" ? ["a", "\"b\nc\"", "d"][$0 % 3] : "2" }
    let file = try scratch.file("t.csv", text)
    let options = ImportOptions(shuffleSeed: kind == "shuffled" ? 9 : nil, rowsPerShard: 128)
    let whole = try DatasetImporter.importCSV(files: [file], into: scratch.path + "/whole", options: options)
    let folder = scratch.path + "/t"
    try Self.interrupted(file, into: folder, options, after: bytes)
    #expect(FileManager.default.fileExists(atPath: scratch.path + "/.t.partial/journal.json"))
    let told = Told()
    let resumed = try DatasetImporter.importCSV(
      files: [file], into: folder, options: options, effort: Self.effort { told.add($0) })
    #expect(told.lines.count == 1 && told.lines[0].hasPrefix("going on with an interrupted import"))
    #expect(resumed == whole)
    try Dataset.open(folder: folder).verify()
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted()
    #expect(left == ["t", "t.csv", "whole"])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        == FileManager.default.contentsOfDirectory(atPath: scratch.path + "/whole").sorted())
  }

  @Test("other options, another file or an altered shard start the import anew, and give their own bytes")
  func startsAnew() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", Self.text(4000))
    let options = ImportOptions(rowsPerShard: 128)
    let folder = scratch.path + "/t"
    for change in ["options", "file", "shard"] {
      try Self.interrupted(file, into: folder, options, after: 40_000)
      var other = options
      switch change {
      case "options": other.columns = ["n", "x"]
      case "file": _ = try scratch.file("t.csv", Self.text(4000) { "\($0 % 5)" })
      default:
        let shard = URL(fileURLWithPath: scratch.path + "/.t.partial/rows-000001.npy")
        var bytes = try Data(contentsOf: shard)
        bytes[200] ^= 1
        try bytes.write(to: shard)
      }
      let told = Told()
      let found = try DatasetImporter.importCSV(
        files: [file], into: folder, options: other, effort: Self.effort { told.add($0) })
      let expected = try DatasetImporter.importCSV(
        files: [file], into: scratch.path + "/expected", options: other)
      #expect(found == expected && told.lines.isEmpty, "\(change)")
      try FileManager.default.removeItem(atPath: folder)
      try FileManager.default.removeItem(atPath: scratch.path + "/expected")
    }
  }

  @Test("bad data leave nothing behind, also after an interrupted import")
  func badData() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", Self.text(4000) + "1,2,x\n")
    let options = ImportOptions(rowsPerShard: 128)
    try Self.interrupted(file, into: scratch.path + "/t", options, after: 40_000)
    let error = datasetError {
      try DatasetImporter.importCSV(
        files: [file], into: scratch.path + "/t", options: options, effort: Self.effort())
    }
    #expect(error?.message.hasPrefix("\(file):4002: column 3 'n' holds 'x'") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["t.csv"])
  }

  @Test("while a process imports into a folder, another one does so beside it")
  func twoAtOnce() throws {
    let scratch = try Scratch()
    let first = try StagedFolder(path: scratch.path + "/t", isKept: true)
    let second = try StagedFolder(path: scratch.path + "/t", isKept: true)
    #expect(first.isKept && !second.isKept)
    #expect(first.temporaryPath != second.temporaryPath)
  }
}

/// What an import told.
final class Told: @unchecked Sendable {
  // Sendable: `all` is read and written only while `lock` is held.
  private let lock = NSLock()
  private var all: [String] = []

  func add(_ line: String) { lock.withLock { all.append(line) } }
  var lines: [String] { lock.withLock { all } }
}

/// Bytes, then a failure like that of a disk.
private final class FailingSource: ByteSource {
  private var source: MemoryByteSource

  init(_ bytes: [UInt8]) { source = MemoryByteSource(bytes) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = try source.read(into: buffer)
    guard count > 0 else { throw DatasetError(.cannotWrite, "the disk is full") }
    return count
  }

  func finish() throws -> (byteCount: Int, digest: Digest) { try source.finish() }
}
