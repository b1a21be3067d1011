import Coordination
import Foundation
import Glibc

/// Starts processes of this program: workers, and the dashboard's.
enum ChildProcess {
  /// Starts a program with no signal blocked, ignored or caught.
  ///
  /// - Parameter connect: says what the child's standard input and output are.
  /// - Throws: ``RuntimeError`` when the system starts no process.
  static func start(
    _ path: String, _ arguments: [String], connect: (inout posix_spawn_file_actions_t) -> Void
  ) throws -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    // OpenBLAS would start a thread a core when it is loaded; workers multiply on one.
    let inherited = ProcessInfo.processInfo.environment.filter { $0.key != "OPENBLAS_NUM_THREADS" }
    let environment = inherited.map { "\($0.key)=\($0.value)" } + ["OPENBLAS_NUM_THREADS=1"]
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    connect(&actions)
    var process: pid_t = 0
    let status = withStrings([path] + arguments) { arguments in
      withStrings(environment) { environment in
        posix_spawn(&process, path, &actions, &attributes, arguments, environment)
      }
    }
    guard status == 0 else {
      throw RuntimeError(
        "can't start \(arguments.first ?? "a process"): \(String(cString: strerror(status)))",
        exitCode: ExitCode.software)
    }
    return process
  }

  /// Puts another program in the place of this process.
  /// - Throws: ``RuntimeError`` when it can't be started; otherwise it does not return.
  static func become(_ program: String, _ arguments: [String]) throws -> Never {
    withStrings([program] + arguments) { _ = execvp(program, $0) }
    throw RuntimeError(
      "can't start \(program): \(String(cString: strerror(errno)))",
      exitCode: errno == ENOENT ? ExitCode.unavailable : ExitCode.software)
  }

  private static func withStrings<Value>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
  ) -> Value {
    let pointers = texts.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers + [nil])
  }
}
