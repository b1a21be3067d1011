import Foundation

/// Starts processes, and runs tools to their end.
enum Spawn {
  /// Starts a process in a process group of its own, with no signal blocked and nothing to read.
  static func start(
    _ executable: String, _ arguments: [String], environment: [String: String], output: String, errors: String
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o600)
    // Sockets and pipes of this process stay its own: held by a child too, they would never close.
    for descriptor in 3..<min(highestDescriptor, getdtablesize()) {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setpgroup(&attributes, 0)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    var process: pid_t = 0
    let code = withStrings([executable] + arguments) { arguments in
      withStrings(environment.map { "\($0.key)=\($0.value)" }) { variables in
        posix_spawn(&process, executable, &actions, &attributes, arguments, variables)
      }
    }
    guard code == 0 else { throw TestKitError("can't start \(executable): \(reason(code))") }
    return process
  }

  /// Runs a tool of the system to its end, which has to be a good one.
  ///
  /// - Parameter words: the tool's name, looked for where the system keeps its tools, and its arguments.
  /// - Returns: what it wrote to standard output.
  /// - Throws: ``TestKitError`` with what it wrote to standard error.
  @discardableResult static func tool(_ words: String...) throws -> String { try tool(words) }

  /// - Parameters:
  ///   - environment: variables besides the path.
  ///   - seconds: until it is killed.
  @discardableResult static func tool(
    _ words: [String], environment: [String: String] = [:], within seconds: Int = toolLimit_s
  ) throws -> String {
    guard let name = words.first, let path = toolPath(name) else {
      throw TestKitError("there is no '\(words.first ?? "")' here")
    }
    let folder = try TemporaryFolder()
    let process = try start(
      path, Array(words.dropFirst()),
      environment: ["PATH": toolFolders.joined(separator: ":"), "LC_ALL": "C"].merging(environment) { $1 },
      output: folder("output"), errors: folder("errors"))
    var status: Int32 = 0
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while waitpid(process, &status, WNOHANG) != process {
      guard ContinuousClock.now < deadline else {
        kill(-process, SIGKILL)
        waitpid(process, &status, 0)
        throw TestKitError("\(words.joined(separator: " ")): no end within \(seconds) s")
      }
      usleep(1_000)
    }
    guard status == 0 else {
      let errors = text(folder("errors")).trimmingCharacters(in: .whitespacesAndNewlines)
      throw TestKitError("\(words.joined(separator: " ")): \(errors.isEmpty ? "status \(status)" : errors)")
    }
    return text(folder("output"))
  }

  /// Where a tool of the system is.
  static func toolPath(_ name: String) -> String? {
    toolFolders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// A system call's error in words.
  static func reason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

  private static let toolFolders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
  private static let toolLimit_s = 20
  private static let highestDescriptor: Int32 = 1024

  private static func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }

  private static func withStrings<Value>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
  ) -> Value {
    let pointers = texts.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers + [nil])
  }
}
