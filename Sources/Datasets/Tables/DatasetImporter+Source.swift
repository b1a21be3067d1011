extension DatasetImporter {
  /// Imports whatever files a source names: CSV or NPY files, or globs of them.
  /// - Parameter folder: must not exist, or be empty.
  /// - Throws: `DatasetError` naming file, line and column; also when the source is an imported folder already.
  @discardableResult
  public static func importFiles(
    _ source: DataSource, into folder: String, options: ImportOptions = ImportOptions()
  ) throws -> DatasetManifest {
    switch try SourceFiles.resolve(source) {
    case .folder(let path):
      throw DatasetError(.badData, "\(path): is an imported folder already; give its source files")
    case .csv(let files): return try importCSV(files: files, into: folder, options: options)
    case .npy(let files, let responseFile):
      return try importNPY(files: files, responseFile: responseFile, into: folder, options: options)
    }
  }
}
