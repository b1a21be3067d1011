import Coordination
import Foundation
import Glibc
import ZeroMQTransport

/// A folder with the keys of encrypted connections.
///
/// | file | who needs it | content |
/// |---|---|---|
/// | `coordinator.secret` | the coordinator | its secret key; only its owner may read it |
/// | `coordinator.public` | workers | its public key |
/// | `worker.secret` | workers | their secret key; only its owner may read it |
/// | `worker.public` | – | their public key |
/// | `authorized_workers` | the coordinator | public keys that may connect, one a line, a name after each; lines that start with `#` are comments |
///
/// Keys are 40 characters (Z85). One folder on a file system that all machines share is enough; else workers get
/// `coordinator.public` and a secret key of their own.
public enum KeyFolder {
  private static let coordinatorName = "coordinator"
  private static let workerName = "worker"
  private static let authorizedName = "authorized_workers"
  private static let keyFile_bytes = 4096
  private static let authorized_bytes = 8 << 20
  private static let nameLength = 64

  // MARK: Reading

  /// What a coordinator needs: its secret key and the keys of the workers that may connect.
  /// - Throws: ``RuntimeError``: 66 when a file is missing, 77 when others can read or change it, 65 when its
  ///   content makes no sense.
  public static func coordinator(_ path: String) throws -> CoordinatorSecurity {
    try checkFolder(path)
    return CoordinatorSecurity(
      keys: try CurveKeyPair(secret: key(path, coordinatorName + ".secret", .secret)),
      workers: try authorizedWorkers(path))
  }

  /// What a worker needs: its secret key and the coordinator's public one.
  /// - Throws: as ``coordinator(_:)``.
  public static func worker(_ path: String, name: String = "worker") throws -> WorkerSecurity {
    try checkFolder(path)
    try checkName(name)
    return WorkerSecurity(
      keys: try CurveKeyPair(secret: key(path, name + ".secret", .secret)),
      coordinator: try key(path, coordinatorName + ".public", .listed))
  }

  /// What a worker needs, from the lines of `coordinator.public` and of a worker's `.secret`.
  /// - Throws: ``RuntimeError``, 65, when one of them is no key.
  public static func worker(coordinator: String, secret: String) throws -> WorkerSecurity {
    guard let coordinator = CurveKey(trimmed(coordinator)), let secret = CurveKey(trimmed(secret)) else {
      throw RuntimeError(
        "standard input has no keys: give the line of coordinator.public, then that of worker.secret",
        exitCode: ExitCode.badData)
    }
    return WorkerSecurity(keys: try CurveKeyPair(secret: secret), coordinator: coordinator)
  }

  /// A key folder's public content.
  public struct Contents: Sendable, Encodable {
    public struct NamedKey: Sendable, Encodable {
      public let name: String
      public let key: String
    }

    /// The coordinator's public key, if it is there.
    public let coordinator: String?
    public let authorizedWorkers: [NamedKey]
  }

  /// The public keys of a folder.
  /// - Throws: as ``coordinator(_:)``; a missing list of workers is an empty one.
  public static func contents(_ path: String) throws -> Contents {
    try checkFolder(path)
    let hasKey = exists(path, coordinatorName + ".public")
    let workers = exists(path, authorizedName) ? try authorizedWorkers(path) : []
    return Contents(
      coordinator: hasKey ? try key(path, coordinatorName + ".public", .listed).text : nil,
      authorizedWorkers: workers.map { Contents.NamedKey(name: $0.name, key: $0.key.text) })
  }

  private static func exists(_ path: String, _ name: String) -> Bool {
    access("\(path)/\(name)", F_OK) == 0
  }

  /// Who can put files into the folder can put keys into it.
  private static func checkFolder(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw RuntimeError(
        "there is no key folder \(path): make one with 'isomix keys new \(path)'", exitCode: ExitCode.noInput)
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw RuntimeError("\(path) is not a folder: give the folder with the keys", exitCode: ExitCode.noInput)
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw RuntimeError(
        "the key folder \(path) belongs to another user, who could change the keys: take one of your own",
        exitCode: ExitCode.notAuthorised)
    }
    guard status.st_mode & 0o022 == 0 || isSealed(path, status) else {
      throw RuntimeError(
        "others can put keys into \(path): run 'chmod go-w \(path)' and look at what is in it",
        exitCode: ExitCode.notAuthorised)
    }
  }

  /// Whether nobody can put anything into a folder, whatever its mode says: it belongs to root, and this process sees
  /// it through a mount that is read-only. Kubernetes mounts Secrets so, with mode 1777; the files in it have to
  /// belong to root as well (``KeyFile``), so nobody else can have made them before.
  private static func isSealed(_ path: String, _ status: stat) -> Bool {
    var mount = statvfs()
    return status.st_uid == 0 && statvfs(path, &mount) == 0 && mount.f_flag & UInt(ST_RDONLY) != 0
  }

  private static func key(_ folder: String, _ name: String, _ protection: KeyFile.Protection) throws
    -> CurveKey
  {
    let path = "\(folder)/\(name)"
    let text = try KeyFile(path: path).read(protection, limit_bytes: keyFile_bytes)
    let lines = lines(of: text).map(trimmed)
    guard let first = lines.first, let key = CurveKey(first) else {
      throw RuntimeError(
        "\(path), line 1: a key of \(CurveKey.textLength) characters belongs there, and nothing else",
        exitCode: ExitCode.badData)
    }
    if let more = lines.dropFirst().firstIndex(where: { !$0.isEmpty }) {
      throw RuntimeError(
        "\(path), line \(more + 1): nothing belongs after the key", exitCode: ExitCode.badData)
    }
    return key
  }

  private static func authorizedWorkers(_ folder: String) throws -> [CoordinatorSecurity.AuthorizedWorker] {
    let path = "\(folder)/\(authorizedName)"
    let text = try KeyFile(path: path).read(.listed, limit_bytes: authorized_bytes)
    return try parse(authorizedWorkers: text, path: path)
  }

  /// Reads the lines of `authorized_workers`.
  package static func parse(
    authorizedWorkers text: String, path: String
  ) throws -> [CoordinatorSecurity.AuthorizedWorker] {
    var workers: [CoordinatorSecurity.AuthorizedWorker] = []
    for (index, line) in lines(of: text).enumerated() {
      let line = trimmed(line)
      if line.isEmpty || line.hasPrefix("#") { continue }
      let parts = line.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
      guard let first = parts.first, let key = CurveKey(String(first)) else {
        throw RuntimeError(
          "\(path), line \(index + 1): a line is a key of \(CurveKey.textLength) characters, and a name if you like",
          exitCode: ExitCode.badData)
      }
      let name = parts.count > 1 ? trimmed(parts[1]) : ""
      guard name.utf8.count <= nameLength,
        name.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
      else {
        throw RuntimeError(
          "\(path), line \(index + 1): a name has at most \(nameLength) bytes and no control characters",
          exitCode: ExitCode.badData)
      }
      workers.append(CoordinatorSecurity.AuthorizedWorker(key: key, name: name))
    }
    return workers
  }

  /// By bytes: for Swift, the line end of Windows is one character and no line feed.
  private static func lines(of text: String) -> [String] {
    text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    text.trimmingCharacters(in: CharacterSet(charactersIn: " \t\r"))
  }

  // MARK: Writing

  /// Makes a folder with the keys of a coordinator and of its workers.
  /// - Throws: ``RuntimeError``, 73 when something can't be written or is there already; nothing new is left then.
  public static func create(_ path: String) throws {
    let isNew = mkdir(path, 0o700) == 0
    guard isNew || errno == EEXIST else {
      throw RuntimeError(
        "can't make \(path): \(String(cString: strerror(errno)))", exitCode: ExitCode.cannotCreate)
    }
    try checkFolder(path)
    let coordinator = try newPair()
    let worker = try newPair()
    do {
      try create(
        [
          (coordinatorName + ".secret", coordinator.secret.text + "\n"),
          (coordinatorName + ".public", coordinator.public.text + "\n"),
          (workerName + ".secret", worker.secret.text + "\n"),
          (workerName + ".public", worker.public.text + "\n"),
          (
            authorizedName,
            "# Workers that may connect: a public key a line, and a name if you like.\n"
              + "\(worker.public.text) \(workerName)\n"
          ),
        ], in: path)
    } catch {
      if isNew { rmdir(path) }
      throw error
    }
  }

  /// Makes the keys of one more worker and adds it to those that may connect.
  /// - Throws: ``RuntimeError``, 73 when something can't be written or is there already, 66 without a folder.
  public static func addWorker(_ name: String, to path: String) throws {
    try checkName(name)
    try checkFolder(path)
    // Others that add a worker at the same time wait here.
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0, flock(folder, LOCK_EX) == 0 else {
      if folder >= 0 { close(folder) }
      throw RuntimeError.system("can't lock \(path)")
    }
    defer { close(folder) }
    let list = KeyFile(path: "\(path)/\(authorizedName)")
    var text = try list.read(.listed, limit_bytes: authorized_bytes)
    _ = try parse(authorizedWorkers: text, path: list.path)
    let pair = try newPair()
    if !text.isEmpty, text.utf8.last != UInt8(ascii: "\n") { text += "\n" }
    try create(
      [(name + ".secret", pair.secret.text + "\n"), (name + ".public", pair.public.text + "\n")], in: path)
    do {
      try list.replace(with: text + "\(pair.public.text) \(name)\n")
      fsync(folder)
    } catch {
      KeyFile(path: "\(path)/\(name).secret").remove()
      KeyFile(path: "\(path)/\(name).public").remove()
      throw error
    }
  }

  /// A pair whose public key can't be taken for a comment in `authorized_workers`.
  private static func newPair() throws -> CurveKeyPair {
    while true {
      let pair = try CurveKeyPair.generate()
      if !pair.public.text.hasPrefix("#") { return pair }
    }
  }

  /// Makes files that are not there yet: all of them, or none.
  private static func create(_ files: [(name: String, text: String)], in folder: String) throws {
    var made: [KeyFile] = []
    do {
      for (name, text) in files {
        let file = KeyFile(path: "\(folder)/\(name)")
        try file.create(text)
        made.append(file)
      }
    } catch {
      for file in made { file.remove() }
      throw error
    }
  }

  private static func checkName(_ name: String) throws {
    let isFine = name.utf8.allSatisfy { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || ".-_".utf8.contains(byte)
    }
    guard (1...nameLength).contains(name.utf8.count), isFine, !name.hasPrefix("."), !name.hasPrefix("-"),
      name != coordinatorName
    else {
      throw RuntimeError(
        "'\(name)' can't be a worker's name: use up to \(nameLength) letters, digits, '-', '_' and '.', and not "
          + "'\(coordinatorName)'", exitCode: ExitCode.usage)
    }
  }
}
