import Datasets
import Foundation
import NumericsKit
import Testing

@Suite("Design matrices")
struct DesignTests {
  /// All rows of a design, with their responses last.
  static func rows(_ design: Design) throws -> [[Double]] {
    var result: [[Double]] = []
    for row in 0..<design.manifest.rows {
      try design.withRows(row..<row + 1) { block in
        let values: [Double]
        switch block.precision {
        case .float64:
          let start = block.features.assumingMemoryBound(to: Double.self)
          values = (0..<block.columns).map { start[$0] }
        case .float32:
          let start = block.features.assumingMemoryBound(to: Float.self)
          values = (0..<block.columns).map { Double(start[$0]) }
        }
        result.append(values + [block.responses[0]])
      }
    }
    return result
  }

  /// The design of some CSV text, through a cache.
  static func design(_ csv: String, _ request: DesignRequest, _ scratch: Scratch) throws -> Design {
    let file = try scratch.file("\(UUID().uuidString).csv", csv)
    let made = try DesignCache(folder: scratch.path + "/cache").design(
      source: DataSource(file), request: request)
    return try Design.open(folder: made.folder, expecting: made.manifest.digest)
  }

  static let table = "a,b,y\n1,10,0\n2,30,1\n4,20,1\n8,25.5,0\n"

  // numpy: x = array([[1,10],[2,30],[4,20],[8,25.5]]); (x - x.mean(0)) / x.std(0)
  @Test("standardised columns are NumPy's, with the intercept first")
  func standardised() throws {
    let scratch = try Scratch()
    let request = DesignRequest(response: "y", responseKind: .binary)
    let design = try Self.design(Self.table, request, scratch)
    #expect(design.manifest.columns == ["intercept", "a", "b"])
    #expect(design.manifest.classes == ["0", "1"])
    let expected: [[Double]] = [
      [1, -1.025755289064345, -1.5245212459882442],
      [1, -0.6527533657682196, 1.1559556700350422],
      [1, 0.09325048082403138, -0.18428278797660094],
      [1, 1.5852581740085334, 0.5528483639298029],
    ]
    let actual = try Self.rows(design)
    for (row, reference) in zip(actual, expected) {
      for (value, known) in zip(row, reference) { #expect(abs(value - known) < 1e-14) }
    }
    #expect(actual.map { $0[0] } == [1, 1, 1, 1])
    #expect(actual.map { $0[3] } == [0, 1, 1, 0])
  }

  @Test("a test set is scaled by the training statistics, and its columns may come in any order")
  func reference() throws {
    let scratch = try Scratch()
    var request = DesignRequest(response: "y", responseKind: .binary)
    let training = try Self.design(Self.table, request, scratch)
    request.reference = training.manifest.statistics
    let test = try Self.design("y,extra,b,a\n1,9,10,1\n1,9,99,4\n", request, scratch)
    #expect(test.manifest.columns == ["intercept", "a", "b"])
    #expect(test.manifest.statistics == training.manifest.statistics)
    let rows = try Self.rows(test)
    #expect(rows[0][1...2] == (try Self.rows(training))[0][1...2])
    #expect(rows[1][1] == (try Self.rows(training))[2][1])
    let missing = datasetError { _ = try Self.design("y,c\n1,2\n", request, scratch) }
    #expect(missing?.code == .badData)
    #expect(missing?.message.contains("has no columns 'a', 'b'") == true)
    request.features = ["b", "a"]
    let swapped = datasetError { _ = try Self.design(Self.table, request, scratch) }
    #expect(swapped?.message.contains("are not those of the training data") == true)
  }

  @Test("without standardisation the values are the file's, in the order asked for")
  func plain() throws {
    let request = DesignRequest(
      features: ["b", "a"], response: "y", responseKind: .real, standardize: false, intercept: false)
    let scratch = try Scratch()
    let design = try Self.design(Self.table, request, scratch)
    #expect(try Self.rows(design) == [[10, 1, 0], [30, 2, 1], [20, 4, 1], [25.5, 8, 0]])
    #expect(design.manifest.statistics.means == [0, 0])
    #expect(design.manifest.statistics.standardDeviations == [1, 1])
  }

  @Test("single precision rounds the double precision values")
  func singlePrecision() throws {
    let scratch = try Scratch()
    var request = DesignRequest(response: "y", responseKind: .binary)
    let double = try Self.rows(Self.design(Self.table, request, scratch))
    request.precision = .float32
    let design = try Self.design(Self.table, request, scratch)
    let rounded = double.map { $0.map { Double(Float($0)) } }
    #expect(try Self.rows(design) == rounded)
    request.standardize = false
    let error = datasetError { _ = try Self.design("a,y\n1,0\n1e39,1\n", request, scratch) }
    #expect(error?.message.contains("column 'a' holds 1e+39, which does not fit into float32") == true)
  }

  @Test("constant columns are refused, all of them by name, only where they are standardised")
  func constantColumns() throws {
    let scratch = try Scratch()
    var request = DesignRequest(response: "y", responseKind: .binary)
    let text = "a,b,c,y\n0.1,1,5,0\n0.1,2,5,1\n0.1,3,5,1\n"
    let error = datasetError { _ = try Self.design(text, request, scratch) }
    #expect(error?.code == .badData)
    #expect(error?.message.hasPrefix("the same value in every row of columns 'a', 'c'") == true)
    request.standardize = false
    #expect(try Self.design(text, request, scratch).manifest.rows == 3)
  }

  @Test("text features become a 0/1 column for every level but the first, which are not standardised")
  func textFeatures() throws {
    let scratch = try Scratch()
    let text = "a,k,y\n1,red,0\n2,blue,1\n4,green,1\n8,blue,0\n"
    var request = DesignRequest(response: "y", responseKind: .binary)
    let training = try Self.design(text, request, scratch)
    #expect(training.manifest.columns == ["intercept", "a", "k[green]", "k[red]"])
    let statistics = training.manifest.statistics
    #expect(statistics.features == ["a", "k"] && statistics.levels == [[], ["blue", "green", "red"]])
    #expect(statistics.columns == ["a", "k[green]", "k[red]"])
    #expect(statistics.byColumn(statistics.means).dropFirst() == [0, 0])
    #expect(try Self.rows(training).map { Array($0[2...3]) } == [[0, 1], [0, 0], [1, 0], [0, 0]])
    // Test data are coded by the training data's levels, whichever they have themselves.
    request.reference = statistics
    let test = try Self.design("k,y,a\nred,1,1\ngreen,0,4\n", request, scratch)
    #expect(test.manifest.columns == training.manifest.columns)
    #expect(try Self.rows(test).map { Array($0[2...3]) } == [[0, 1], [1, 0]])
    #expect(try Self.rows(test)[0][1] == Self.rows(training)[0][1])
    request.reference = nil
    request.features = ["a"]
    #expect(try Self.design(text, request, scratch).manifest.columns == ["intercept", "a"])
  }

  @Test("a level that the training data don't have is refused by column, level and place")
  func unknownLevels() throws {
    let scratch = try Scratch()
    var request = DesignRequest(response: "y", responseKind: .binary)
    let training = try Self.design("k,y\nred,0\n3,1\nblue,1\n", request, scratch)
    request.reference = training.manifest.statistics
    // What looks like a number is a level too.
    #expect(try Self.rows(Self.design("k,y\n3,1\n", request, scratch)) == [[1, 0, 0, 1]])
    let line = datasetError { _ = try Self.design("k,y\nred,0\npink,1\n", request, scratch) }
    #expect(
      line?.message.contains(
        ".csv:3: column 1 'k' holds the level 'pink', which the training data don't have")
        == true)
    let file = try scratch.file("t.csv", "k,y\nred,0\npink,1\n")
    let folder = scratch.path + "/t"
    try DatasetImporter.importCSV(files: [file], into: folder)
    let row = datasetError {
      _ = try DesignCache(folder: scratch.path + "/cache").design(
        source: DataSource(folder), request: request)
    }
    #expect(
      row?.message.contains("row 2: column 'k' holds the level 'pink', which the training data don't have")
        == true)
    request.reference = try Self.design(
      "k,y\n1,0\n2,1\n", DesignRequest(response: "y", responseKind: .binary), scratch
    ).manifest.statistics
    let text = datasetError { _ = try Self.design("k,y\nred,0\nblue,1\n", request, scratch) }
    #expect(text?.message == "text in column 'k', where the training data have numbers")
  }

  @Test("a text column with one level, and names that clash, are refused")
  func uselessLevels() throws {
    let scratch = try Scratch()
    var request = DesignRequest(response: "y", responseKind: .binary)
    let constant = datasetError { _ = try Self.design("k,y\nred,0\nred,1\n", request, scratch) }
    #expect(constant?.message.hasPrefix("the same text in every row of column 'k'") == true)
    request.standardize = false
    let clash = datasetError { _ = try Self.design("k,k[b],y\na,1,0\nb,2,1\n", request, scratch) }
    #expect(clash?.message.contains("two columns of the design would be named 'k[b]'") == true)
  }

  /// The levels of every row.
  private static func levels(_ design: Design) throws -> [[Int32]] {
    try (0..<design.manifest.rows).map { row in
      try design.withRows(row..<row + 1) { block in
        (0..<block.groups).map { block.levels?[$0] ?? -1 }
      }
    }
  }

  @Test(
    "columns that group rows hold texts or whole numbers; they are no features, and levels of their own file")
  func groups() throws {
    let scratch = try Scratch()
    var request = DesignRequest(response: "y", responseKind: .real, groups: ["g", "h"])
    let text = "g,a,h,y\nx,1,10,1\nz,2,9,2\nx,3,10.0,3\ny,5,9,4\n"
    let training = try Self.design(text, request, scratch)
    #expect(training.manifest.columns == ["intercept", "a"])
    #expect(
      training.manifest.groups == [
        DesignGroup(name: "g", levels: ["x", "y", "z"]), DesignGroup(name: "h", levels: ["9", "10"]),
      ])
    #expect(try Self.levels(training) == [[0, 1], [2, 0], [0, 1], [1, 0]])
    request.reference = training.manifest.statistics
    // An unknown level is the number of levels.
    let test = try Self.design("h,g,a,y\n11,y,1,0\n9,w,1,0\n", request, scratch)
    #expect(try Self.levels(test) == [[1, 2], [3, 0]])
    try test.verify()
    let path = training.folder + "/levels-000000.npy"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count - 4] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    let changed = datasetError { try Design.open(folder: training.folder).verify() }
    #expect(changed?.code == .changed && changed?.message.contains(path) == true)
  }

  @Test("group columns of imported folders are integers, and errors name the row")
  func groupsOfFolders() throws {
    let scratch = try Scratch()
    let cache = DesignCache(folder: scratch.path + "/cache")
    var request = DesignRequest(response: "y", responseKind: .real, groups: ["g"])
    let file = try scratch.file("t.csv", "g,a,y\n12,1,1\n7,2,2\n12,3,3\n")
    try DatasetImporter.importCSV(files: [file], into: scratch.path + "/t")
    let made = try cache.design(source: DataSource(scratch.path + "/t"), request: request)
    #expect(made.manifest.groups == [DesignGroup(name: "g", levels: ["7", "12"])])
    #expect(try Self.levels(Design.open(folder: made.folder)) == [[1], [0], [1]])
    request.groups = ["a"]
    let real = try scratch.file("u.csv", "g,a,y\n1,1,1\n3,2.5,2\n")
    try DatasetImporter.importCSV(files: [real], into: scratch.path + "/u")
    let error = datasetError {
      _ = try cache.design(source: DataSource(scratch.path + "/u"), request: request)
    }
    #expect(error?.message.contains("row 2: column 'a' holds 2.5, but a column that groups rows") == true)
    request.groups = ["nothing"]
    let missing = datasetError {
      _ = try cache.design(source: DataSource(scratch.path + "/t"), request: request)
    }
    #expect(missing?.message.contains("has no column 'nothing'") == true)
    request.groups = ["a"]
    request.features = ["a"]
    let both = datasetError {
      _ = try cache.design(source: DataSource(scratch.path + "/t"), request: request)
    }
    #expect(both?.message == "column 'a' groups the rows and can't be a feature as well")
  }

  @Test(
    "counts are whole numbers from 0, and others are refused with their line",
    arguments: ["2.5", "-1", "1e17"])
  func counts(bad: String) throws {
    let scratch = try Scratch()
    let request = DesignRequest(response: "y", responseKind: .count, standardize: false, intercept: false)
    #expect(try Self.rows(Self.design("a,y\n1,0\n2,3.0\n", request, scratch)) == [[1, 0], [2, 3]])
    let error = datasetError { _ = try Self.design("a,y\n1,0\n2,\(bad)\n", request, scratch) }
    #expect(
      error?.message.contains(".csv:3: column 2 'y' holds '\(bad)', but a count is a whole number from 0")
        == true)
    let file = try scratch.file("t.csv", "a,y\n1,0\n2,\(bad)\n")
    try DatasetImporter.importCSV(files: [file], into: scratch.path + "/t")
    let row = datasetError {
      _ = try DesignCache(folder: scratch.path + "/cache").design(
        source: DataSource(scratch.path + "/t"), request: request)
    }
    #expect(row?.message.contains("row 2: response 'y' holds") == true)
  }

  @Test("two text categories are a binary response; the second in order is 1")
  func binaryTexts() throws {
    let scratch = try Scratch()
    var request = DesignRequest(response: "y", responseKind: .binary, standardize: false, intercept: false)
    let training = try Self.design("a,y\n1,malignant\n2,benign\n3,malignant\n", request, scratch)
    #expect(training.manifest.classes == ["benign", "malignant"])
    #expect(try Self.rows(training).map { $0[1] } == [1, 0, 1])
    request.reference = training.manifest.statistics
    let test = try Self.design("a,y\n1,malignant\n", request, scratch)
    #expect(try Self.rows(test) == [[1, 1]])
    let unknown = datasetError { _ = try Self.design("a,y\n1,malignant\n1,odd\n", request, scratch) }
    #expect(unknown?.message.contains(".csv:3: column 2 'y' holds the class 'odd'") == true)
    request.reference = nil
    let single = datasetError { _ = try Self.design("a,y\n1,benign\n2,benign\n", request, scratch) }
    #expect(
      single?.message.contains("response 'y' has the categories 'benign', but a binary one has exactly two")
        == true)
  }

  @Test("classes are integers in numerical order, or texts in byte order")
  func classes() throws {
    let scratch = try Scratch()
    var request = DesignRequest(response: "y", responseKind: .classes, standardize: false, intercept: false)
    let integers = try Self.design("a,y\n1,10\n2,9.0\n3,10\n4,-1\n5,9\n", request, scratch)
    #expect(integers.manifest.classes == ["-1", "9", "10"])
    #expect(try Self.rows(integers).map { $0[1] } == [2, 1, 2, 0, 1])
    let texts = try Self.design("a,y\n1,c\n2,B\n3,a\n", request, scratch)
    #expect(texts.manifest.classes == ["B", "a", "c"])
    request.reference = integers.manifest.statistics
    #expect(try Self.rows(Self.design("a,y\n1,9\n2,10\n", request, scratch)) == [[1, 1], [2, 2]])
    let error = datasetError { _ = try Self.design("a,y\n1,9\n2,7\n", request, scratch) }
    #expect(error?.message.contains(".csv:3: column 2 'y' holds the class '7'") == true)
    request.reference = nil
    let single = datasetError { _ = try Self.design("a,y\n1,9\n2,9\n", request, scratch) }
    #expect(single?.message.contains("has 1 different classes") == true)
  }

  @Test("an imported folder gives the same design as its file, and its errors name rows")
  func importedFolder() throws {
    let scratch = try Scratch()
    let cache = DesignCache(folder: scratch.path + "/cache")
    let text = "a,y\n1,2\n2,1\n3,2\n4,3\n"
    let file = try scratch.file("t.csv", text)
    let folder = scratch.path + "/t"
    try DatasetImporter.importCSV(files: [file], into: folder)
    var request = DesignRequest(response: "y", responseKind: .classes, standardize: false)
    let imported = try cache.design(source: DataSource(folder), request: request)
    #expect(imported.manifest.classes == ["1", "2", "3"])
    let direct = try Self.design(text, request, scratch)
    #expect(try Self.rows(Design.open(folder: imported.folder)) == Self.rows(direct))
    #expect(imported.manifest.shards == direct.manifest.shards)
    request.responseKind = .binary
    let error = datasetError { _ = try cache.design(source: DataSource(folder), request: request) }
    #expect(error?.message.contains("row 1: response 'y' holds 2.0, but a binary response is 0 or 1") == true)
    request.responseKind = .real
    request.features = []
    let textFile = try scratch.file("u.csv", "a,y\n1,high\n2,low\n")
    try DatasetImporter.importCSV(files: [textFile], into: scratch.path + "/u")
    let words = datasetError {
      _ = try cache.design(source: DataSource(scratch.path + "/u"), request: request)
    }
    #expect(words?.message == "response 'y' holds text, but a real response holds numbers")
    request.response = "z"
    let none = datasetError { _ = try cache.design(source: DataSource(folder), request: request) }
    #expect(none?.message.contains("has no column 'z'; its columns are 'a', 'y'") == true)
  }

  @Test("the response can't be a feature, and an added intercept can't share a feature's name")
  func clashes() throws {
    let scratch = try Scratch()
    var request = DesignRequest(features: ["a", "y"], response: "y", responseKind: .binary)
    let both = datasetError { _ = try Self.design(Self.table, request, scratch) }
    #expect(both?.message.contains("'y' is the response and can't be a feature as well") == true)
    request.features = []
    request.intercept = false
    let none = datasetError { _ = try Self.design(Self.table, request, scratch) }
    #expect(none?.message.contains("no features and no intercept") == true)
    request = DesignRequest(response: "y", responseKind: .binary)
    let named = datasetError { _ = try Self.design("intercept,y\n1,0\n2,1\n", request, scratch) }
    #expect(named?.message.contains("rename it or set intercept: false") == true)
  }

  @Test(
    "a table with the response alone, even in one row, is a column of ones", arguments: [nil, [String]()])
  func responseAlone(features: [String]?) throws {
    let scratch = try Scratch()
    let request = DesignRequest(features: features, response: "y", responseKind: .real)
    let design = try Self.design("y\n1.5\n", request, scratch)
    #expect(design.manifest.columns == ["intercept"] && design.manifest.statistics.features.isEmpty)
    #expect(try Self.rows(design) == [[1, 1.5]])
    #expect(try Self.rows(Self.design("y\n1\n1\n-2\n", request, scratch)) == [[1, 1], [1, 1], [1, -2]])
  }

  /// A table of more than one shard: each has 16,384 rows of 256 columns.
  static func wide(_ scratch: Scratch, rows: Int) throws -> Design {
    let columns = (0..<255).map { "c\($0)" }.joined(separator: ",")
    let tail = (1..<255).map { "\($0)" }.joined(separator: ",")
    var text = columns + ",y\n"
    for row in 0..<rows { text += "\(row),\(tail),\(row % 2)\n" }
    let request = DesignRequest(response: "y", responseKind: .binary, standardize: false)
    return try Self.design(text, request, scratch)
  }

  @Test("rows are read within a shard, from any thread, and other ranges are refused")
  func shards() async throws {
    let scratch = try Scratch()
    let design = try Self.wide(scratch, rows: 20_000)
    #expect(design.manifest.rowsPerShard == 16_384)
    #expect(design.manifest.shards.map(\.rows) == [16_384, 3616])
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for start in stride(from: 0, to: 20_000, by: 500) {
        group.addTask {
          let end = start < 16_384 ? min(start + 500, 16_384) : start + 500
          return try design.withRows(start..<end) { block in
            let features = block.features.assumingMemoryBound(to: Double.self)
            return (0..<block.count).allSatisfy { row in
              features[row * block.columns + 1] == Double(start + row)
                && features[(row + 1) * block.columns - 1] == 254
                && block.responses[row] == Double((start + row) % 2)
            }
          }
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
    for range in [0..<0, -1..<1, 16_383..<16_385, 19_999..<20_001, 20_000..<20_001, Int.max - 1..<Int.max] {
      let error = datasetError { try design.withRows(range) { _ in } }
      #expect(error?.code == .badData)
      #expect(error?.message.contains("don't lie within one shard") == true)
    }
  }

  @Test("a shard that changed is refused by the name of its file when it is first touched")
  func changedShard() throws {
    let scratch = try Scratch()
    let made = try Self.design(Self.table, DesignRequest(response: "y", responseKind: .binary), scratch)
    for name in ["features-000000.npy", "responses-000000.npy"] {
      let path = made.folder + "/" + name
      let url = URL(fileURLWithPath: path)
      let whole = try Data(contentsOf: url)
      for bytes in [whole.dropLast() + [whole[whole.count - 1] ^ 1], whole.dropLast(8), whole + [0], Data()] {
        try Data(bytes).write(to: url)
        let design = try Design.open(folder: made.folder)
        let error = datasetError { try design.withRows(0..<1) { _ in } }
        #expect(error?.code == .changed)
        #expect(error?.message.contains(path) == true)

      }
      try whole.write(to: url)
      try Design.open(folder: made.folder).verify()
    }
  }

  @Test("a design with another digest than expected is refused")
  func expectedDigest() throws {
    let scratch = try Scratch()
    let request = DesignRequest(response: "y", responseKind: .binary)
    let one = try Self.design(Self.table, request, scratch)
    let other = try Self.design("a,b,y\n1,2,0\n2,1,1\n", request, scratch)
    #expect(one.manifest.digest != other.manifest.digest)
    let error = datasetError { _ = try Design.open(folder: one.folder, expecting: other.manifest.digest) }
    #expect(error?.code == .changed)
    #expect(error?.message.hasPrefix(one.folder) == true)
  }
}
