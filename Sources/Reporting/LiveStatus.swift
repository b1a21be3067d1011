import Foundation

/// What a fit is doing right now: the file `status.json` in its folder, rewritten about once a second, and what the
/// dashboard shows.
///
/// For people and monitors to look at: nothing that a fit computes depends on it, and every list in it is bounded.
public struct LiveStatus: Sendable, Codable, Equatable {
  /// Where a fit stands.
  public enum State: String, Sendable, Codable, CaseIterable {
    /// Reads data, starts workers, waits for them.
    case preparing
    /// Looks for a start, learns coordinates and moves components.
    case warmingUp = "warming_up"
    case running
    /// Judges the finished mixture and scores test data.
    case judging
    case finished
    case failed
    /// Stopped by a signal; `--resume` goes on.
    case interrupted

    /// Whether nothing more comes.
    public var isFinal: Bool { self == .finished || self == .failed || self == .interrupted }
  }

  /// What is fitted.
  public struct Model: Sendable, Codable, Equatable {
    public var family: String
    /// Parameters; nil before the data are read.
    public var dimension: Int?
    public var components: Int

    public init(family: String, dimension: Int?, components: Int) {
      self.family = family
      self.dimension = dimension
      self.components = components
    }
  }

  /// The process that runs the fit.
  public struct Process: Sendable, Codable, Equatable {
    public var host: String
    public var pid: Int
    /// When the process started, in the kernel's ticks since its host was booted: with the number, it names a process.
    public var started: UInt64?

    public init(host: String, pid: Int, started: UInt64?) {
      self.host = host
      self.pid = pid
      self.started = started
    }
  }

  /// An evaluation of the objective, in nats.
  public struct TracePoint: Sendable, Codable, Equatable {
    public var iteration: Int
    /// Seconds of fitting, over all its sittings.
    public var seconds: Double
    public var elbo: Double
    /// Standard error of `elbo`.
    public var se: Double

    public init(iteration: Int, seconds: Double, elbo: Double, se: Double) {
      self.iteration = iteration
      self.seconds = seconds
      self.elbo = elbo
      self.se = se
    }
  }

  /// How fast a fit was at some time.
  public struct CoursePoint: Sendable, Codable, Equatable {
    public var seconds: Double
    public var iterationsPerSecond: Double
    /// Sent and received.
    public var bytesPerSecond: Double
    public var workers: Int

    public init(seconds: Double, iterationsPerSecond: Double, bytesPerSecond: Double, workers: Int) {
      self.seconds = seconds
      self.iterationsPerSecond = iterationsPerSecond
      self.bytesPerSecond = bytesPerSecond
      self.workers = workers
    }
  }

  /// Raised whenever the meaning of the file changes.
  public var formatVersion = LiveStatus.currentVersion
  /// The software's version.
  public var version: String
  /// The run's identity; nil before it has one.
  public var run: String?
  /// The folder of the fit.
  public var folder: String
  public var model: Model
  public var state = State.preparing
  /// The state in more words.
  public var phase: String
  /// What ended the fit, or went wrong; nil while it goes on.
  public var message: String?
  /// The exit code of a fit that has ended.
  public var exitCode: Int?
  public var iteration = 0
  /// Iterations at most.
  public var iterations: Int
  /// Whether the stopping rule may end the fit before.
  public var mayStopEarly: Bool
  public var elbo: Double?
  /// Standard error of `elbo`.
  public var elboSe: Double?
  /// Over the last seconds; nil when not known.
  public var iterationsPerSecond: Double?
  /// Seconds of fitting, over all its sittings.
  public var seconds = 0.0
  /// Seconds to the last iteration at the present rate; nil when not known.
  public var secondsLeft: Double?
  /// Evaluations, thinned out to at most ``LiveStatusLimits/trace``; the newest is always there.
  public var trace: [TracePoint] = []
  public var course: [CoursePoint] = []
  public var workers: [LiveWorker] = []
  /// Workers that take part and are not listed.
  public var workersLeftOut = 0
  /// Workers that were lost, the latest ones.
  public var lost: [LostWorker] = []
  /// Different worker processes so far.
  public var workersSeen = 0
  public var lostWorkers = 0
  public var redispatchedTiles = 0
  /// Tiles in workers' hands.
  public var tilesInFlight = 0
  /// Tiles of the job under way.
  public var tilesOfJob = 0
  public var bytesSent: UInt64 = 0
  public var bytesReceived: UInt64 = 0
  /// Over the last seconds.
  public var bytesPerSecond: Double?
  /// The first warnings.
  public var warnings: [String] = []
  /// When this was so, by the coordinator's clock (ISO 8601).
  public var updatedAt = LiveStatus.timestamp(Date())
  public var coordinator: Process
  /// Where the dashboard is, without its token.
  public var dashboard: String?

  public static let currentVersion = 1
  public static let fileName = "status.json"

  public init(
    version: String, folder: String, model: Model, phase: String, iterations: Int, mayStopEarly: Bool,
    coordinator: Process
  ) {
    self.version = version
    self.folder = folder
    self.model = model
    self.phase = phase
    self.iterations = iterations
    self.mayStopEarly = mayStopEarly
    self.coordinator = coordinator
  }

  /// A time as ISO 8601 with milliseconds.
  public static func timestamp(_ date: Date) -> String {
    date.ISO8601Format(.init(includingFractionalSeconds: true))
  }

  /// A time as ``timestamp(_:)`` writes it.
  public static func date(_ timestamp: String) -> Date? {
    try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(timestamp)
  }

  /// Seconds since this was so; nil when the file does not say when.
  public func age(at date: Date) -> Double? {
    LiveStatus.date(updatedAt).map { max(0, date.timeIntervalSince($0)) }
  }
}

/// A worker process that takes part.
public struct LiveWorker: Sendable, Codable, Equatable {
  public enum State: String, Sendable, Codable {
    /// Opens its data.
    case preparing
    case computing
    /// Has nothing to do.
    case idle
  }

  /// Host and process.
  public var name: String
  public var host: String
  public var pid: Int
  public var threads: Int
  public var state: State
  /// Tiles whose sums it has sent.
  public var tilesDone: Int
  public var tilesHeld: Int
  /// Over the last seconds; nil when not known.
  public var tilesPerSecond: Double?
  /// The share of the last seconds in which it computed, from 0 to 1.
  public var busy: Double?
  /// Speed of one of its threads against the median of the others'; nil when not known.
  public var relativeSpeed: Double?
  /// Whether the others wait for it.
  public var isSlow: Bool
  /// Seconds since it was last heard.
  public var lastSeenSeconds: Double

  public init(
    name: String, host: String, pid: Int, threads: Int, state: State, tilesDone: Int, tilesHeld: Int,
    tilesPerSecond: Double?, busy: Double?, relativeSpeed: Double?, isSlow: Bool, lastSeenSeconds: Double
  ) {
    self.name = name
    self.host = host
    self.pid = pid
    self.threads = threads
    self.state = state
    self.tilesDone = tilesDone
    self.tilesHeld = tilesHeld
    self.tilesPerSecond = tilesPerSecond
    self.busy = busy
    self.relativeSpeed = relativeSpeed
    self.isSlow = isSlow
    self.lastSeenSeconds = lastSeenSeconds
  }
}

/// A worker process that was lost.
public struct LostWorker: Sendable, Codable, Equatable {
  public var name: String
  public var host: String
  public var pid: Int
  public var reason: String
  /// When, by the coordinator's clock (ISO 8601).
  public var lostAt: String

  public init(name: String, host: String, pid: Int, reason: String, lostAt: String) {
    self.name = name
    self.host = host
    self.pid = pid
    self.reason = reason
    self.lostAt = lostAt
  }
}

/// What bounds a status.
public enum LiveStatusLimits {
  public static let trace = 240
  public static let course = 240
  public static let workers = 256
  public static let lost = 32
  public static let warnings = 20
  /// Bytes of a status as JSON, at most, for those who read it.
  public static let bytes = 1 << 20
  /// Seconds from one status to the next.
  public static let interval_s = 1.0
  /// A status that is older than this is news of the past.
  public static let stale_s = 10.0
}
