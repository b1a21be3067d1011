import Foundation

/// The files or the folder that a data source stands for.
enum SourceFiles {
  case folder(String)
  case csv([String])
  case npy([String], responseFile: String?)
  /// Read through the command `duckdb`.
  case parquet([String])
  /// HDF5 files, each with `::/path` behind its name or without.
  case hdf5([String])
  /// LIBSVM text.
  case sparse([String])

  /// The files themselves, to be digested.
  var paths: [String] {
    switch self {
    case .folder: []
    case .csv(let files), .parquet(let files), .sparse(let files): files
    case .hdf5(let files): files.map { HDF5Rows.split($0).file }
    case .npy(let files, let responseFile): files + (responseFile.map { [$0] } ?? [])
    }
  }

  /// Whether they are LIBSVM text.
  var isSparseText: Bool { if case .sparse = self { true } else { false } }

  /// Kinds of files, by what they start with, or by their names where text does not tell.
  private enum Kind: String {
    case csv = "CSV"
    case npy = "NPY"
    case parquet = "Parquet"
    case hdf5 = "HDF5"
    case sparse = "LIBSVM"
  }

  /// Finds out what `source` names.
  static func resolve(_ source: DataSource) throws -> SourceFiles {
    if source.paths.count == 1, let path = source.paths.first, FileSystem.status(path)?.isFolder == true {
      guard source.responseFile == nil else { throw strayResponseFile() }
      return .folder(path)
    }
    var files: [String] = []
    for path in source.paths { files += try expand(path) }
    guard let first = files.first else { throw DatasetError(.noInput, "no data file is named") }
    guard files.count <= DatasetLimits.files else {
      throw DatasetError(.badData, "the data are \(files.count) files; the limit is \(DatasetLimits.files)")
    }
    let kinds = try files.map(kind)
    if let other = kinds.firstIndex(where: { $0 != kinds[0] }) {
      throw DatasetError(
        .badData,
        "\(files[other]): \(kinds[0].rawValue) and \(kinds[other].rawValue) files can't be mixed (\(first) is the other "
          + "kind)")
    }
    if kinds[0] == .npy { return .npy(files, responseFile: source.responseFile) }
    guard source.responseFile == nil else { throw strayResponseFile() }
    switch kinds[0] {
    case .parquet: return .parquet(files)
    case .hdf5: return .hdf5(files)
    case .sparse: return .sparse(files)
    case .csv, .npy: return .csv(files)
    }
  }

  private static func kind(_ path: String) throws -> Kind {
    let file = HDF5Rows.split(path).file
    let start = try firstBytes(of: FileSystem.status(path) == nil ? file : path)
    if NPYHeader.isNPY(start) { return .npy }
    if start.starts(with: Array("PAR1".utf8)) { return .parquet }
    if start.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) { return .hdf5 }
    if path.hasSuffix(".svm") || path.hasSuffix(".libsvm") || path.hasSuffix(".svmlight") { return .sparse }
    guard FileSystem.status(path) != nil else {
      throw DatasetError(.badData, "\(path): '::' names a part of an HDF5 file, and \(file) is none")
    }
    return .csv
  }

  private static func strayResponseFile() -> DatasetError {
    DatasetError(
      .badData, "a separate response file goes with NPY features only; name the response's column instead")
  }

  /// The files that a path or glob names, sorted.
  private static func expand(_ path: String) throws -> [String] {
    if let status = FileSystem.status(path) {
      guard !status.isFolder else {
        throw DatasetError(
          .badData,
          "\(path): is a folder; name one imported folder alone, or files (for example \(path)/*.csv)")
      }
      // Files are read twice: for their digest, which finds them in the cache, and for their content.
      guard status.isRegular else {
        throw DatasetError(.badData, "\(path): is not a regular file; write the data to a file first")
      }
      return [path]
    }
    let (file, inside) = HDF5Rows.split(path)
    if let inside { return try expand(file).map { "\($0)::\(inside)" } }
    var matches = glob_t()
    defer { globfree(&matches) }
    guard path.contains(where: { "*?[".contains($0) }), glob(path, 0, nil, &matches) == 0 else {
      throw DatasetError(.noInput, "\(path): there is no such file or folder; check the path")
    }
    return (0..<Int(matches.gl_pathc)).compactMap { matches.gl_pathv[$0].map { String(cString: $0) } }
      .filter { FileSystem.status($0)?.isFolder == false }.sorted {
        $0.utf8.lexicographicallyPrecedes($1.utf8)
      }
  }

  private static func firstBytes(of path: String) throws -> [UInt8] {
    let descriptor = try FileSystem.openForReading(path)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 8)
    let count = try bytes.withUnsafeMutableBytes { try FileSystem.read(descriptor, into: $0, path: path) }
    return Array(bytes[0..<count])
  }
}
