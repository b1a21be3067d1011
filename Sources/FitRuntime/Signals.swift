import CPlatform
import Glibc

/// Signals as something to be polled: caught by the process and read from a descriptor.
public final class Signals {
  public let descriptor: Int32

  /// - Throws: ``RuntimeError`` when the system refuses.
  public init(_ signals: [Int32]) throws {
    Signals.ignoreBrokenPipes()
    descriptor = isomix_watch_signals(signals, Int32(signals.count))
    guard descriptor >= 0 else { throw RuntimeError.system("can't watch signals") }
  }

  /// Makes writing to whoever is gone an error instead of the process's end.
  static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Runs work that a signal ends at once, with a sentence and an exit code.
  static func ending<Value>(with exitCode: Int32, _ message: String, during work: () throws -> Value)
    rethrows -> Value
  {
    isomix_exit_on_signal(exitCode, message + "\n")
    defer { isomix_exit_on_signal(0, "") }
    return try work()
  }

  /// The next pending signal, if any.
  public func next() -> Int32? {
    let number = isomix_read_signal(descriptor)
    return number > 0 ? number : nil
  }

  /// A signal's name.
  static func name(_ number: Int32) -> String {
    switch number {
    case SIGINT: "SIGINT"
    case SIGTERM: "SIGTERM"
    case SIGUSR1: "SIGUSR1"
    case SIGKILL: "SIGKILL"
    case SIGSEGV: "SIGSEGV"
    case SIGABRT: "SIGABRT"
    case SIGBUS: "SIGBUS"
    case SIGILL: "SIGILL"
    case SIGFPE: "SIGFPE"
    case SIGHUP: "SIGHUP"
    default: "signal \(number)"
    }
  }
}
