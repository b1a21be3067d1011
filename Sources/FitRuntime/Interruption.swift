import Coordination
import Glibc

/// Whether the user or the system has asked this fit to stop.
final class Interruption {
  private let signals: Signals
  private var caught: Int32?
  /// Told when a child process has ended.
  var childrenEnded: (() -> Void)?

  /// The signals to watch; open before any thread is started.
  static let signals: [Int32] = [SIGINT, SIGTERM, SIGUSR1, SIGCHLD]

  init(_ signals: Signals) { self.signals = signals }

  var descriptor: Int32 { signals.descriptor }

  /// Reads pending signals.
  /// - Throws: ``RunFailure`` with exit code 75 when one of them asks the fit to stop.
  func check() throws {
    while let number = signals.next() {
      if number == SIGCHLD { childrenEnded?() } else { caught = caught ?? number }
    }
    if let caught {
      throw RunFailure(exitCode: ExitCode.interrupted, message: "interrupted by \(Signals.name(caught))")
    }
  }
}
