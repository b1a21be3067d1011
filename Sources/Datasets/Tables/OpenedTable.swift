/// The rows of files of any kind.
class OpenedTable: TableSource {
  /// The name of the first file, for messages.
  let name: String

  fileprivate init(name: String) { self.name = name }

  var columnNames: [String] { [] }
  var categories: [CategoryTable?] { [] }
  var droppedRows: Int { 0 }
  var missingValues: [Int] { [] }
  func readRow(into row: UnsafeMutablePointer<Double>) throws -> Bool { false }
  func finish() throws -> [SourceFile] { [] }

  static func make<Table: TableSource & ~Copyable>(_ table: consuming Table, name: String) -> OpenedTable {
    TableBox(table, name: name)
  }
}

private final class TableBox<Table: TableSource & ~Copyable>: OpenedTable {
  private var table: Table

  init(_ table: consuming Table, name: String) {
    self.table = table
    super.init(name: name)
  }

  override var columnNames: [String] { table.columnNames }
  override var categories: [CategoryTable?] { table.categories }
  override var droppedRows: Int { table.droppedRows }
  override var missingValues: [Int] { table.missingValues }
  override func readRow(into row: UnsafeMutablePointer<Double>) throws -> Bool {
    try table.readRow(into: row)
  }
  override func finish() throws -> [SourceFile] { try table.finish() }
}

extension SourceFiles {
  /// Starts to read LIBSVM files as dense rows.
  static func open(_ files: [String], _ extent: SparseText.Extent, _ options: ImportOptions) throws
    -> OpenedTable
  {
    let table = try NumericTable(count: files.count, options: options) {
      try SparseText(path: files[$0], extent: extent, isBinary: options.response?.kind == .binary)
    }
    return .make(table, name: files[0])
  }

  /// Starts to read the files.
  /// - Parameter isDigested: false where nobody asks what was read.
  /// - Throws: `DatasetError`; also for an imported folder, which has no files to read.
  func open(_ options: ImportOptions, isDigested: Bool = true) throws -> OpenedTable {
    switch self {
    case .folder(let path):
      throw DatasetError(.badData, "\(path): is an imported folder already; give its source files")
    case .csv(let files):
      return .make(
        try ParallelCSVTable(files.map { CSVFile(path: $0) }, options: options, isDigested: isDigested),
        name: files[0])
    case .parquet(let files):
      return .make(
        try ParallelCSVTable(files.map(DuckDB.file), options: options, isDigested: isDigested), name: files[0]
      )
    case .npy(let files, let responseFile):
      let table = try NPYTable(
        names: files, responseName: responseFile, options: options,
        open: { try FileByteSource(path: files[$0], isDigested: isDigested) },
        openResponse: { try responseFile.map { try FileByteSource(path: $0, isDigested: isDigested) } })
      return .make(table, name: files[0])
    case .sparse(let files):
      return try SourceFiles.open(files, SparseText.extent(of: files, options), options)
    case .hdf5(let files):
      let table = try NumericTable(count: files.count, options: options) {
        try HDF5Rows(path: files[$0], isDigested: isDigested)
      }
      return .make(table, name: files[0])
    }
  }
}
