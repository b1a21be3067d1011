import Datasets
import Foundation
import NumericsKit
import Testing

@Suite("Sparse tables and designs")
struct SparseDataTests {
  /// LIBSVM text of rows with few numbers, and the same rows, the response last.
  static func text(rows: Int, columns: Int, seed: UInt64 = 1) -> (text: String, rows: [[Double]]) {
    var generator = SeededGenerator(seed: seed)
    var text = ""
    var table: [[Double]] = []
    for row in 0..<rows {
      let label = Double.random(in: 0..<1, using: &generator) < 0.4 ? 1.0 : -1
      text += label > 0 ? "+1" : "-1"
      var values = [Double](repeating: 0, count: columns)
      // The last column is in the last row, so that all are there; the one before in none.
      for column in 0..<columns - 2 where Double.random(in: 0..<1, using: &generator) < 0.05 {
        values[column] = Double.random(in: -3...5, using: &generator)
      }
      if row == rows - 1 { values[columns - 1] = 2 }
      for (column, value) in values.enumerated() where value != 0 { text += " \(column + 1):\(value)" }
      text += "\n"
      table.append(values + [label > 0 ? 1 : 0])
    }
    return (text, table)
  }

  /// All rows of a design, with their responses last.
  static func rows(_ design: Design) throws -> [[Double]] {
    var result: [[Double]] = []
    for row in 0..<design.manifest.rows {
      try design.withRows(row..<row + 1) { block in
        #expect((block.sparse != nil) == (design.manifest.storage == .sparse))
        var values = [Double](repeating: .nan, count: block.columns)
        block.writeDense(0..<1, into: &values)
        result.append(values + [block.responses[0]])
      }
    }
    return result
  }

  static func design(_ path: String, _ request: DesignRequest, _ scratch: Scratch) throws -> Design {
    let made = try DesignCache(folder: scratch.path + "/cache").design(
      source: DataSource(path), request: request)
    return try Design.open(folder: made.folder, expecting: made.manifest.digest)
  }

  static func request(
    standardize: Bool = true, centring: Bool? = nil, storage: MatrixStorage? = nil, intercept: Bool = true
  ) -> DesignRequest {
    var request = DesignRequest(
      response: "response", responseKind: .binary, standardize: standardize, intercept: intercept)
    request.centring = centring
    request.storage = storage
    return request
  }

  @Test("the sparse design of LIBSVM text has the numbers of the dense one", arguments: [true, false])
  func numbers(intercept: Bool) throws {
    let scratch = try Scratch()
    let made = Self.text(rows: 300, columns: 40)
    let path = try scratch.file("a.svm", made.text)
    let plain = try Self.design(path, Self.request(standardize: false, intercept: intercept), scratch)
    #expect(plain.manifest.storage == .sparse)
    let expected = made.rows.map { (intercept ? [1] : []) + $0 }
    #expect(try Self.rows(plain) == expected)
    let numbers = expected.flatMap { $0.dropLast() }.count { $0 != 0 }
    #expect(plain.manifest.nonzeros == numbers)
    #expect(plain.manifest.nonzerosPerRow == (numbers + 299) / 300)
    let dense = try Self.design(
      path, Self.request(standardize: false, storage: .dense, intercept: intercept), scratch)
    #expect(dense.manifest.storage == .dense && dense.manifest.nonzeros == nil)
    #expect(try Self.rows(dense) == expected)
  }

  @Test("columns are divided by their standard deviation, not centred; those without spread are left alone")
  func scaled() throws {
    let scratch = try Scratch()
    let made = Self.text(rows: 300, columns: 40)
    let path = try scratch.file("a.svm", made.text)
    let sparse = try Self.design(path, Self.request(), scratch)
    #expect(sparse.manifest.storage == .sparse)
    #expect(sparse.manifest.statistics.means == [Double](repeating: 0, count: 40))
    let found = try Self.rows(sparse)
    for column in 0..<40 {
      let values = made.rows.map { $0[column] }
      let mean = values.reduce(0, +) / 300
      let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 300).squareRoot()
      let scale = deviation == 0 ? 1 : deviation
      #expect(abs(sparse.manifest.statistics.standardDeviations[column] - scale) < 1e-14 * scale)
      for (row, value) in values.enumerated() {
        #expect(abs(found[row][column + 1] - value / scale) < 1e-13 * (1 + abs(value / scale)))
      }
    }
    #expect(sparse.manifest.statistics.standardDeviations[38] == 1)
    // The dense design with the same scaling.
    let dense = try Self.design(path, Self.request(centring: false, storage: .dense), scratch)
    #expect(dense.manifest.storage == .dense)
    for (a, b) in zip(try Self.rows(dense), found) {
      for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-13 * (1 + abs(y))) }
    }
    let single = try Self.design(
      path,
      {
        var request = Self.request()
        request.precision = .float32
        return request
      }(), scratch)
    #expect(try Self.rows(single) == found.map { $0.dropLast().map { Double(Float($0)) } + [$0[41]] })
  }

  @Test("density decides how LIBSVM text is stored, unless it is said; folders stay as they are")
  func storage() throws {
    let scratch = try Scratch()
    // 4 of 40 numbers, and 5.
    let thin = try scratch.file("thin.svm", "1 1:1 5:2\n0 3:1\n1 10:1\n0\n")
    let thick = try scratch.file("thick.svm", "1 1:1 5:2\n0 3:1 4:1\n1 10:1\n0\n")
    let plain = Self.request(standardize: false)
    #expect(try Self.design(thin, plain, scratch).manifest.storage == .sparse)
    #expect(try Self.design(thick, plain, scratch).manifest.storage == .dense)
    let forced = Self.request(standardize: false, storage: .sparse)
    #expect(try Self.design(thick, forced, scratch).manifest.storage == .sparse)
    let dense = Self.request(standardize: false, storage: .dense)
    #expect(try Self.design(thin, dense, scratch).manifest.storage == .dense)
    var options = ImportOptions()
    for (name, storage, isSparse) in [
      ("a", nil, true), ("s", MatrixStorage.sparse, true), ("d", MatrixStorage.dense, false),
    ] {
      options.storage = storage
      let folder = scratch.path + "/" + name
      let manifest = try DatasetImporter.importFiles(DataSource(thin), into: folder, options: options)
      #expect((manifest.nonzeros != nil) == isSparse)
      #expect(try Self.design(folder, plain, scratch).manifest.storage == (isSparse ? .sparse : .dense))
      #expect(try Self.design(folder, dense, scratch).manifest.storage == .dense)
      let profile = try DatasetProfile.read(path: folder)
      #expect(profile.isSparse == isSparse && profile.columns[0].maximum == 1)
      let text = try DatasetInspection.inspect(path: folder).description
      #expect(text.contains("% of the numbers are not 0") == isSparse)
      try Dataset.open(folder: folder).verify()
    }
    let error = datasetError { _ = try Self.design(scratch.path + "/d", forced, scratch) }
    #expect(error?.code == .badData && error?.message.contains("use storage: dense") == true)
    let csv = try scratch.file("t.csv", "a,response\n1,0\n2,1\n")
    #expect(
      datasetError { _ = try Self.design(csv, forced, scratch) }?.message.contains("LIBSVM files") == true)
    options.storage = .sparse
    #expect(
      datasetError {
        _ = try DatasetImporter.importFiles(DataSource(csv), into: scratch.path + "/x", options: options)
      }?.message.contains("LIBSVM files") == true)
  }

  @Test("what sparse rows can't be is refused: centred, grouped, shuffled by an import")
  func refusals() throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.svm", Self.text(rows: 50, columns: 40).text)
    let centred = datasetError { _ = try Self.design(path, Self.request(centring: true), scratch) }
    #expect(
      centred?.code == .badData && centred?.message.contains("set standardize: scale") == true,
      "\(centred?.message ?? "")")
    // A dense design has no such trouble, but that of a column without spread.
    let dense = datasetError {
      _ = try Self.design(path, Self.request(centring: true, storage: .dense), scratch)
    }
    #expect(dense?.message.contains("'column_39', which can't be standardised") == true)
    var grouped = Self.request(standardize: false)
    grouped.groups = ["column_1"]
    let groups = datasetError { _ = try Self.design(path, grouped, scratch) }
    #expect(groups?.message.contains("groups need dense rows: set data.storage: dense") == true)
    var options = ImportOptions(shuffleSeed: 1)
    let shuffled = datasetError {
      _ = try DatasetImporter.importFiles(DataSource(path), into: scratch.path + "/x", options: options)
    }
    #expect(shuffled?.message.contains("keeps the order of its rows") == true)
    options = ImportOptions(categoricalColumns: ["column_1"])
    #expect(
      datasetError {
        _ = try DatasetImporter.importFiles(DataSource(path), into: scratch.path + "/x", options: options)
      }?.message.contains("all columns are numbers") == true)
    #expect(!FileManager.default.fileExists(atPath: scratch.path + "/x"))
  }

  @Test(
    "rows are cut into shards anywhere, chosen columns are kept in any order, and a shuffle is the dense one")
  func shards() throws {
    let scratch = try Scratch()
    let made = Self.text(rows: 101, columns: 40)
    let path = try scratch.file("a.svm", made.text)
    let folder = scratch.path + "/table"
    var options = ImportOptions(columns: ["column_7", "response", "column_2", "column_40"], rowsPerShard: 8)
    let manifest = try DatasetImporter.importFiles(DataSource(path), into: folder, options: options)
    #expect(manifest.shards.count == 13 && manifest.rowsPerShard == 8 && manifest.rows == 101)
    let design = try Self.design(folder, Self.request(standardize: false), scratch)
    #expect(design.manifest.columns == ["intercept", "column_7", "column_2", "column_40"])
    let expected = made.rows.map { [1, $0[6], $0[1], $0[39], $0[40]] }
    #expect(try Self.rows(design) == expected)
    #expect(try design.withRows(8..<16) { $0.count } == 8)
    var shuffled = Self.request(standardize: false)
    shuffled.shuffleSeed = 3
    let sparse = try Self.design(folder, shuffled, scratch)
    shuffled.storage = .dense
    let dense = try Self.design(folder, shuffled, scratch)
    #expect(sparse.manifest.storage == .sparse && dense.manifest.storage == .dense)
    #expect(try Self.rows(sparse) == Self.rows(dense))
    #expect(try Self.rows(sparse) != expected)
    for bad in [3, 0, 1 << 30] {
      options.rowsPerShard = bad
      #expect(
        datasetError {
          _ = try DatasetImporter.importFiles(
            DataSource(path), into: scratch.path + "/bad", options: options)
        }?.message.contains("rows per shard: \(bad)") == true)
    }
  }

  @Test("test data count columns as the training data do: fewer, more, and from 0")
  func testData() throws {
    let scratch = try Scratch()
    let train = try scratch.file("train.svm", "1 1:2 30:1\n-1 2:4 29:1\n1 1:1\n-1 2:1 3:7\n")
    let fitted = try Self.design(train, Self.request(standardize: false), scratch)
    #expect(fitted.manifest.storage == .sparse)
    func test(_ text: String, _ reference: DesignStatistics) throws -> [[Double]] {
      var request = Self.request(standardize: false)
      request.reference = reference
      let path = try scratch.file("\(UUID().uuidString).svm", text)
      let folder = scratch.path + "/\(UUID().uuidString)"
      #expect(try DesignStream.build(source: DataSource(path), request: request, into: folder) == nil)
      return try Self.rows(try Self.design(path, request, scratch))
    }
    let rows = try test("1 2:5\n-1 40:3\n", fitted.manifest.statistics)
    #expect(rows.map(\.count) == [32, 32])
    #expect(rows[0][2] == 5 && rows[1].dropLast().allSatisfy { $0 == 0 || $0 == 1 })
    let wrong = datasetError { _ = try test("1 0:5\n", fitted.manifest.statistics) }
    #expect(wrong?.message.contains("has an index 0, but those of the training data start at 1") == true)
    let zero = try scratch.file("zero.svm", "1 0:2 30:1\n-1 2:4 29:1\n1 1:1\n-1 2:1 3:7\n")
    for storage in [MatrixStorage.sparse, .dense] {
      let fitted = try Self.design(zero, Self.request(standardize: false, storage: storage), scratch)
      #expect(fitted.manifest.columns.count == 32)
      #expect(fitted.manifest.statistics.hasIndexZero == true)
      // No index 0 here, and still counted from 0.
      #expect(try test("1 2:5\n", fitted.manifest.statistics)[0][3] == 5)
    }
  }

  @Test("a dense fit's test data are dense, whatever their density")
  func denseReference() throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.svm", Self.text(rows: 50, columns: 40).text)
    var request = Self.request(standardize: true, storage: .dense)
    request.features = ["column_1", "column_2", "column_3"]
    let fitted = try Self.design(path, request, scratch)
    #expect(fitted.manifest.statistics.means.contains { $0 != 0 })
    request.storage = nil
    request.reference = fitted.manifest.statistics
    let test = try Self.design(path, request, scratch)
    #expect(test.manifest.storage == .dense)
    #expect(try Self.rows(test) == Self.rows(fitted))
  }

  @Test(
    "bad LIBSVM text is refused at its line, stored sparse, too",
    arguments: badLIBSVM + [
      ("1 1:1\n0.5 2:1\n", 2, "a binary response is 0 or 1"), ("# nothing\n\n", 0, "has no records"),
      ("1 -1:1\n", 1, "holds '-1:1'"), ("1 1:1e308 2:1\n1 1:-1e308\n", 0, "its variance is not finite"),
    ])
  func badText(text: String, line: Int, reason: String) throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.svm", text)
    var options = ImportOptions(response: ResponseColumn(name: "response", kind: .binary))
    options.storage = .sparse
    let message =
      datasetError {
        _ = try DatasetImporter.importFiles(DataSource(path), into: scratch.path + "/t", options: options)
      }?.message ?? ""
    #expect(message.contains(reason), "\(message)")
    if line > 0 {
      #expect(message.hasPrefix("\(path):\(line): ") || message.contains("line \(line)"), "\(message)")
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.path + "/t"))
  }

  @Test("random text never crashes an import, and what is imported is read back", arguments: 0..<40)
  func fuzz(seed: UInt64) throws {
    let scratch = try Scratch()
    var generator = SeededGenerator(seed: seed)
    var bytes = Array(Self.text(rows: 20, columns: 30, seed: seed).text.utf8)
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      bytes[place] = UInt8.random(in: 0...255, using: &generator)
    }
    let path = try scratch.file("a.svm", bytes)
    var options = ImportOptions()
    options.storage = .sparse
    do {
      _ = try DatasetImporter.importFiles(DataSource(path), into: scratch.path + "/t", options: options)
      try Dataset.open(folder: scratch.path + "/t").verify()
    } catch let error as DatasetError {
      #expect(error.message.hasPrefix(path), "seed \(seed): \(error)")
    }
  }

  /// The manifest of a design with the digest of its first shard replaced, and its own with it.
  private func forge(_ folder: String, _ old: String, _ new: String) throws {
    let path = folder + "/manifest.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let middle = "\",\n\"manifest\": "
    let start = try #require(text.range(of: middle)).upperBound
    let body = String(text[start...].dropLast(3)).replacingOccurrences(of: old, with: new)
    let digest = Digest.of(Array(body.utf8)).description
    try "{\n\"sha256\": \"\(digest)\(middle)\(body)\n}\n".write(
      toFile: path, atomically: true, encoding: .utf8)
  }

  @Test(
    "an altered shard is refused, and so is one whose columns or rows are out of bounds under a good digest")
  func altered() throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.svm", Self.text(rows: 50, columns: 40).text)
    let made = try DesignCache(folder: scratch.path + "/cache").design(
      source: DataSource(path), request: Self.request(standardize: false))
    let shard = made.folder + "/" + made.manifest.shards[0].featureFile
    let original = try Data(contentsOf: URL(fileURLWithPath: shard))
    var digest = made.manifest.shards[0].featureSHA256
    // A bit of a number; then, with digests to match: a column that is none, two in the wrong order, an offset beyond
    // the end, one before the one before, the number of numbers.
    let places = 128 + 8 * 51
    let changes: [(at: Int, bytes: [UInt8], isForged: Bool)] = [
      (original.count - 3, [0x55], false), (places, [41, 0, 0, 0], true),
      (places, [0xFF, 0xFF, 0xFF, 0xFF], true),
      (places, [39, 0, 0, 0], true), (128 + 8, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], true),
      (128 + 16, [0, 0, 0, 0, 0, 0, 0, 0x80], true), (128, [1], true), (128 + 8 * 50, [0xFF], true),
      (128 + 8 * 50, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], true),
    ]
    for change in changes {
      var bytes = original
      bytes.replaceSubrange(change.at..<change.at + change.bytes.count, with: change.bytes)
      try bytes.write(to: URL(fileURLWithPath: shard))
      if change.isForged {
        let forged = Digest.of(Array(bytes)).description
        try forge(made.folder, digest, forged)
        digest = forged
      }
      let design = try Design.open(folder: made.folder)
      let error = datasetError { try design.withRows(0..<1) { _ in } }
      #expect(error?.code == .changed && error?.message.contains(shard) == true, "\(change)")
    }
    try original.prefix(200).write(to: URL(fileURLWithPath: shard))
    #expect(datasetError { try Design.open(folder: made.folder).verify() }?.code == .changed)
  }

  // numpy: b = np.load(file); r = 3 rows
  // offsets = b[:8 * (r + 1)].view("<i8"); m = offsets[-1]; places = b[8 * (r + 1):][:4 * m].view("<i4")
  // numbers = b[8 * (r + 1) + (4 * m + 7) // 8 * 8:].view("<f8")
  @Test("a shard is an NPY file of bytes with SciPy's three arrays")
  func layout() throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.svm", "1 1:0.5 3:-2 20:0\n-1\n1 21:4\n")
    var options = ImportOptions()
    options.storage = .sparse
    let manifest = try DatasetImporter.importFiles(
      DataSource(path), into: scratch.path + "/t", options: options)
    #expect(manifest.nonzeros == 6 && manifest.columns.count == 22)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/t/" + manifest.shards[0].file))
    let header = String(decoding: bytes[10..<128], as: UTF8.self)
    #expect(header.contains("'descr': '|u1'") && header.contains("'shape': (\(bytes.count - 128),)"))
    func numbers<Number>(_ type: Number.Type, _ start: Int, _ count: Int) -> [Number] {
      let size = MemoryLayout<Number>.size
      return (0..<count).map { index in
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start + index * size, as: type) }
      }
    }
    #expect(numbers(Int64.self, 128, 4) == [0, 3, 4, 6])
    #expect(numbers(Int32.self, 128 + 32, 6) == [0, 2, 21, 21, 20, 21])
    #expect(numbers(Double.self, 128 + 32 + 24, 6) == [0.5, -2, 1, -1, 4, 1])
    #expect(bytes.count == 128 + 32 + 24 + 48)
  }

  @Test("statistics of columns are those of all rows, zeros among them")
  func statistics() throws {
    let scratch = try Scratch()
    let made = Self.text(rows: 500, columns: 30)
    let path = try scratch.file("a.svm", made.text)
    var columns: [[DatasetManifest.Column]] = []
    for storage in MatrixStorage.allCases {
      var options = ImportOptions(response: ResponseColumn(name: "response", kind: .binary))
      options.storage = storage
      columns.append(
        try DatasetImporter.importFiles(
          DataSource(path), into: scratch.path + "/\(storage)", options: options
        ).columns)
    }
    for (a, b) in zip(columns[0], columns[1]) {
      #expect(a.name == b.name && a.minimum == b.minimum && a.maximum == b.maximum)
      #expect(abs((a.mean ?? 0) - (b.mean ?? 1)) < 1e-14)
      #expect(abs((a.standardDeviation ?? 0) - (b.standardDeviation ?? 1)) < 1e-14)
    }
  }
}
