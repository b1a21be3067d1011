/// Every bound and every waiting time of the machines, in one place.
public enum CoordinationLimits {
  /// How often both sides send a beat.
  public static let beatInterval_ms = 1_000
  /// After how much silence a registered peer is lost, unless the user says otherwise.
  public static let silenceLimit_ms = 15_000
  /// A worker looks for another coordinator after the same time, but never sooner than this.
  public static let coordinatorSilence_ms = 5_000
  /// A machine that was not asked for this long was not running itself (stopped, suspended, busy): it starts to
  /// count the others' silence anew.
  public static let ownStall_ms = 2_000
  /// How long a worker may take from `welcome` to `ready` without a beat in between.
  public static let setupSilence_ms = 60_000
  /// How long a worker's compute loop may stand still, while it has work and answers, before it is lost; never less
  /// than four times the silence limit.
  public static let stuck_ms = 60_000
  /// After how long an assignment that a worker's beats don't name, or a `ready` that did not come, counts as lost
  /// on the way.
  public static let lostMessage_ms = 5_000
  /// How long the first job waits for more workers once one is ready.
  public static let startPatience_ms = 10_000
  /// How long a worker looks for a coordinator before it gives up, unless the user says otherwise.
  public static let greeting_ms = 300_000
  /// How long a worker waits for an answer before it says hello once more: at first, and at most.
  public static let firstRetry_ms = 1_000
  public static let lastRetry_ms = 8_000
  /// How long a worker that is to leave may take to finish what it computes.
  public static let leaving_ms = 10_000
  /// A copy of an assignment is handed to an idle worker when it has taken this many times as long as expected, and
  /// at least so long.
  public static let stragglerFactor = 2.0
  public static let straggler_ms = 250
  /// Over how long it is watched who keeps the others waiting.
  public static let slowWindow_ms = 10_000
  /// How long a worker that the log has called slow is not named again: at first; twice as long each time.
  public static let slowAgain_ms = 60_000
  /// A straggling piece is named in the log when it has taken so long.
  public static let namedStraggler_ms = 2_000
  /// Below this part of the others' median speed a worker is called slow; and below the other one when the others
  /// wait for it alone for more than a part of the time.
  public static let slowSpeed = 0.5
  public static let waitedForSpeed = 0.8
  public static let longWait = 0.1
  /// Slow workers that are remembered, and lost ones that are shown, at most.
  public static let namedSlow = 256
  public static let departures = 32
  /// How long the next part of a long message may take: on a link of 10 kB/s.
  public static let partInterval_ms = 15_000
  /// Parts of files on their way to a worker at once, at most: 1 MiB, which other messages may be behind.
  public static let shardParts = 8
  /// While a worker asks for files, and for so long after, others leave it its home: they would have to get the same
  /// files.
  public static let gathering_ms = 5_000
  /// After how long a part that a worker does not say to have read counts as lost, and how many of them in a row a
  /// worker may leave unread.
  public static let unreadPart_ms = 60_000
  public static let unreadParts = 16
  /// How long a worker waits for the next part of a file, asking again now and then.
  public static let shardPatience_ms = 600_000
  /// Times that a file may come damaged and is asked for again.
  public static let shardDamages = 1
  /// Workers that may be lost over one tile before it is given up.
  public static let deathsPerTile = 3
  /// Losses that a job remembers, at most.
  public static let suspects = 256
  /// Pieces computed twice whose second result is still to come, at most.
  public static let settledPieces = 4_096
  /// Times that an unknown peer is asked to register before it is taken for a stranger.
  public static let invitations = 64
  /// Times that a peer may register over one connection: workers make a new one each time.
  public static let registrationsPerConnection = 16
  /// Times in a row that work does not reach a worker before it is lost.
  public static let missedInARow = 3
  /// Assignments that a worker has at most, so that the next one waits at the worker and not the worker for it.
  public static let assignmentsInFlight = 2
  /// Workers up to which it is asked which of them should be done first.
  public static let comparedWorkers = 64
  /// Assignments that a worker takes from its coordinator, at most.
  public static let assignmentsHeld = 64
  /// Assignments that a worker remembers having been given, so that a message that comes twice does nothing.
  public static let assignmentsRemembered = 1_024
  /// What a worker that takes part in a job costs the coordinator, in seconds: its messages, and each byte of the state
  /// that it is sent (measured: `isomix bench coordination`).
  public static let workerCost_s = 4e-5
  public static let byteCost_s = 5e-10
  /// Pieces of work are made no smaller than this much computing time.
  public static let minimumPiece_s = 0.0003
  /// Speed assumed of one thread before the first result, in floating-point operations a second.
  public static let assumedSpeed = 1e10
  /// A worker's home is made smaller by powers of two when it is slower than the others, down to this share.
  public static let smallestHome = 1.0 / 16
  /// Peers that sent nonsense before registering and are named in the log, at most.
  public static let loggedStrangers = 20
  /// Workers that were refused and are named in the log, at most.
  public static let loggedRefusals = 100
  /// Peers that have not registered and are remembered, at most.
  public static let rememberedStrangers = 16_384
  /// Workers that are counted one by one, at most.
  public static let countedWorkers = 1 << 16
  /// Workers whose time line is kept, at most; bins of time for each; and times that one may come and go.
  public static let timelineWorkers = 256
  public static let timelineBins = 128
  public static let timelineStays = 16
  /// Blocks that one assignment touches, at most: each of them is one subtree, and two of them some more.
  public static let blocksPerAssignment = 8_192
  /// Numbers that the whole blocks of one assignment sum up to, at most: far below what one message carries.
  public static let numbersPerAssignment = 1 << 22
}
