import CPlatform
import Coordination
import Foundation
import Glibc

/// The worker processes that a coordinator starts on its own machine, and starts again when they crash.
final class LocalWorkers {
  /// One of them, over all the processes that it has been.
  private struct Slot {
    var process: pid_t?
    /// When the process was last seen to be registered, or started.
    var accountedForAt: Instant
    var policy: RestartPolicy
    /// When the next process is started; nil with no process: never again.
    var restartAt: Instant?
  }

  /// What the processes print, of those that are there and of those that have ended.
  private var outputs: [pid_t: ChildOutput] = [:]
  private var lastLines: [String] = []

  /// How a process ended.
  struct End {
    let processID: Int
    let description: String
    /// What comes next, in words.
    let consequence: String
  }

  private var slots: [Slot] = []
  private var arguments: [String] = []
  private let path: String
  private var isShuttingDown = false

  /// A process that the coordinator has not known for so long hangs: it is killed and started anew.
  private static let hangLimit_s = 90.0

  /// How long workers get to end by themselves: after a good end, and after a failure.
  private static let farewell_ms = 2_000
  private static let farewellAfterFailure_ms = 500
  /// How long they get after SIGTERM.
  private static let termination_ms = 500

  init() throws { path = try Identity.executablePath() }

  /// Starts worker processes that connect to an endpoint.
  func start(count: Int, endpoint: String, threads: Int) throws {
    arguments = [
      "worker", "--connect", endpoint, "--threads", "\(threads)", "--parent-process", "\(getpid())",
    ]
    for _ in 0..<count {
      let now = Clock.now
      slots.append(
        Slot(
          process: try spawn(path, arguments), accountedForAt: now, policy: RestartPolicy(startedAt: now)))
    }
  }

  /// Starts those whose time has come.
  /// - Throws: ``RuntimeError`` when the system starts no process; it is tried again later.
  func restartDue() throws {
    guard !isShuttingDown else { return }
    let now = Clock.now
    for index in slots.indices {
      guard slots[index].process == nil, let due = slots[index].restartAt, due <= now else { continue }
      slots[index].restartAt = now.adding(milliseconds: RestartPolicy.lastDelay_ms)
      slots[index].process = try spawn(path, arguments)
      slots[index].accountedForAt = now
      slots[index].restartAt = nil
      slots[index].policy.started(now: now)
    }
  }

  /// Kills processes that have not been registered for long: they hang, and their death starts new ones.
  ///
  /// - Returns: their process numbers.
  func killHanging(isRegistered: (Int) -> Bool) -> [Int] {
    let now = Clock.now
    var killed: [Int] = []
    for index in slots.indices {
      guard let process = slots[index].process else { continue }
      if isRegistered(Int(process)) { slots[index].accountedForAt = now }
      guard now.seconds(since: slots[index].accountedForAt) > LocalWorkers.hangLimit_s else { continue }
      slots[index].accountedForAt = now
      kill(process, SIGKILL)
      killed.append(Int(process))
    }
    return killed
  }

  private func spawn(_ path: String, _ arguments: [String]) throws -> pid_t {
    // Their standard output is not ours, which holds results.
    let output = try ChildOutput()
    let process = try ChildProcess.start(path, arguments) { output.attach(to: &$0) }
    output.started()
    outputs[process] = output
    return process
  }

  /// The lines that workers have printed since the last call.
  func takeLines() -> [String] {
    defer { lastLines = [] }
    var lines = lastLines
    for slot in slots {
      guard let process = slot.process else { continue }
      lines += outputs[process]?.lines() ?? []
    }
    return lines
  }

  private var running: [pid_t] { slots.compactMap(\.process) }

  /// Processes that have not ended.
  var count: Int { running.count }

  /// Whether none is there and none will be.
  var isExhausted: Bool { slots.allSatisfy { $0.process == nil && $0.restartAt == nil } }

  /// The workers that have ended since the last call, with how they ended.
  ///
  /// - Parameter hadJoined: whether a process was ready to work for the coordinator.
  func reap(hadJoined: (Int) -> Bool) -> [End] {
    var ends: [End] = []
    let now = Clock.now
    for index in slots.indices {
      guard let process = slots[index].process else { continue }
      var status: Int32 = 0
      guard waitpid(process, &status, WNOHANG) == process else { continue }
      slots[index].process = nil
      lastLines += outputs.removeValue(forKey: process)?.last() ?? []
      // Who was asked to leave has left; everybody else is started again.
      let hasLeft = status == 0
      if !hasLeft, !isShuttingDown {
        slots[index].restartAt = slots[index].policy.ended(hadJoined: hadJoined(Int(process)), now: now)
      }
      let consequence =
        hasLeft
        ? "it left" : slots[index].restartAt == nil ? "it is not started any more" : "it is started again"
      ends.append(
        End(
          processID: Int(process), description: LocalWorkers.describe(status), consequence: consequence))
    }
    return ends
  }

  private static func describe(_ status: Int32) -> String {
    let signal = status & 0x7f
    return signal == 0
      ? "it exited with code \((status >> 8) & 0xff)" : "it was ended by \(Signals.name(signal))"
  }

  /// Waits for the workers to end, then ends them. None is left when this returns.
  func shutDown(afterFailure: Bool) {
    isShuttingDown = true
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
      _ = reap { _ in true }
      if !running.isEmpty { usleep(2_000) }
    }
    return running.isEmpty
  }
}
