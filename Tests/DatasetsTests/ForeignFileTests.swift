import Datasets
import Foundation
import TestKit
import Testing

/// Files that other programs wrote.
@Suite("HDF5, Parquet and LIBSVM files", .serialized)
struct ForeignFileTests {
  static let python = PythonEnvironment.withTables
  static let missing = PythonEnvironment.unavailable([python])

  /// Runs a Python program in a folder.
  static func run(_ program: String, in folder: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python.python)
    process.arguments = ["-c", program]
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }

  /// What an import makes of a file.
  static func values(_ path: String, _ options: ImportOptions = ImportOptions()) throws -> (
    names: [String], rows: [[Double]], categories: [[String]]
  ) {
    let scratch = try Scratch()
    let manifest = try DatasetImporter.importFiles(
      DataSource(path), into: scratch.path + "/table", options: options)
    let names = manifest.columns.map(\.name)
    var rows: [[Double]] = []
    for shard in manifest.shards {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/table/" + shard.file))
      let values = try numbers(Array(bytes)).values
      rows += (0..<shard.rows).map { Array(values[$0 * names.count..<($0 + 1) * names.count]) }
    }
    return (names, rows, manifest.columns.map(\.categories))
  }

  static let h5py = """
    import h5py, numpy as np
    rows = np.arange(200_000)
    with h5py.File("matrix.h5", "w") as f:
        f.create_dataset("run/X", data=np.stack([rows / 3, -rows, rows % 7], 1), chunks=(999, 2), compression="gzip")
    with h5py.File("columns.h5", "w") as f:
        f["t/b"] = np.arange(5, dtype="i2"); f["t/a"] = np.arange(5, dtype="f4") / 2
        f["t/z"] = np.array([True, False, True, True, False])
    with h5py.File("rows.h5", "w") as f:
        f["t"] = np.array([(1, 2.5, 3), (4, np.nan, 6)], dtype=[("y", "i1"), ("x", "f4"), ("w", ">i8")])
    with h5py.File("bad.h5", "w") as f:
        f["a"] = np.arange(3); f["b"] = np.zeros((3, 2)); f["k"] = np.array([b"x", b"y"])
    """

  @Test(
    "what h5py writes is read: a matrix in compressed chunks, columns, a structured array",
    .enabled(if: missing == nil, "\(missing ?? "")"))
  func hdf5() throws {
    let scratch = try Scratch()
    try Self.run(Self.h5py, in: scratch.path)
    let matrix = try Self.values(scratch.path + "/matrix.h5")
    #expect(matrix.names == ["column_1", "column_2", "column_3"])
    var expected: [[Double]] = []
    for row in 0..<200_000 {
      let number = Double(row)
      expected.append([number / 3, -number, Double(row % 7)])
    }
    #expect(matrix.rows == expected)
    let columns = try Self.values(scratch.path + "/columns.h5")
    #expect(columns.names == ["a", "b", "z"])
    #expect(columns.rows == [[0, 0, 1], [0.5, 1, 0], [1, 2, 1], [1.5, 3, 1], [2, 4, 0]])
    #expect(try Self.values(scratch.path + "/columns.h5::/t/a").rows == [[0], [0.5], [1], [1.5], [2]])
    let rows = try Self.values(
      scratch.path + "/rows.h5", ImportOptions(missingValues: .drop, columns: ["w", "x"]))
    #expect(rows.names == ["w", "x"] && rows.rows == [[3, 2.5]])
    let error = datasetError { _ = try Self.values(scratch.path + "/rows.h5") }
    #expect(error?.message.contains("rows.h5: row 2: column 2 'x': the value is missing") == true)
    let manifest = try DatasetImporter.importFiles(
      DataSource(scratch.path + "/matrix.h5"), into: scratch.path + "/table")
    #expect(manifest.rows == 200_000 && manifest.columns[2].maximum == 6)
    let cache = DesignCache(folder: scratch.path + "/cache")
    func design(_ path: String) throws -> Int {
      try cache.design(
        source: DataSource(path),
        request: DesignRequest(response: "z", responseKind: .binary, standardize: false)
      ).manifest.rows
    }
    #expect(try design(scratch.path + "/columns.h5::/t") == 5)
  }

  @Test(
    "HDF5 files without a table in them are refused by name", .enabled(if: missing == nil, "\(missing ?? "")")
  )
  func badHDF5() throws {
    let scratch = try Scratch()
    try Self.run(Self.h5py, in: scratch.path)
    for (path, reason) in [
      ("bad.h5", "say which one to read"), ("bad.h5::/q", "there is no '/q' in it; it holds 'a', 'b', 'k'"),
      ("bad.h5::/k", "texts or other things"),
    ] {
      let error = datasetError { _ = try Self.values(scratch.path + "/" + path) }
      #expect(error?.code == .badData && error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }
    let cut = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/matrix.h5")).prefix(5000)
    let path = try scratch.file("cut.h5", Array(cut))
    #expect(
      datasetError { _ = try Self.values(path) }?.message.contains("is it an HDF5 file, and whole?") == true)
  }

  @Test(
    "what DuckDB writes as Parquet is read: numbers to their last bit, texts as categories",
    .enabled(if: missing == nil, "\(missing ?? "")"))
  func parquet() throws {
    let scratch = try Scratch()
    let duckdb = Self.python.command("duckdb")
    setenv("ISOMIX_DUCKDB", duckdb, 1)
    let path = scratch.path + "/it's.parquet"
    let place = path.replacingOccurrences(of: "'", with: "''")
    let columns =
      "i::DOUBLE / 3 AS a, i % 2 = 0 AS \"b\"\"x\", i::FLOAT / 3::FLOAT AS f, 'r\n,\"' || i % 3 AS k"
    let query = "COPY (SELECT \(columns) FROM range(50000) t(i)) TO '\(place)' (FORMAT parquet)"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: duckdb)
    process.arguments = ["-c", query]
    try process.run()
    process.waitUntilExit()
    let found = try Self.values(path)
    #expect(found.names == ["a", "b\"x", "f", "k"])
    #expect(found.categories[3] == ["r\n,\"0", "r\n,\"1", "r\n,\"2"])
    var expected: [[Double]] = []
    for row in 0..<50_000 {
      let third = Double(row) / 3
      let isEven: Double = row % 2 == 0 ? 1 : 0
      let single = Double(Float(row) / 3)
      expected.append([third, isEven, single, Double(row % 3)])
    }
    #expect(found.rows == expected)
    let manifest = try DatasetImporter.importFiles(DataSource(path), into: scratch.path + "/t")
    #expect(manifest.rows == 50_000 && manifest.source[0].name == "it's.parquet")
    #expect(try manifest.source[0].byteCount == Data(contentsOf: URL(fileURLWithPath: path)).count)
    let damaged = try scratch.file("x.parquet", "PAR1 and nothing more")
    #expect(
      datasetError { _ = try Self.values(damaged) }?.message.contains("x.parquet: duckdb can't read it")
        == true)
    setenv("ISOMIX_DUCKDB", "/nowhere/duckdb", 1)
    let error = datasetError { _ = try Self.values(path) }
    #expect(error?.code == .noInput && error?.message.contains("pip install duckdb-cli") == true)
    unsetenv("ISOMIX_DUCKDB")
  }

  @Test("LIBSVM text is read: pairs in any number, comments, blank lines, indices from 1 or from 0")
  func sparse() throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.svm", "+1 1:0.5 3:-2\r\n-1 2:1e3 # 9:9\n\n# nothing\n0.5\n2 3:4")
    let found = try Self.values(path)
    #expect(found.names == ["column_1", "column_2", "column_3", "response"])
    #expect(found.rows == [[0.5, 0, -2, 1], [0, 1000, 0, -1], [0, 0, 0, 0.5], [0, 0, 4, 2]])
    let zero = try scratch.file("b.libsvm", "1 0:5 2:6\n-1 1:7\n")
    let binary = ImportOptions(response: ResponseColumn(name: "response", kind: .binary))
    #expect(try Self.values(zero, binary).rows == [[5, 0, 6, 1], [0, 7, 0, 0]])
  }

  @Test(
    "bad LIBSVM text is refused at its line",
    arguments: badLIBSVM)
  func badSparse(text: String, line: Int, reason: String) throws {
    let scratch = try Scratch()
    let path = try scratch.file("a.svm", text)
    let message = datasetError { _ = try Self.values(path) }?.message ?? ""
    #expect(message.contains(reason), "\(message)")
    if line > 0 { #expect(message.hasPrefix("\(path):\(line): "), "\(message)") }
  }
}

/// Text that no LIBSVM file may have: the line that is named, or 0, and why.
let badLIBSVM: [(String, Int, String)] = [
  ("1 1:2\nx 1:2\n", 2, "does not start with a number"), ("1 2:1 1:3\n", 1, "index 1 after 2"),
  ("1 1:2\n1 1:1 1:2\n", 2, "index 1 after 1"), ("1 1:nan\n", 1, "whose value is not a finite number"),
  ("1 qid:3 1:2\n", 1, "holds 'qid:3'"), ("1 1:2x\n", 1, "right after a number"),
  ("1 1:1e999\n", 1, "not a finite number"), ("1 70000:1\n", 0, "at most 65536 columns"),
  ("1 1:1\u{0}\n", 1, "NUL byte"), ("1 99999999999999999999:1\n", 1, "holds '99999999999999999999:1'"),
]
