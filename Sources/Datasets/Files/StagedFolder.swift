import Foundation

/// A folder that appears whole or not at all: written beside its place under a temporary name, made durable,
/// then renamed. What is not committed is removed.
struct StagedFolder: ~Copyable {
  /// The folder's final path.
  let path: String
  /// Where its files are written until it is committed.
  let temporaryPath: String
  private var isCommitted: Bool
  private let isDurable: Bool

  /// What to do when the final path already holds something.
  enum Collision {
    /// Fail, and leave what is there.
    case refuse
    /// Keep what is there if it is found good, and drop this folder; put it aside and take its place otherwise.
    case replace(unless: () -> Bool)
  }

  /// - Parameter isDurable: whether it must survive a crash of the machine; false for what is removed soon.
  init(path: String, isDurable: Bool = true) throws {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let parent = FileSystem.parent(trimmed)
    try FileSystem.makeFolder(parent)
    let temporary = StagedFolder.temporaryName(beside: trimmed)
    guard mkdir(temporary, 0o777) == 0 else { throw FileSystem.cannotWrite(temporary) }
    self.path = trimmed
    self.temporaryPath = temporary
    self.isCommitted = false
    self.isDurable = isDurable
  }

  deinit {
    if !isCommitted { StagedFolder.remove(temporaryPath) }
  }

  /// Writes a file of the folder and makes it durable.
  borrowing func write(_ name: String, _ bytes: UnsafeRawBufferPointer) throws {
    let file = temporaryPath + "/" + name
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
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
        throw DatasetError(
          .cannotWrite, "\(path): already exists and is not empty; remove it or choose another folder")
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

  private static func temporaryName(beside path: String) -> String {
    let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let name = FileSystem.lastComponent(path)
    return FileSystem.parent(path) + "/.\(name).\(getpid()).\(suffix).tmp"
  }

  private static func remove(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }
}
