import Coordination
import Foundation
import Glibc

/// One small file of a key folder: read with its rights checked, written so that nobody else ever sees it.
struct KeyFile {
  let path: String

  /// Who may do what with a file.
  enum Protection {
    /// Only the owner may read or write it; its group may read it, too, when it belongs to root and this process
    /// does not: the administrator has handed it out to that group. So PostgreSQL has it, so Kubernetes mounts a
    /// Secret for a group (`fsGroup`), and so systemd shows a credential (`LoadCredential=`).
    case secret
    /// Anybody may read it, only the owner may write it.
    case listed
  }

  /// Reads the file.
  ///
  /// - Parameters:
  ///   - protection: what others may do with it at most.
  ///   - limit_bytes: its size at most.
  /// - Throws: ``RuntimeError``: 66 when it is not there, 77 when others could have read or changed it, 65 when it
  ///   is too large.
  func read(_ protection: Protection, limit_bytes: Int) throws -> String {
    // Opened first and looked at then, so that it is the same file; without waiting, in case it is a pipe.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      let number = errno
      guard number == ENOENT || number == ENOTDIR else {
        throw RuntimeError(
          "can't read \(path): \(String(cString: strerror(number)))",
          exitCode: number == EACCES ? ExitCode.notAuthorised : ExitCode.noInput)
      }
      throw RuntimeError(
        "there is no \(path): make keys with 'isomix keys new', or copy the file here",
        exitCode: ExitCode.noInput)
    }
    defer { close(descriptor) }
    try KeyFile.check(descriptor, path: path, protection)
    var bytes = [UInt8](repeating: 0, count: limit_bytes + 1)
    var count = 0
    while count < bytes.count {
      let more = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
      }
      if more < 0, errno == EINTR { continue }
      guard more >= 0 else {
        throw RuntimeError(
          "can't read \(path): \(String(cString: strerror(errno)))", exitCode: ExitCode.noInput)
      }
      if more == 0 { break }
      count += more
    }
    guard count <= limit_bytes else {
      throw RuntimeError(
        "\(path) has more than \(limit_bytes) bytes: it is no file of keys", exitCode: ExitCode.badData)
    }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }

  private static func check(_ descriptor: Int32, path: String, _ protection: Protection) throws {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw RuntimeError.system("can't look at \(path)") }
    func refuse(_ reason: String) -> RuntimeError {
      RuntimeError("\(path) \(reason)", exitCode: ExitCode.notAuthorised)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw refuse("is not a regular file: keys are not read from it")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw refuse(
        "belongs to another user, who could have changed it: make it yours (chown) or make new keys")
    }
    let others = status.st_mode & 0o077
    let handedOut: mode_t = status.st_uid == 0 && geteuid() != 0 ? 0o040 : 0
    switch protection {
    case .secret where others & ~handedOut != 0:
      throw refuse(
        "can be read or changed by others (mode \(String(status.st_mode & 0o777, radix: 8))): "
          + "run 'chmod 600 \(path)', and make new keys if somebody may have read it")
    case .listed where others & 0o022 != 0:
      throw refuse(
        "can be changed by others (mode \(String(status.st_mode & 0o777, radix: 8))): run 'chmod go-w \(path)'"
      )
    case .secret, .listed: return
    }
  }

  /// Writes a file that is not there yet. It has its rights from the first moment.
  /// - Throws: ``RuntimeError``, 73; nothing is left then.
  func create(_ text: String, mode: mode_t = 0o600) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else {
      let number = errno
      throw RuntimeError(
        number == EEXIST
          ? "\(path) is there already, and keys are never overwritten: take another folder or name, or remove it first"
          : "can't make \(path): \(String(cString: strerror(number)))", exitCode: ExitCode.cannotCreate)
    }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        write(descriptor, $0.baseAddress?.advanced(by: written), bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failedToWrite() }
      written += count
    }
    guard fsync(descriptor) == 0 else { throw failedToWrite() }
  }

  private func failedToWrite() -> RuntimeError {
    let reason = String(cString: strerror(errno))
    remove()
    return RuntimeError("can't write \(path): \(reason)", exitCode: ExitCode.cannotCreate)
  }

  /// Puts another text in the file's place in one step.
  /// - Throws: ``RuntimeError``, 73; the file is as it was then.
  func replace(with text: String) throws {
    let next = KeyFile(path: "\(path).\(UUID().uuidString.prefix(8))")
    try next.create(text)
    guard rename(next.path, path) == 0 else {
      let reason = String(cString: strerror(errno))
      next.remove()
      throw RuntimeError("can't write \(path): \(reason)", exitCode: ExitCode.cannotCreate)
    }
  }

  func remove() { unlink(path) }
}
