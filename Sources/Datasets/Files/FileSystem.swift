import Foundation

/// The system calls of this module, with errors that name the path.
package enum FileSystem {
  /// What a file is, as far as telling whether it changed goes.
  struct Status: Hashable {
    let byteCount: Int
    let isFolder: Bool
    let isRegular: Bool
    let inode: UInt64
    let modifiedNanoseconds: Int64
    let changedNanoseconds: Int64

    init(_ status: stat) {
      let kind = status.st_mode & S_IFMT
      byteCount = Int(status.st_size)
      isFolder = kind == S_IFDIR
      isRegular = kind == S_IFREG
      inode = UInt64(status.st_ino)
      modifiedNanoseconds = FileSystem.nanoseconds(status.st_mtim)
      changedNanoseconds = FileSystem.nanoseconds(status.st_ctim)
    }
  }

  /// The message of the last failed system call.
  static func lastError() -> String { String(cString: strerror(errno)) }

  static func openForReading(_ path: String) throws -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DatasetError(.noInput, "\(path): can't be opened (\(lastError())); check the path")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
      close(descriptor)
      throw DatasetError(.noInput, "\(path): is a folder, not a file")
    }
    return descriptor
  }

  static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, path: String) throws
    -> Int
  {
    while true {
      let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR {
        throw DatasetError(.noInput, "\(path): can't be read (\(lastError()))")
      }
    }
  }

  /// Reads a small file whole; refuses one that has more than `limit` bytes.
  static func readWhole(_ path: String, limit: Int) throws -> [UInt8] {
    let descriptor = try openForReading(path)
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try read(descriptor, into: buffer, path: path)
      if count == 0 { return bytes }
      guard bytes.count + count <= limit else {
        throw DatasetError(.badData, "\(path): has more than \(limit) bytes, the limit for this kind of file")
      }
      bytes.append(contentsOf: buffer[0..<count])
    }
  }

  /// nil when there is nothing at `path`.
  static func status(_ path: String) -> Status? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Status(status)
  }

  static func nanoseconds(_ time: timespec) -> Int64 {
    let seconds = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    return seconds.partialValue &+ Int64(time.tv_nsec)
  }

  /// Makes a folder and its parents.
  static func makeFolder(_ path: String) throws {
    if status(path)?.isFolder == true { return }
    let parent = parent(path)
    if parent != path { try makeFolder(parent) }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST && status(path)?.isFolder == true else {
      throw DatasetError(
        .cannotWrite, "\(path): the folder can't be made (\(lastError())); choose another place")
    }
  }

  /// Makes the names in a folder durable.
  static func synchronizeFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw cannotWrite(path) }
    defer { close(descriptor) }
    // Some network file systems can't synchronise folders and say EINVAL; nothing more can be done there.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw cannotWrite(path) }
  }

  /// - Parameter offset: where in the file; nil for where the descriptor is.
  package static func writeAll(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64? = nil, path: String
  ) throws {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let (rest, left) = (base + done, bytes.count - done)
      let count =
        offset.map { pwrite(descriptor, rest, left, off_t($0) + off_t(done)) }
        ?? write(descriptor, rest, left)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw cannotWrite(path) }
      done += count
    }
  }

  static func cannotWrite(_ path: String) -> DatasetError {
    DatasetError(
      .cannotWrite, "\(path): can't be written (\(lastError())); free space or choose another place")
  }

  static func lastComponent(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  static func parent(_ path: String) -> String {
    let trimmed = path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }
}
