extension DataSource {
  /// The names of the source's columns; reads no rows.
  /// - Throws: `DatasetError` for what is not there or names no columns.
  public func columnNames() throws -> [String] {
    let files = try SourceFiles.resolve(self)
    if case .folder(let folder) = files {
      return try Dataset.open(folder: folder).manifest.columns.map(\.name)
    }
    return try files.open(ImportOptions(), isDigested: false).columnNames
  }
}
