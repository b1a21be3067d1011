import CBridgeStan
import Foundation
import NumericsKit
import Synchronization

/// A shared library with Stan models: one that BridgeStan has compiled, or an interpreter with the same interface.
///
/// Calls into a library that was built without threads are serialised over the whole process, because its models share a
/// stack of derivatives.
// Sendable by proof: the handle and the table behind it never change, and what the library itself changes is guarded by
// `lock` unless its builder says that threads may call it.
final class StanLibrary: @unchecked Sendable {
  let path: String
  let handle: OpaquePointer
  let version: String
  private let lock = NSLock()
  private let isForThreads = Atomic<Bool>(false)

  private static let loaded = Mutex<[String: StanLibrary]>([:])

  /// The oldest interface that is understood, and the one that is not any more.
  private static let versions = 2..<3

  /// Loads a library once a process, however often it is asked for.
  /// - Throws: ``StanError``.
  static func open(_ path: String) throws -> StanLibrary {
    let bytes = try StanFile.bytes(path, of: "the Stan library")
    let digest = Digest.of(bytes).description
    return try loaded.withLock { loaded in
      if let library = loaded[digest] { return library }
      let library = try StanLibrary(path, copy: try LibraryCopy.path(of: bytes, digest: digest))
      loaded[digest] = library
      return library
    }
  }

  /// - Parameter copy: what is loaded: the loader takes a file of the same name for the same library, changed or not.
  private init(_ path: String, copy: String) throws {
    self.path = path
    var problem = [CChar](repeating: 0, count: 4096)
    var opened: OpaquePointer?
    let result = StanConsole.shared.aside { () -> UInt32 in
      let result = isomix_stan_open(copy, &opened, &problem, problem.count)
      guard result == ISOMIX_STAN_NOT_LOADED.rawValue else { return UInt32(result) }
      // It may look for other files beside itself.
      return UInt32(isomix_stan_open(path, &opened, &problem, problem.count))
    }
    let reason = String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    if result == ISOMIX_STAN_MISSING_SYMBOL.rawValue {
      throw StanError(
        .library,
        "\(path) is not a library of Stan models: it has no function \(reason). Compile the model with BridgeStan 2.0 or "
          + "newer (model.library is the …_model.so that it makes)")
    }
    guard let opened else {
      throw StanError(
        .library,
        "\(path) can't be loaded as a library (\(reason)): is it one that was made for this system and this kind of "
          + "processor?")
    }
    handle = opened
    var numbers: (Int32, Int32, Int32) = (0, 0, 0)
    withUnsafeMutablePointer(to: &numbers) {
      $0.withMemoryRebound(to: Int32.self, capacity: 3) { isomix_stan_version(opened, $0) }
    }
    version = "\(numbers.0).\(numbers.1).\(numbers.2)"
    guard StanLibrary.versions.contains(Int(numbers.0)) else {
      throw StanError(
        .library,
        "\(path) has version \(version) of BridgeStan's interface; this program speaks 2.x: compile the model with a "
          + "BridgeStan of that version")
    }
  }

  /// Whether it interprets programs instead of being one.
  var isInterpreter: Bool { isomix_stan_is_interpreter(handle) }

  /// Learns from a model's information whether threads may call the library.
  func learn(from info: String) {
    if info.contains("STAN_THREADS=true") { isForThreads.store(true, ordering: .relaxed) }
  }

  /// Whether several threads may call it at once.
  var allowsThreads: Bool { isForThreads.load(ordering: .relaxed) }

  /// Runs the library's code: alone in this process unless it is made for threads, and with standard output kept clean.
  func call<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    try StanConsole.shared.aside { () throws(Failure) -> Result in
      guard !allowsThreads else { return try body() }
      lock.lock()
      defer { lock.unlock() }
      return try body()
    }
  }

  /// Takes a message of the library and gives its memory back.
  func text(of message: UnsafeMutablePointer<CChar>?) -> String {
    guard let message else { return "no reason was given" }
    defer { isomix_stan_free_message(handle, message) }
    return String(cString: message).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Compiles a program for an interpreter.
  /// - Throws: ``StanError`` with the compiler's message.
  func compile(_ program: String) throws -> String {
    let source = String(decoding: try StanFile.bytes(program, of: "the Stan program"), as: UTF8.self)
    guard isInterpreter else {
      throw StanError(
        .library, "\(path) is a compiled model and takes no program: leave model.program away")
    }
    var problem = [CChar](repeating: 0, count: 1 << 14)
    let folder = URL(fileURLWithPath: program).deletingLastPathComponent().path
    let text = call { isomix_stan_compile(handle, source, folder, &problem, problem.count) }
    guard let text else {
      let reason = String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw StanError(.model, "\(program) can't be compiled: \(reason)")
    }
    defer { isomix_stan_free_text(handle, text) }
    return String(cString: text)
  }

  /// The interpreter's name for its build.
  var build: String { String(cString: isomix_stan_build(handle)) }
}

/// Reads files that a model is made of.
enum StanFile {
  /// - Throws: ``StanError`` when there is none.
  static func bytes(_ path: String, of what: String) throws -> [UInt8] {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard exists else { throw StanError(.noInput, "\(what) \(path) is not there") }
    guard !isFolder.boolValue, let data = FileManager.default.contents(atPath: path) else {
      throw StanError(.noInput, "\(what) \(path) can't be read: is it a file that you may read?")
    }
    return Array(data)
  }
}

/// Copies of libraries, named by their content: what is loaded can't be overwritten by a compiler meanwhile, and other
/// content has another name.
enum LibraryCopy {
  /// The copy's path, after making it if it is not there.
  /// - Throws: ``StanError`` when it can't be written.
  static func path(of bytes: [UInt8], digest: String) throws -> String {
    let folder = cacheFolder + "/stan"
    let path = "\(folder)/\(digest).so"
    if let data = FileManager.default.contents(atPath: path), Digest.of(Array(data)).description == digest {
      return path
    }
    let temporary = "\(folder)/.\(digest)-\(getpid())"
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try Data(bytes).write(to: URL(fileURLWithPath: temporary))
    } catch {
      throw StanError(
        .cannotWrite,
        "a copy of the Stan library can't be written to \(folder): \(error.localizedDescription) Name another folder with "
          + "XDG_CACHE_HOME")
    }
    guard rename(temporary, path) == 0 else {
      let reason = String(cString: strerror(errno))
      unlink(temporary)
      throw StanError(.cannotWrite, "a copy of the Stan library can't be written to \(path): \(reason)")
    }
    return path
  }

  private static var cacheFolder: String {
    let environment = ProcessInfo.processInfo.environment
    if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") { return base + "/isomix" }
    return NSHomeDirectory() + "/.cache/isomix"
  }
}
