import Datasets
import Foundation
import NumericsKit
import Testing

@Suite("Importing tables")
struct ImportTests {
  /// The values of a table, by way of an unscaled design: `columns` then the response.
  static func values(_ folder: String, response: String, _ cache: Scratch) throws -> [[Double]] {
    let request = DesignRequest(response: response, responseKind: .real, standardize: false, intercept: false)
    let made = try DesignCache(folder: cache.path + "/cache").design(
      source: DataSource(folder), request: request)
    return try DesignTests.rows(Design.open(folder: made.folder))
  }

  static let hundred = "a,b\n" + (0..<100).map { "\($0),\($0 * $0)\n" }.joined()

  @Test("shards are NPY files with a power of two of rows, and the manifest has their digests")
  func shards() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", Self.hundred)
    let folder = scratch.path + "/t"
    let manifest = try DatasetImporter.importCSV(
      files: [file], into: folder, options: ImportOptions(rowsPerShard: 32))
    #expect(manifest.shards.map(\.rows) == [32, 32, 32, 4])
    #expect(manifest.shards.map(\.file).last == "rows-000003.npy")
    var first = 0
    for shard in manifest.shards {
      let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: folder + "/" + shard.file)))
      #expect(Digest.of(bytes).description == shard.sha256)
      let (shape, values) = try numbers(bytes)
      #expect(shape == [shard.rows, 2])
      let expected: [Double] = (first..<first + shard.rows).flatMap { (row: Int) -> [Double] in
        [Double(row), Double(row * row)]
      }
      #expect(values == expected)
      first += shard.rows
    }
    #expect(manifest.source.map(\.name) == ["t.csv"])
    #expect(manifest.source.map(\.sha256) == [Digest.of(Self.hundred).description])
    #expect(try Dataset.open(folder: folder).manifest == manifest)
    for rows in [0, -1, 3, 1 << 60] {
      let error = datasetError {
        try DatasetImporter.importCSV(
          files: [file], into: scratch.path + "/u", options: ImportOptions(rowsPerShard: rows))
      }
      #expect(error?.message.contains("not a power of two") == true)
    }
  }

  // numpy: x.min(0), x.max(0), x.mean(0), x.std(0) of x = [[1e9 + i/8, -i] for i in range(1000)]
  @Test("statistics are NumPy's, also where the mean is large against the deviation")
  func statistics() throws {
    let scratch = try Scratch()
    let lines = (0..<1000).map { "\(1e9 + Double($0) / 8),\(-$0)\n" }.joined()
    let file = try scratch.file("t.csv", "a,b\n" + lines)
    let columns = try DatasetImporter.importCSV(files: [file], into: scratch.path + "/t").columns
    #expect(columns[0].minimum == 1e9 && columns[0].maximum == 1_000_000_124.875)
    #expect(abs((columns[0].mean ?? 0) - 1_000_000_062.4375) < 1e-6)
    #expect(abs((columns[0].standardDeviation ?? 0) / 36.08437378215119 - 1) < 1e-12)
    #expect(abs((columns[1].mean ?? 0) + 499.5) < 1e-12)
    #expect(abs((columns[1].standardDeviation ?? 0) / 288.6749902572095 - 1) < 1e-14)
  }

  @Test("a shuffle by seed is a permutation, the same every time, and another one for another seed")
  func shuffle() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", Self.hundred)
    func shuffled(_ seed: UInt64, _ name: String) throws -> [[Double]] {
      let folder = scratch.path + "/" + name
      try DatasetImporter.importCSV(
        files: [file], into: folder, options: ImportOptions(shuffleSeed: seed, rowsPerShard: 16))
      return try Self.values(folder, response: "b", scratch)
    }
    let once = try shuffled(7, "once")
    let original = (0..<100).map { (row: Int) -> [Double] in [Double(row), Double(row * row)] }
    #expect(once != original)
    #expect(once.sorted { $0[0] < $1[0] } == original)
    #expect(try shuffled(7, "again") == once)
    #expect(try shuffled(8, "other") != once)
  }

  @Test("a shuffle of any small number of rows is a permutation")
  func smallShuffles() throws {
    let scratch = try Scratch()
    for count in 1...20 {
      let file = try scratch.file("t.csv", "a,b\n" + (0..<count).map { "\($0),0\n" }.joined())
      let folder = "\(scratch.path)/\(count)"
      try DatasetImporter.importCSV(files: [file], into: folder, options: ImportOptions(shuffleSeed: 3))
      let values = try Self.values(folder, response: "b", scratch).map { $0[0] }
      #expect(values.sorted() == (0..<count).map(Double.init))
    }
  }

  @Test("texts become categories in an order that does not depend on the rows; integers sort as numbers")
  func categories() throws {
    let scratch = try Scratch()
    let text = "k,n,z\nb,10,é\na,9,e\nb,10,z\n"
    let file = try scratch.file("t.csv", text)
    let options = ImportOptions(categoricalColumns: ["n"])
    let columns = try DatasetImporter.importCSV(files: [file], into: scratch.path + "/t", options: options)
      .columns
    #expect(columns[0].categories == ["a", "b"])
    #expect(columns[0].categoryCounts == [1, 2])
    #expect(columns[1].categories == ["9", "10"])
    #expect(columns[2].categories == ["e", "z", "é"])
    #expect(columns.allSatisfy { $0.kind == .categorical && $0.mean == nil })
    let shard = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/t/rows-000000.npy"))
    #expect(try numbers(Array(shard)).values == [1, 1, 2, 0, 0, 0, 1, 1, 1])
  }

  @Test("several files are one table, with categories and statistics of all of it")
  func severalFiles() throws {
    let scratch = try Scratch()
    let first = try scratch.file("1.csv", "a,k\n1,z\n2,y\n")
    let second = try scratch.file("2.csv", "a,k\r\n3,x\r\n6,z")
    let whole = try scratch.file("3.csv", "a,k\n1,z\n2,y\n3,x\n6,z\n")
    let parts = try DatasetImporter.importCSV(files: [first, second], into: scratch.path + "/parts")
    let one = try DatasetImporter.importCSV(files: [whole], into: scratch.path + "/one")
    #expect(parts.columns == one.columns)
    #expect(parts.shards == one.shards)
    #expect(parts.columns[0].mean == 3)
  }

  @Test("only the columns asked for are read, in the order asked for")
  func columns() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", "a,b,c\n1,x,3\n4,,6\n")
    let manifest = try DatasetImporter.importCSV(
      files: [file], into: scratch.path + "/t", options: ImportOptions(columns: ["c", "a"]))
    #expect(manifest.columns.map(\.name) == ["c", "a"])
    #expect(manifest.columns.map(\.mean) == [4.5, 2.5])
  }

  @Test("a folder that can't be written is exit code 73 by name, and a failed import leaves nothing behind")
  func cannotWrite() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", Self.hundred)
    let below = datasetError { try DatasetImporter.importCSV(files: [file], into: file + "/t") }
    #expect(below?.code == .cannotWrite)
    #expect(below?.code.exitCode == 73)
    #expect(below?.message.contains(file) == true)
    let taken = scratch.path + "/taken"
    try DatasetImporter.importCSV(files: [file], into: taken)
    let again = datasetError { try DatasetImporter.importCSV(files: [file], into: taken) }
    #expect(again?.code == .cannotWrite)
    #expect(again?.message.contains("already exists") == true)
    let bad = try scratch.file("bad.csv", "a,b\n1,2\n3,x\n")
    _ = datasetError { try DatasetImporter.importCSV(files: [bad], into: scratch.path + "/bad") }
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted()
    #expect(left == ["bad.csv", "t.csv", "taken"])
  }

  @Test(
    "a full disk is exit code 73 by name", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func diskFull() {
    let descriptor = open("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    let bytes: [UInt8] = [1, 2, 3]
    let error = datasetError {
      try bytes.withUnsafeBytes { try FileSystem.writeAll(descriptor, $0, path: "/dev/full") }
    }
    #expect(error?.code == .cannotWrite)
    #expect(error?.message.hasPrefix("/dev/full: can't be written (No space left on device)") == true)
  }

  @Test("values whose variance is not finite are refused by column")
  func overflow() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", "a,b\n1,1e300\n2,-1e300\n")
    let error = datasetError { try DatasetImporter.importCSV(files: [file], into: scratch.path + "/t") }
    #expect(error?.message.hasPrefix("\(file): column 'b' has values so large") == true)
  }

  @Test("an inspection describes files and imported folders alike")
  func inspection() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", "a,k\n1,x\n3,y\n2,\n5,x\n")
    let options = ImportOptions(missingValues: .drop)
    try DatasetImporter.importCSV(files: [file], into: scratch.path + "/t", options: options)
    let text = try DatasetInspection.inspect(path: file)
    let folder = try DatasetInspection.inspect(path: scratch.path + "/t")
    #expect(text.columns == folder.columns)
    #expect(text.rows == 3 && folder.rows == 3 && text.incompleteRows == 1 && folder.incompleteRows == 1)
    #expect(text.missingValues == [0, 1])
    let dataset = try Dataset.open(folder: scratch.path + "/t")
    #expect(folder.digest == dataset.digest.description && text.digest == nil)
    #expect(text.description.contains("3 rows, 2 columns, and 1 with missing values"))
    #expect(text.description.contains("x (2), y (1)"))
    let json = try JSONEncoder().encode(folder)
    #expect(try JSONDecoder().decode(DatasetInspection.self, from: json).columns == folder.columns)
    #expect(datasetError { _ = try DatasetInspection.inspect(path: scratch.path + "/no") }?.code == .noInput)
  }
}
