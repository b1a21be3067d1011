extension DatasetImporter {
  /// Imports whatever files a source names, or globs of them.
  /// - Parameter folder: must not exist, or be empty.
  /// - Throws: `DatasetError` naming file, line and column; also when the source is an imported folder already.
  @discardableResult
  public static func importFiles(
    _ source: DataSource, into folder: String, options: ImportOptions = ImportOptions(),
    effort: ImportEffort = ImportEffort()
  ) throws -> DatasetManifest {
    try importFiles(
      SourceFiles.resolve(source), into: folder, options: options, collision: .refuse, effort: effort)
  }

  static func importFiles(
    _ files: SourceFiles, into folder: String, options: ImportOptions, collision: StagedFolder.Collision,
    effort: ImportEffort
  ) throws -> DatasetManifest {
    if options.storage == .sparse, !files.isSparseText {
      throw DatasetError(
        .badData, "\(files.paths.first ?? ""): storage sparse is for LIBSVM files (.svm, .libsvm, .svmlight)")
    }
    switch files {
    case .csv(let paths):
      return try importCSV(files: paths, into: folder, options: options, collision: collision, effort: effort)
    case .parquet(let paths):
      return try importText(
        paths.map(DuckDB.file), into: folder, options: options, collision: collision, effort: effort)
    case .sparse(let paths):
      let extent = try SparseText.extent(of: paths, options)
      guard (options.storage ?? SparseImporter.storage(extent)) == .dense else {
        return try SparseImporter.write(
          paths, extent, into: folder, options: options, collision: collision)
      }
      var dense = options
      dense.hasIndexZero = extent.hasZero
      var table = try SourceFiles.open(paths, extent, dense)
      return try write(&table, name: table.name, into: folder, options: dense, collision: collision)
    case .folder, .npy, .hdf5:
      var table = try files.open(options)
      return try write(&table, name: table.name, into: folder, options: options, collision: collision)
    }
  }
}
