import Foundation

/// The use of a folder of a cache by a process: a shared lock on its manifest, gone with the process.
struct FolderUse: ~Copyable, Sendable {
  private let descriptor: Int32

  /// Starts to use a folder; nil where there is none, or files can't be locked.
  init?(folder: String) {
    let descriptor = open(folder + "/" + ManifestFile.name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Whether some process uses a folder.
  static func isUsed(_ folder: String) -> Bool {
    let descriptor = open(folder + "/" + ManifestFile.name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }

  /// Says that a folder was used now: by the time of its manifest, which nothing else depends on.
  static func touch(_ folder: String) { utimes(folder + "/" + ManifestFile.name, nil) }
}
