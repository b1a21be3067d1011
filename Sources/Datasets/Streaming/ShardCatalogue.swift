import NumericsKit

/// The files of a fit's designs, by their digests: what a coordinator gives to workers that don't share its folder.
///
/// Workers name digests and offsets, never paths, so that nothing but these files can be read. Belongs to one thread.
public final class ShardCatalogue {
  private let files: [Digest: ShardFile]
  private var reader = ShardReader()

  /// - Parameter folders: of designs that are whole.
  /// - Throws: `DatasetError` where a folder is none, or a file is missing.
  public init(folders: [String]) throws {
    var files: [Digest: ShardFile] = [:]
    for folder in folders {
      let (manifest, digest) = try ManifestFile.read(DesignManifest.self, folder: folder)
      files[digest] = ShardFile(manifestOf: folder)
      for file in manifest.shards.flatMap(\.files) {
        let path = folder + "/" + file.name
        guard let digest = Digest(hexadecimal: file.sha256), let found = ShardFile(path: path) else {
          throw DatasetError(.noInput, "\(path): there is no such file; prepare the data again")
        }
        files[digest] = found
      }
    }
    self.files = files
  }

  /// Reads the part of a file that begins at an offset.
  ///
  /// - Parameter count: bytes of every part but the last.
  /// - Returns: the part, and the bytes of the whole file.
  /// - Throws: `DatasetError` for a file that is none of these, and an offset where no part begins.
  public func read(_ digest: Digest, offset: UInt64, count: Int) throws -> (bytes: [UInt8], fileBytes: UInt64)
  {
    guard let file = files[digest] else {
      throw DatasetError(.noInput, "the fit's data have no file with this digest")
    }
    return (try reader.read(file, offset: offset, count: count), UInt64(file.range.count))
  }
}
