import CPlatform
import Coordination
import Foundation
import Glibc

/// The worker processes that a coordinator starts on its own machine.
final class LocalWorkers {
  private var running: Set<pid_t> = []

  /// How long workers get to end by themselves: after a good end, and after a failure.
  private static let farewell_ms = 2_000
  private static let farewellAfterFailure_ms = 500
  /// How long they get after SIGTERM.
  private static let termination_ms = 500

  /// Starts worker processes that connect to an endpoint.
  func start(count: Int, endpoint: String, threads: Int) throws {
    let path = try Identity.executablePath()
    for _ in 0..<count {
      try running.insert(
        spawn(
          path,
          [
            "worker", "--connect", endpoint, "--threads", "\(threads)", "--parent-process", "\(getpid())",
          ]))
    }
  }

  private func spawn(_ path: String, _ arguments: [String]) throws -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Children start with no signal blocked, ignored or caught.
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
    var process: pid_t = 0
    let status = LocalWorkers.withStrings([path] + arguments) { arguments in
      LocalWorkers.withStrings(environment) { environment in
        posix_spawn(&process, path, nil, &attributes, arguments, environment)
      }
    }
    guard status == 0 else {
      throw RuntimeError(
        "can't start a worker process: \(String(cString: strerror(status)))", exitCode: ExitCode.software)
    }
    return process
  }

  private static func withStrings<Value>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
  ) -> Value {
    let pointers = texts.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers + [nil])
  }

  /// Processes that have not ended.
  var count: Int { running.count }

  /// The workers that have ended since the last call, with how they ended.
  func reap() -> [(processID: Int, description: String)] {
    var ended: [(processID: Int, description: String)] = []
    for process in running.sorted() {
      var status: Int32 = 0
      guard waitpid(process, &status, WNOHANG) == process else { continue }
      running.remove(process)
      ended.append((Int(process), LocalWorkers.describe(status)))
    }
    return ended
  }

  private static func describe(_ status: Int32) -> String {
    let signal = status & 0x7f
    return signal == 0
      ? "it exited with code \((status >> 8) & 0xff)" : "it was ended by \(Signals.name(signal))"
  }

  /// Waits for the workers to end, then ends them. None is left when this returns.
  func shutDown(afterFailure: Bool) {
    let patience =
      afterFailure ? LocalWorkers.farewellAfterFailure_ms : LocalWorkers.farewell_ms
    if waitForAll(patience) { return }
    for process in running { kill(process, SIGTERM) }
    // A stopped process takes no other signal before it goes on.
    for process in running { kill(process, SIGCONT) }
    if waitForAll(LocalWorkers.termination_ms) { return }
    for process in running { kill(process, SIGKILL) }
    _ = waitForAll(LocalWorkers.termination_ms)
  }

  private func waitForAll(_ limit_ms: Int) -> Bool {
    let deadline = Clock.now.adding(milliseconds: limit_ms)
    while !running.isEmpty, Clock.now < deadline {
      _ = reap()
      if !running.isEmpty { usleep(2_000) }
    }
    return running.isEmpty
  }
}
