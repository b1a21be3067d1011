import Foundation

/// A run's output folder: made and locked for one fit, written file by file so that a reader never sees half a
/// file.
public final class RunFolder {
  public let path: String
  /// The folder that an earlier fit's results were moved to, if there were any.
  public let previous: String?
  private let lock: Int32

  /// Made by every fit in its folder, and locked while it runs: what shows that a folder is one of ours.
  private static let markName = ".isomix"
  private static let maximumPrevious = 10_000

  /// Opens a folder for a new fit, where an earlier fit's folder is moved aside and never overwritten; or, to
  /// resume it, the folder of an earlier fit.
  ///
  /// - Parameter protecting: files and folders that must not be moved aside with an earlier fit.
  /// - Throws: ``ReportingError`` when the folder can't be made, holds something else, or is in use; or when
  ///   there is nothing to resume.
  public init(path given: String, resuming: Bool = false, protecting: [String] = []) throws {
    let path = RunFolder.resolved(given)
    self.path = path
    let isEarlierFit = try RunFolder.check(path: path, resuming: resuming, protecting: protecting)
    if resuming || !isEarlierFit {
      previous = nil
    } else {
      let probe = try RunFolder.takeLock(in: path)
      defer { close(probe) }
      previous = try RunFolder.moveAside(path)
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw ReportingError(.cannotWrite, "can't make the folder \(path): \(RunFolder.reason(error))")
    }
    lock = try RunFolder.takeLock(in: path)
  }

  /// Whether a folder holds a fit, finished or not: one that can be resumed.
  public static func holdsFit(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: resolved(path) + "/" + markName)
  }

  /// Says whether a folder holds an earlier fit; changes nothing, so that it can be asked before long work.
  ///
  /// - Throws: ``ReportingError`` when a fit can't go there.
  @discardableResult
  public static func check(path given: String, resuming: Bool, protecting: [String]) throws -> Bool {
    let path = resolved(given)
    guard !path.isEmpty else { throw ReportingError(.cannotWrite, "the output folder has no name") }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard !exists || isFolder.boolValue else {
      throw ReportingError(.cannotWrite, "\(path) is a file: choose another --output folder")
    }
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let isEarlierFit = entries.contains(markName)
    if resuming {
      guard isEarlierFit else {
        throw ReportingError(.noInput, "there is no fit in \(path) to resume: start it without --resume")
      }
    } else if isEarlierFit {
      for other in protecting.map(resolved) where other == path || other.hasPrefix(path + "/") {
        throw ReportingError(
          .cannotWrite, "\(path) holds an earlier fit, but also \(other): choose another --output folder")
      }
    } else if !entries.isEmpty {
      throw ReportingError(
        .cannotWrite, "\(path) is not empty and holds no fit: choose another --output folder")
    }
    if isEarlierFit { close(try takeLock(in: path)) }
    return isEarlierFit
  }

  /// A path without symbolic links, so that a linked folder's content is moved and not the link.
  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else {
      var trimmed = path
      while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
      return trimmed
    }
    defer { free(real) }
    return String(cString: real)
  }

  deinit { close(lock) }

  /// The path of a file in the folder.
  public func file(_ name: String) -> String { path + "/" + name }

  /// Writes a whole file: temporary name, fsync, rename, fsync of the folder.
  public func write(_ text: String, to name: String) throws {
    try RunFolder.write(Array(text.utf8), to: file(name))
  }

  /// Writes a value as JSON.
  public func write(json value: some Encodable, to name: String, pretty: Bool = true) throws {
    let data: Data
    do {
      data = try JSONStyle.encoder(pretty: pretty).encode(value)
    } catch {
      throw ReportingError(.cannotWrite, "\(file(name)): the content can't be written as JSON")
    }
    try RunFolder.write(Array(data) + [UInt8(ascii: "\n")], to: file(name))
  }

  /// Writes a file so that it is there whole or not at all, also after a power failure.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    try bytes.withUnsafeBytes { try write($0, to: path) }
  }

  /// The same with bytes that somebody else owns.
  public static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    let temporary = "\(path).tmp-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(path) }
    var offset = 0
    while offset < bytes.count {
      let count = Foundation.write(
        descriptor, bytes.baseAddress.map { $0 + offset }, min(bytes.count - offset, mostBytesAtOnce))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let error = failure(path)
        close(descriptor)
        unlink(temporary)
        throw error
      }
      offset += count
    }
    let synchronized = fsync(descriptor)
    close(descriptor)
    guard synchronized == 0, rename(temporary, path) == 0 else {
      let error = failure(path)
      unlink(temporary)
      throw error
    }
    let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// What one call of the system is asked to write.
  private static let mostBytesAtOnce = 1 << 30

  private static func failure(_ path: String) -> ReportingError {
    ReportingError(.cannotWrite, "can't write \(path): \(String(cString: strerror(errno)))")
  }

  private static func takeLock(in folder: String) throws -> Int32 {
    let descriptor = open(folder + "/" + markName, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(folder) }
    // The folder may have been moved aside between opening and locking: the lock must be that of this path.
    var held = stat()
    var current = stat()
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &held) == 0,
      stat(folder + "/" + markName, &current) == 0, held.st_ino == current.st_ino,
      held.st_dev == current.st_dev
    else {
      close(descriptor)
      throw ReportingError(
        .cannotWrite, "another fit is writing to \(folder): wait for it or choose another --output folder")
    }
    return descriptor
  }

  /// Renames the folder of an earlier fit to the first free `path.1`, `path.2`, ….
  private static func moveAside(_ path: String) throws -> String {
    var base = path
    while base.count > 1, base.hasSuffix("/") { base.removeLast() }
    for number in 1...maximumPrevious {
      let candidate = "\(base).\(number)"
      if FileManager.default.fileExists(atPath: candidate) { continue }
      guard rename(base, candidate) == 0 else { throw failure(base) }
      return candidate
    }
    throw ReportingError(.cannotWrite, "\(path) has too many earlier fits beside it: choose another folder")
  }

  private static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    if let code = underlying?.code, underlying?.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(code)))
    }
    // Where Foundation keeps the system's error to itself.
    switch (error as? CocoaError)?.code {
    case .fileWriteVolumeReadOnly: return String(cString: strerror(EROFS))
    case .fileWriteNoPermission: return String(cString: strerror(EACCES))
    case .fileWriteOutOfSpace: return String(cString: strerror(ENOSPC))
    default: return "it can't be created there"
    }
  }
}
