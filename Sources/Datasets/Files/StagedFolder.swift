import Foundation

/// A folder that appears whole or not at all: written beside its place under a temporary name, made durable,
/// then renamed. What is not committed is removed.
package struct StagedFolder: ~Copyable {
  /// The folder's final path.
  let path: String
  /// Where its files are written until it is committed.
  package let temporaryPath: String
  private var isCommitted: Bool
  let isDurable: Bool
  /// Held while a folder that outlives its process is written to; nil for one that is removed.
  private var lock: FolderLock?

  /// What to do when the final path already holds something.
  enum Collision {
    /// Fail, and leave what is there.
    case refuse
    /// Keep what is there if it is found good, and drop this folder; put it aside and take its place otherwise.
    case replace(unless: () -> Bool)
  }

  /// - Parameter isDurable: whether it must survive a crash of the machine; false for what is removed soon.
  /// - Parameter isKept: whether what was written stays when the process is killed, for a later one to go on; without
  ///   effect while another process does.
  package init(path: String, isDurable: Bool = true, isKept: Bool = false) throws {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let parent = FileSystem.parent(trimmed)
    try FileSystem.makeFolder(parent)
    let partial = parent + "/." + FileSystem.lastComponent(trimmed) + StagedFolder.partialSuffix
    if isKept, let lock = try FolderLock(path: partial + ".lock") {
      try FileSystem.makeFolder(partial)
      self.lock = lock
      self.path = trimmed
      self.temporaryPath = partial
      self.isCommitted = false
      self.isDurable = isDurable
      return
    }
    lock = nil
    let temporary = StagedFolder.temporaryName(beside: trimmed)
    guard mkdir(temporary, 0o777) == 0 else { throw FileSystem.cannotWrite(temporary) }
    self.path = trimmed
    self.temporaryPath = temporary
    self.isCommitted = false
    self.isDurable = isDurable
  }

  deinit {
    if !isCommitted, !isLeft { StagedFolder.remove(temporaryPath) }
    if let lock { lock.release(isDone: !isLeft) }
  }

  /// How the names of folders end that are kept when their process is killed.
  static let partialSuffix = ".partial"

  /// Whether a later process can go on with what is written here.
  package var isKept: Bool { lock != nil }
  /// Whether what was written stays though it is not committed.
  private var isLeft = false

  /// Leaves what was written for a later process.
  mutating func leave() { isLeft = isKept && !isCommitted }

  /// Removes everything written so far.
  borrowing func clear() throws {
    StagedFolder.remove(temporaryPath)
    try FileSystem.makeFolder(temporaryPath)
  }

  /// Removes a file that doesn't belong to the folder in the end.
  borrowing func removeFile(_ name: String) { unlink(temporaryPath + "/" + name) }

  /// Writes a file of the folder and makes it durable.
  borrowing func write(_ name: String, _ bytes: UnsafeRawBufferPointer) throws {
    try StagedFolder.write(temporaryPath + "/" + name, bytes, isDurable: isDurable, isReplacing: isKept)
  }

  /// Writes a file and makes it durable.
  /// - Parameter isReplacing: whether there may be such a file, which an earlier process didn't complete.
  static func write(
    _ file: String, _ bytes: UnsafeRawBufferPointer, isDurable: Bool, isReplacing: Bool
  ) throws {
    let descriptor = open(
      file, O_WRONLY | O_CREAT | (isReplacing ? O_TRUNC : O_EXCL) | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileSystem.cannotWrite(file) }
    do {
      try FileSystem.writeAll(descriptor, bytes, path: file)
      guard !isDurable || fsync(descriptor) == 0 else { throw FileSystem.cannotWrite(file) }
    } catch {
      close(descriptor)
      throw error
    }
    // A network file system may report a full disk only here.
    guard close(descriptor) == 0 else { throw FileSystem.cannotWrite(file) }
  }

  borrowing func write(_ name: String, _ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try write(name, $0) }
  }

  /// Moves the folder to its place.
  consuming func commit(_ collision: Collision) throws {
    if isDurable { try FileSystem.synchronizeFolder(temporaryPath) }
    if rename(temporaryPath, path) != 0 {
      guard errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR else {
        throw FileSystem.cannotWrite(path)
      }
      switch collision {
      case .refuse:
        throw StagedFolder.taken(path)
      case .replace(let isGood):
        // Another process was faster, and others may be reading what it made.
        if isGood() { return }
        let aside = StagedFolder.temporaryName(beside: path)
        // Another process may have put it aside first; then there is nothing to move.
        if rename(path, aside) != 0, errno != ENOENT { throw FileSystem.cannotWrite(path) }
        let moved = rename(temporaryPath, path)
        let reason = errno
        StagedFolder.remove(aside)
        // Another process may have taken the place in between, with the same content.
        if moved != 0, reason == ENOTEMPTY || reason == EEXIST { return }
        guard moved == 0 else { throw FileSystem.cannotWrite(path) }
      }
    }
    isCommitted = true
    if isDurable { try FileSystem.synchronizeFolder(FileSystem.parent(path)) }
  }

  static func taken(_ path: String) -> DatasetError {
    DatasetError(
      .cannotWrite, "\(path): already exists and is not empty; remove it or choose another folder")
  }

  private static func temporaryName(beside path: String) -> String {
    let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let name = FileSystem.lastComponent(path)
    return FileSystem.parent(path) + "/.\(name).\(getpid()).\(suffix).tmp"
  }

  private static func remove(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }
}

/// The right to write to a folder that outlives its process: a locked file beside it.
struct FolderLock: Sendable {
  private let path: String
  private let descriptor: Int32

  /// - Returns: nil while another process has it, or where files can't be locked.
  init?(path: String) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileSystem.cannotWrite(path) }
    var (opened, named) = (stat(), stat())
    // The one before removes the file as the last thing it does: a lock on a file without a name is none.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &opened) == 0,
      stat(path, &named) == 0, opened.st_ino == named.st_ino
    else {
      close(descriptor)
      return nil
    }
    self.path = path
    self.descriptor = descriptor
  }

  /// Whether a process has it.
  static func isHeld(_ path: String) -> Bool {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }

  /// - Parameter isDone: whether there is nothing for a later process to go on with.
  func release(isDone: Bool) {
    if isDone { unlink(path) }
    close(descriptor)
  }
}
