/// Every bound and every waiting time of the machines, in one place.
public enum CoordinationLimits {
  /// How often both sides send a beat.
  public static let beatInterval_ms = 1_000
  /// After how much silence a registered peer is lost.
  public static let silenceLimit_ms = 8_000
  /// A machine that was not asked for this long was not running itself (stopped, suspended, busy): it starts to
  /// count the others' silence anew.
  public static let ownStall_ms = 2_000
  /// How long a worker may take from `welcome` to `ready` without a beat in between.
  public static let setupSilence_ms = 60_000
  /// How long a worker waits for an answer to its hello.
  public static let greeting_ms = 30_000
  /// Assignments that a worker has at most, so that the next one waits at the worker and not the worker for it.
  public static let assignmentsInFlight = 2
  /// Assignments that a worker takes from its coordinator, at most.
  public static let assignmentsHeld = 64
  /// Pieces of work are made no smaller than this much computing time.
  public static let minimumPiece_s = 0.0003
  /// Speed assumed of one thread before the first result, in floating-point operations a second.
  public static let assumedSpeed = 1e10
  /// Peers that sent nonsense before registering and are named in the log, at most.
  public static let loggedStrangers = 20
  /// Workers that were refused and are named in the log, at most.
  public static let loggedRefusals = 100
  /// Blocks that one assignment touches, at most: each of them is one subtree, and two of them some more.
  public static let blocksPerAssignment = 16_384
  /// Numbers that the whole blocks of one assignment sum up to, at most: far below what one message carries.
  public static let numbersPerAssignment = 1 << 22
}
