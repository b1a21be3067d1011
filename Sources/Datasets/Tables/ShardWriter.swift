import NumericsKit

/// Collects rows into shards and writes each one as an NPY file with its digest.
///
/// A shard is written and digested by a thread while the next one is filled: two are in memory at a time, whose size
/// does not depend on the number of rows of the table.
struct ShardWriter: ~Copyable {
  /// A written shard.
  struct File: Sendable {
    let name: String
    let rows: Int
    let sha256: String
  }

  /// The shards that are written.
  private(set) var files: [File] = []
  /// The first part of the files' names.
  private let prefix: String
  private let element: NPYHeader.Element
  /// nil for one-dimensional shards.
  private let columns: Int?
  private let rowsPerShard: Int
  private let bytesPerRow: Int
  private var buffer: UnsafeMutableRawBufferPointer
  private var spare: UnsafeMutableRawBufferPointer?
  private var rows = 0
  private var thread: WorkerThreads?
  private var pending: (shard: PendingShard, ticket: WorkerThreads.Ticket)?

  /// - Parameter files: shards that were written before.
  init(
    prefix: String, element: NPYHeader.Element, columns: Int?, rowsPerShard: Int, files: [File] = []
  ) {
    self.prefix = prefix
    self.element = element
    self.columns = columns
    self.rowsPerShard = rowsPerShard
    self.files = files
    bytesPerRow = (columns ?? 1) * element.byteCount
    // Pages that are never touched cost nothing: a small table does not use the whole buffer.
    buffer = .allocate(byteCount: NPYHeader.writtenByteCount + rowsPerShard * bytesPerRow, alignment: 64)
  }

  deinit {
    if let pending { thread?.wait(for: pending.ticket) }
    thread?.stop()
    buffer.deallocate()
    spare?.deallocate()
  }

  /// Where the next row goes.
  @inline(__always)
  var row: UnsafeMutableRawPointer? {
    buffer.baseAddress.map { $0 + NPYHeader.writtenByteCount + rows * bytesPerRow }
  }

  /// Takes the row that was put at `row`.
  @inline(__always)
  mutating func endRow(_ folder: borrowing StagedFolder) throws {
    rows += 1
    if rows == rowsPerShard { try flush(folder) }
  }

  /// Writes what is left.
  mutating func finish(_ folder: borrowing StagedFolder) throws {
    try collect()
    if rows > 0 {
      let shard = try shard(folder)
      shard.write()
      files.append(try shard.file())
      rows = 0
    }
  }

  private mutating func flush(_ folder: borrowing StagedFolder) throws {
    try collect()
    let shard = try shard(folder)
    let thread = self.thread ?? WorkerThreads(count: 1)
    self.thread = thread
    pending = (shard, thread.submit { shard.write() })
    let full = buffer
    buffer = spare ?? .allocate(byteCount: full.count, alignment: 64)
    spare = full
    rows = 0
  }

  /// Waits for the shard that is being written.
  private mutating func collect() throws {
    guard let (shard, ticket) = pending else { return }
    thread?.wait(for: ticket)
    pending = nil
    files.append(try shard.file())
  }

  /// The name of a table's next shard.
  /// - Throws: `DatasetError` when there are as many as a table may have.
  static func name(
    _ prefix: String, _ index: Int, _ ending: String, _ folder: borrowing StagedFolder
  ) throws -> String {
    guard index < DatasetLimits.shards else {
      throw DatasetError(
        .badData, "\(folder.path): has more than \(DatasetLimits.shards) shards; choose more rows a shard")
    }
    let number = String(index)
    return "\(prefix)-\(String(repeating: "0", count: max(0, 6 - number.count)))\(number).\(ending)"
  }

  /// What is in the buffer, as a shard to write.
  private func shard(_ folder: borrowing StagedFolder) throws -> PendingShard {
    let header = NPYHeader.bytes(element, shape: columns.map { [rows, $0] } ?? [rows])
    buffer.copyBytes(from: header)
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[0..<header.count + rows * bytesPerRow])
    return PendingShard(
      name: try ShardWriter.name(prefix, files.count, "npy", folder), rows: rows,
      folder: folder.temporaryPath, bytes: bytes, isDurable: folder.isDurable,
      isReplacing: folder.isKept)
  }
}

/// A shard on its way to the disk.
private final class PendingShard: @unchecked Sendable {
  // Sendable: constant but for `result`, which one thread writes and another one reads after `WorkerThreads.wait`;
  // whoever made it keeps `bytes` as they are until then.
  private let name: String
  private let rows: Int
  private let folder: String
  private let bytes: UnsafeRawBufferPointer
  private let isDurable: Bool
  private let isReplacing: Bool
  private var result: Result<ShardWriter.File, any Error>?

  init(
    name: String, rows: Int, folder: String, bytes: UnsafeRawBufferPointer, isDurable: Bool, isReplacing: Bool
  ) {
    self.name = name
    self.rows = rows
    self.folder = folder
    self.bytes = bytes
    self.isDurable = isDurable
    self.isReplacing = isReplacing
  }

  func write() {
    result = Result {
      let path = folder + "/" + name
      try StagedFolder.write(path, bytes, isDurable: isDurable, isReplacing: isReplacing)
      let digest = Digest.of(bytes).description
      // What is to stay is checked when it is read.
      if !isDurable, let status = FileSystem.status(path) { WrittenFiles.shared.put(status, sha256: digest) }
      return ShardWriter.File(name: name, rows: rows, sha256: digest)
    }
  }

  func file() throws -> ShardWriter.File {
    guard let result else { throw DatasetError(.cannotWrite, "\(folder)/\(name): was not written") }
    return try result.get()
  }
}
