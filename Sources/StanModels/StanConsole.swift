import CBridgeStan
import CPlatform
import Glibc
import Synchronization

/// Where the output of models goes: never to this program's standard output.
///
/// In a worker process standard output belongs to whoever started it, who logs what comes (``passOn()``). In other processes
/// it holds results, and is turned aside while a model's code runs (``aside(_:)``).
public final class StanConsole: Sendable {
  public static let shared = StanConsole()

  private struct State {
    var passesOn = false
    var depth = 0
    /// Standard output while it is turned aside.
    var kept: Int32 = -1
    var pipe: (read: Int32, write: Int32)?
    var heard = ""
    var leftAway = 0
  }

  private let state = Mutex(State())
  private let rejectedAt = Mutex<(when: UInt64, count: Int)>((0, 0))

  /// Characters kept, at most, until somebody takes them.
  private static let mostHeard = 1 << 16

  private init() {}

  /// From now on, what models print goes to standard output as it stands, without waiting.
  public func passOn() {
    state.withLock { $0.passesOn = true }
    isomix_stan_flush_output(true)
    isomix_stan_print_to(STDOUT_FILENO)
  }

  /// Runs a model's code with standard output turned aside.
  func aside<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let isAside = enter()
    defer { if isAside { leave() } }
    return try body()
  }

  private func enter() -> Bool {
    state.withLock { state in
      guard !state.passesOn else { return false }
      state.depth += 1
      guard state.depth == 1, let pipe = StanConsole.pipe(&state) else { return true }
      state.kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
      guard state.kept >= 0 else { return true }
      isomix_stan_flush_output(false)
      dup2(pipe.write, STDOUT_FILENO)
      isomix_stan_print_to(pipe.write)
      return true
    }
  }

  private func leave() {
    state.withLock { state in
      state.depth -= 1
      guard state.depth == 0, state.kept >= 0, let pipe = state.pipe else { return }
      isomix_stan_flush_output(false)
      isomix_stan_print_to(-1)
      dup2(state.kept, STDOUT_FILENO)
      close(state.kept)
      state.kept = -1
      StanConsole.drain(pipe.read, &state)
    }
  }

  private static func pipe(_ state: inout State) -> (read: Int32, write: Int32)? {
    if let pipe = state.pipe { return pipe }
    var ends: [Int32] = [0, 0]
    guard isomix_open_wake_pipe(&ends) == 0 else { return nil }
    state.pipe = (ends[0], ends[1])
    return state.pipe
  }

  private static func drain(_ descriptor: Int32, _ state: inout State) {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &bytes, bytes.count)
      guard count > 0 else { return }
      let text = String(decoding: bytes[..<count], as: UTF8.self)
      if state.heard.utf8.count < mostHeard { state.heard += text } else { state.leftAway += 1 }
    }
  }

  /// The lines that models have printed in this process while standard output was turned aside, since the last call.
  public func takeLines() -> [String] {
    state.withLock { state in
      var lines = state.heard.split(separator: "\n").map(String.init)
      if state.leftAway > 0 { lines.append("(and more, which was left away)") }
      state.heard = ""
      state.leftAway = 0
      return lines
    }
  }

  // MARK: What a worker process says about its model.

  /// Tells whoever reads this process's standard output something that a user should know.
  func warn(_ text: String) { say(.warning, text) }

  /// Tells that a point was rejected: now and then, with the number of points since.
  func reject(_ message: String) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let time = UInt64(now.tv_sec) + 1
    let count: Int? = rejectedAt.withLock { last in
      last.count += 1
      guard time > last.when else { return nil }
      last.when = time
      defer { last.count = 0 }
      return last.count
    }
    guard let count else { return }
    say(.rejection, "\(message.split(separator: "\n").joined(separator: " ")) (\(count) point(s))")
  }

  private func say(_ kind: WorkerOutput.Kind, _ text: String) {
    guard state.withLock({ $0.passesOn }) else { return }
    let line = Array((WorkerOutput(kind: kind, text: text).line + "\n").utf8)
    _ = write(STDOUT_FILENO, line, line.count)
  }
}

/// A line of a worker's standard output: what a model printed, or what the worker says about it.
public struct WorkerOutput: Sendable, Hashable {
  public enum Kind: Sendable, CaseIterable {
    case printed
    case warning
    /// The model rejected points.
    case rejection
  }

  public var kind: Kind
  public var text: String

  /// Characters of a line that are kept.
  private static let longest = 1000

  public init(kind: Kind, text: String) {
    self.kind = kind
    self.text = String(text.prefix(WorkerOutput.longest))
  }

  /// A control character that no model prints by accident stands before what is not printed.
  private static let marks: [(Kind, Character)] = [(.warning, "\u{1}"), (.rejection, "\u{2}")]

  public init(line: String) {
    let mark = WorkerOutput.marks.first { line.first == $0.1 }
    self.init(kind: mark?.0 ?? .printed, text: mark == nil ? line : String(line.dropFirst()))
  }

  var line: String { (WorkerOutput.marks.first { $0.0 == kind }.map { String($0.1) } ?? "") + text }
}
