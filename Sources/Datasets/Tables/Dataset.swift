import NumericsKit

/// An imported folder: a table in shards, with its manifest.
public struct Dataset: Sendable {
  public let folder: String
  public let manifest: DatasetManifest
  /// The digest of the manifest, and so of everything in the folder.
  public let digest: Digest

  /// Opens a folder that `DatasetImporter` wrote; reads its manifest only.
  /// - Throws: `DatasetError` if there is none, or it was altered or cut off.
  public static func open(folder: String) throws -> Dataset {
    let (manifest, digest) = try ManifestFile.read(DatasetManifest.self, folder: folder)
    return Dataset(folder: folder, manifest: manifest, digest: digest)
  }

  /// Reads all shards and checks their digests.
  /// - Throws: `DatasetError` with code `changed`, naming the file that differs.
  public func verify() throws {
    for index in manifest.shards.indices {
      if isSparse { _ = try mapSparseShard(index) } else { _ = try mapShard(index) }
    }
  }

  /// Maps a shard and checks its size and digest.
  func mapShard(_ index: Int) throws -> MappedFile {
    let shard = manifest.shards[index]
    let file = try MappedFile(path: folder + "/" + shard.file)
    try NPYShard.check(
      file, sha256: shard.sha256, element: .float64, shape: [shard.rows, manifest.columns.count])
    return file
  }
}

/// A shard file on disk against what the manifest says of it.
enum NPYShard {
  static func check(_ file: MappedFile, sha256: String, element: NPYHeader.Element, shape: [Int]) throws {
    guard file.digest().description == sha256 else { throw changed(file.path) }
    let columns = shape.count == 2 ? shape[1] : 1
    let header = try NPYHeader(file.bytes, name: file.path)
    guard header.element == element, header.shape == shape,
      header.dataOffset == NPYHeader.writtenByteCount,
      file.bytes.count == header.dataOffset + shape[0] * columns * element.byteCount
    else { throw changed(file.path) }
  }

  static func changed(_ path: String) -> DatasetError {
    DatasetError(
      .changed,
      "\(path): is not what was imported (its SHA-256 differs from the manifest's); import the data again")
  }
}

extension Dataset {
  /// Calls `body` with every row, `[columns]`, and its number from 0, in order.
  /// - Throws: `DatasetError.changed` if a shard is not what was imported; what `body` throws.
  func forEachRow(_ body: (UnsafePointer<Double>, Int) throws -> Void) throws {
    if isSparse { return try forEachRowMadeDense(body) }
    let columns = manifest.columns.count
    var number = 0
    for (index, shard) in manifest.shards.enumerated() {
      // Mapped one after the other, so that resident memory stays that of a shard.
      let file = try mapShard(index)
      guard let start = file.bytes.baseAddress else { continue }
      let numbers = (start + NPYHeader.writtenByteCount).assumingMemoryBound(to: Double.self)
      for row in 0..<shard.rows {
        try body(numbers + row * columns, number)
        number += 1
      }
      withExtendedLifetime(file) {}
    }
  }
}
