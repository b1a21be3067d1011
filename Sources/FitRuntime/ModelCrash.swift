import Coordination
import Glibc

/// Says what happened when a model's code, which isn't ours, crashes this process.
///
/// Fits evaluate such models in worker processes; what users see of θ is computed here. A signal like SIGSEGV can't be
/// survived, but it need not be silent.
enum ModelCrash {
  private static let signals = [SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE]

  /// From here on a crash writes a note to standard error and ends the process with ``ExitCode/software``.
  static func explain(_ doing: String) {
    let note = Array("isomix: the model's code crashed this process while \(doing)\n".utf8)
    crashNoteBytes?.deallocate()
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: note.count)
    bytes.initialize(from: note, count: note.count)
    crashNoteBytes = bytes
    crashNoteLength = note.count
    crashExitCode = ExitCode.software
    for signal in signals { Glibc.signal(signal, writeCrashNote) }
  }

  /// From here on crashes are what they were.
  static func forget() {
    for signal in signals { Glibc.signal(signal, SIG_DFL) }
  }
}

// Written by one thread while no handler is installed for it, or before the model's code runs; a handler only reads
// them. Globals with constant values need no lazy initialisation, which a handler may not do.
nonisolated(unsafe) private var crashNoteBytes: UnsafeMutablePointer<UInt8>? = nil
nonisolated(unsafe) private var crashNoteLength = 0
nonisolated(unsafe) private var crashExitCode: Int32 = 0

private func writeCrashNote(_: Int32) {
  _ = write(STDERR_FILENO, crashNoteBytes, crashNoteLength)
  _exit(crashExitCode)
}
