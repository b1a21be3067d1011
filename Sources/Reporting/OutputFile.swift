import Foundation

/// A file that a user asked for, or standard output. A file is there whole or not at all: it is written under another
/// name and renamed at the end. Devices and pipes are written as they are.
public final class OutputFile {
  /// Whoever read standard output, or a pipe, wants no more.
  public struct ReaderGone: Error {}

  private let path: String?
  /// Nil: what is written is already where it belongs.
  private let temporary: String?
  private let descriptor: Int32
  private var isDone = false

  /// - Parameter path: nil for standard output.
  /// - Throws: ``ReportingError`` when the file can't be made.
  public init(path: String?) throws {
    self.path = path
    guard let path else {
      temporary = nil
      descriptor = dup(STDOUT_FILENO)
      guard descriptor >= 0 else { throw OutputFile.failure(nil) }
      return
    }
    var status = stat()
    let exists = stat(path, &status) == 0
    guard !exists || status.st_mode & S_IFMT == S_IFREG else {
      temporary = nil
      descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw OutputFile.failure(path) }
      return
    }
    let other = "\(path).tmp-\(getpid())"
    temporary = other
    descriptor = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw OutputFile.failure(path) }
  }

  deinit {
    guard !isDone else { return }
    close(descriptor)
    discard()
  }

  /// Removes what was written so far. May be called by any thread; nothing may be written after it.
  public func discard() {
    if let temporary { unlink(temporary) }
  }

  /// Writes a text.
  /// - Throws: ``ReaderGone``; ``ReportingError`` when it can't be written.
  public func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }

  /// Writes bytes.
  /// - Throws: ``ReaderGone``; ``ReportingError`` when they can't be written.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    var offset = 0
    while offset < bytes.count {
      let count = Foundation.write(
        descriptor, bytes.baseAddress.map { $0 + offset }, min(bytes.count - offset, 1 << 30))
      if count < 0, errno == EINTR { continue }
      // A pipe that some other process made not to block.
      if count < 0, errno == EAGAIN {
        var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&item, 1, 1000)
        continue
      }
      if count < 0, errno == EPIPE { throw ReaderGone() }
      guard count > 0 else { throw OutputFile.failure(path) }
      offset += count
    }
  }

  /// Ends the file; without this call there is none.
  /// - Throws: ``ReportingError`` when the last of it can't be written.
  public func finish() throws {
    isDone = true
    guard let temporary, let path else {
      close(descriptor)
      return
    }
    let isSynchronized = fsync(descriptor) == 0
    guard close(descriptor) == 0, isSynchronized, rename(temporary, path) == 0 else {
      let error = OutputFile.failure(path)
      discard()
      throw error
    }
  }

  private static func failure(_ path: String?) -> ReportingError {
    ReportingError(
      .cannotWrite, "can't write \(path ?? "to standard output"): \(String(cString: strerror(errno)))")
  }
}
