extension DataSource {
  /// The names of the source's columns; reads no rows.
  /// - Throws: `DatasetError` for what is not there or names no columns.
  public func columnNames() throws -> [String] {
    let options = ImportOptions()
    switch try SourceFiles.resolve(self) {
    case .folder(let folder): return try Dataset.open(folder: folder).manifest.columns.map(\.name)
    case .csv(let files):
      return try CSVTable(names: files, options: options) { try FileByteSource(path: files[$0]) }.columnNames
    case .npy(let files, let responseFile):
      return try NPYTable(
        names: files, responseName: responseFile, options: options,
        open: { try FileByteSource(path: files[$0]) },
        openResponse: { try responseFile.map { try FileByteSource(path: $0) } }
      ).columnNames
    }
  }
}
