import Foundation
import Synchronization

/// How a process ended and what it wrote.
public struct CommandResult: Sendable, CustomStringConvertible {
  /// The exit code; minus the signal's number when a signal ended it.
  public let exitCode: Int32
  public let output: String
  public let errors: String

  public var description: String {
    "exit \(exitCode)\n--- standard output\n\(output.prefix(4000))\n--- standard error\n\(errors.prefix(4000))"
  }

  /// The lines of standard output.
  public var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// One run of the built `isomix` as a real process, in a process group of its own.
///
/// Standard output and error go to files, so that nothing blocks; whatever is left of the group is killed when
/// the run is let go.
public final class CommandRun: Sendable {
  public let processID: pid_t
  private let arguments: [String]
  private let outputPath: String
  private let errorPath: String
  private let folder: TemporaryFolder
  /// Kept, because a network takes along what runs in it.
  private let namespace: NetworkNamespaces.Member?
  private let status = Mutex<Int32?>(nil)
  private static let counter = Atomic<Int>(0)

  /// The built executable, next to the tests' own.
  public static let executable: String =
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("isomix").path

  /// Starts a process.
  ///
  /// - Parameters:
  ///   - folder: where it keeps its cache, its sockets and its output.
  ///   - executable: another program than the built one.
  ///   - output: where standard output goes instead of a file of its own: a device or a named pipe.
  ///   - namespace: the network that it is in, instead of this machine's.
  public init(
    _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:],
    executable: String = CommandRun.executable, output: String? = nil,
    namespace: NetworkNamespaces.Member? = nil
  ) throws {
    self.arguments = arguments
    self.folder = folder
    self.namespace = namespace
    let number = CommandRun.counter.wrappingAdd(1, ordering: .relaxed).oldValue
    outputPath = output ?? folder(".stdout-\(number)")
    errorPath = folder(".stderr-\(number)")
    var variables = ProcessInfo.processInfo.environment
    variables["XDG_CACHE_HOME"] = folder("cache")
    variables["TMPDIR"] = folder.path
    // Tests have more workers than this machine has processors, and want to see them all at work.
    variables["ISOMIX_NO_REST"] = "1"
    variables.merge(environment) { $1 }
    // `ip netns exec` becomes the program: the process and its group are the program's own.
    let words = namespace.map { $0.prefix + [executable] } ?? [executable]
    processID = try Spawn.start(
      words[0], Array(words.dropFirst()) + arguments, environment: variables, output: outputPath,
      errors: errorPath)
  }

  deinit {
    kill(-processID, SIGKILL)
    if status.withLock({ $0 == nil }) {
      var code: Int32 = 0
      waitpid(processID, &code, 0)
    }
  }

  /// Runs to the end.
  public static func run(
    _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:],
    executable: String = CommandRun.executable, within seconds: Double = 120
  ) async throws -> CommandResult {
    try await CommandRun(arguments, in: folder, environment: environment, executable: executable)
      .finish(within: seconds)
  }

  /// Waits for the end.
  /// - Throws: when it takes longer than `seconds`; the process and its children are killed then.
  public func finish(within seconds: Double = 120) async throws -> CommandResult {
    let ended = try await eventually(within: seconds) { self.poll() != nil }
    guard ended, let code = poll() else {
      kill(-processID, SIGKILL)
      throw TestKitError(
        "isomix \(arguments.joined(separator: " ")) did not end within \(seconds) s\n\(result(exitCode: -9))")
    }
    return result(exitCode: code)
  }

  /// Whether the process has ended.
  public var hasEnded: Bool { poll() != nil }

  /// What it wrote to standard error so far.
  public var errors: String { CommandRun.text(errorPath) }

  /// What it wrote to standard output so far.
  public var output: String { CommandRun.text(outputPath) }

  /// Sends a signal to the process alone.
  public func signal(_ number: Int32) { kill(processID, number) }

  /// Sends a signal to the process and its children, as a batch queue does.
  public func signalGroup(_ number: Int32) { kill(-processID, number) }

  /// The worker processes that it has started and that are alive.
  public var workers: [pid_t] {
    ProcessTable.living().filter { $0.parent == processID && $0.arguments.contains("worker") }.map(
      \.processID)
  }

  /// Every process of its group that is alive: itself, its children, orphans of theirs.
  public var group: [pid_t] {
    ProcessTable.living().filter { $0.group == processID }.map(\.processID)
  }

  private func result(exitCode: Int32) -> CommandResult {
    CommandResult(exitCode: exitCode, output: output, errors: errors)
  }

  private func poll() -> Int32? {
    status.withLock { status in
      if let status { return status }
      var code: Int32 = 0
      guard waitpid(processID, &code, WNOHANG) == processID else { return nil }
      let number = code & 0x7f
      status = number == 0 ? (code >> 8) & 0xff : -number
      return status
    }
  }

  private static func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }
}

/// Waits until a condition holds, looking every few milliseconds; false when the time is up.
public func eventually(within seconds: Double, _ condition: () throws -> Bool) async throws -> Bool {
  let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
  while ContinuousClock.now < deadline {
    if try condition() { return true }
    try await Task.sleep(for: .milliseconds(5))
  }
  return try condition()
}
