import Foundation

/// The files or the folder that a data source stands for.
enum SourceFiles {
  case folder(String)
  case csv([String])
  case npy([String], responseFile: String?)

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
    let isNPY = try files.map { try NPYHeader.isNPY(firstBytes(of: $0)) }
    if let other = isNPY.firstIndex(where: { $0 != isNPY[0] }) {
      throw DatasetError(
        .badData, "\(files[other]): CSV and NPY files can't be mixed (\(first) is the other kind)")
    }
    if isNPY[0] { return .npy(files, responseFile: source.responseFile) }
    guard source.responseFile == nil else { throw strayResponseFile() }
    return .csv(files)
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
    var bytes = [UInt8](repeating: 0, count: 6)
    let count = try bytes.withUnsafeMutableBytes { try FileSystem.read(descriptor, into: $0, path: path) }
    return Array(bytes[0..<count])
  }
}
