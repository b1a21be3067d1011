import Coordination
import Foundation
import Glibc
import Reporting

/// Several worker processes of one host, started, started again when they crash, and ended together.
///
/// Each holds a lifeline (``Lifeline``) to this process: when it is gone, in whatever way, they leave too.
public struct WorkerPool {
  public struct Options: Sendable {
    /// How many processes.
    public var processes: Int
    /// What each is started with, after the program's name; `--lifeline` is added.
    public var arguments: [String]
    /// What each reads first: the lines of its keys.
    public var input: String
    /// End when standard input closes.
    public var lifeline: Bool

    public init(processes: Int, arguments: [String], input: String = "", lifeline: Bool) {
      self.processes = processes
      self.arguments = arguments
      self.input = input
      self.lifeline = lifeline
    }
  }

  /// A worker, over all the processes that it has been.
  private struct Slot {
    var process: pid_t = 0
    /// Our end of its standard input.
    var lifeline: Int32 = -1
    var startedAt = Clock.now
    var policy: RestartPolicy
    var restartAt: Instant?
    /// How it ended for good.
    var exitCode: Int32?
  }

  private let options: Options
  private let path: String
  private let signals: Signals
  private var slots: [Slot] = []
  private var killAt: Instant?

  private static let turn_ms: Int32 = 100
  /// Who lived so long had found its fit.
  private static let joined_s = 5.0
  private static let farewell_ms = 12_000

  /// Runs until all have ended for good.
  /// - Returns: the first exit code that is not 0, or 0.
  public static func run(_ options: Options) throws -> Int32 {
    var pool = try WorkerPool(options)
    return try pool.run()
  }

  private init(_ options: Options) throws {
    self.options = options
    path = try Identity.executablePath()
    signals = try Signals([SIGTERM, SIGINT, SIGCHLD])
    if options.lifeline { Lifeline.watch(patience_s: nil) }
  }

  private mutating func run() throws -> Int32 {
    for _ in 0..<options.processes { slots.append(Slot(policy: RestartPolicy(startedAt: Clock.now))) }
    defer { for slot in slots where slot.exitCode == nil && slot.process > 0 { kill(slot.process, SIGKILL) } }
    for index in slots.indices { try start(index) }
    while slots.contains(where: { $0.exitCode == nil }) {
      var wake = pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)
      poll(&wake, 1, WorkerPool.turn_ms)
      while let number = signals.next() { if number != SIGCHLD { stop() } }
      reap()
      let now = Clock.now
      for index in slots.indices {
        if let due = slots[index].restartAt, due <= now { try start(index) }
      }
      if let killAt, killAt <= now {
        for slot in slots where slot.exitCode == nil && slot.process > 0 { kill(slot.process, SIGKILL) }
      }
    }
    return slots.compactMap(\.exitCode).first { $0 != 0 } ?? 0
  }

  private mutating func start(_ index: Int) throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw RuntimeError.system("a pipe to a worker") }
    // Only the worker may hold its reading end, and only this process the other one.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let bytes = Array(options.input.utf8)
    // Two short lines: there is room for them in an empty pipe.
    guard write(ends[1], bytes, bytes.count) == bytes.count else {
      close(ends[1])
      throw RuntimeError.system("can't write to a worker's pipe")
    }
    do {
      slots[index].process = try ChildProcess.start(path, options.arguments + ["--lifeline"]) {
        posix_spawn_file_actions_adddup2(&$0, ends[0], STDIN_FILENO)
      }
    } catch {
      close(ends[1])
      throw error
    }
    slots[index].lifeline = ends[1]
    slots[index].startedAt = Clock.now
    slots[index].restartAt = nil
    slots[index].policy.started(now: Clock.now)
  }

  /// Asks all to leave.
  private mutating func stop() {
    guard killAt == nil else { return }
    killAt = Clock.now.adding(milliseconds: WorkerPool.farewell_ms)
    for index in slots.indices where slots[index].exitCode == nil {
      if slots[index].process > 0 { kill(slots[index].process, SIGTERM) } else { slots[index].exitCode = 0 }
      slots[index].restartAt = nil
    }
  }

  private mutating func reap() {
    let now = Clock.now
    for index in slots.indices where slots[index].process > 0 {
      var status: Int32 = 0
      guard waitpid(slots[index].process, &status, WNOHANG) == slots[index].process else { continue }
      let process = slots[index].process
      slots[index].process = 0
      close(slots[index].lifeline)
      let number = status & 0x7f
      // Who says why it ends would say the same again.
      guard number != 0, killAt == nil else {
        slots[index].exitCode = number == 0 ? (status >> 8) & 0xff : ExitCode.unavailable
        continue
      }
      let hadJoined = now.seconds(since: slots[index].startedAt) >= WorkerPool.joined_s
      slots[index].restartAt = slots[index].policy.ended(hadJoined: hadJoined, now: now)
      let isOver = slots[index].restartAt == nil
      if isOver { slots[index].exitCode = ExitCode.software }
      try? StandardStream.error.write(
        "isomix worker: process \(process) was ended by \(Signals.name(number)); "
          + (isOver ? "it is not started any more\n" : "it is started again\n"))
    }
  }
}
