import Foundation
import Inference

/// What one worker, or one relay with all its workers, gets and sends in an iteration: the gradient's state and sums, with
/// the headers of their messages.
public struct BytesPerIteration: Sendable, Codable, Equatable {
  public var down: Double
  public var up: Double

  public init(down: Double, up: Double) {
    self.down = down
    self.up = up
  }
}

/// The file `summary.json`.
public struct Summary: Sendable, Codable {
  /// Whether a stopping rule found the fit converged; nil where none was applied.
  public var converged: Bool?
  /// What ended the fit, in words.
  public var stoppedBy: String
  public var iterations: Int
  public var elbo: Double?
  public var elboStandardError: Double?
  public var kl: Double?
  public var khat: Double?
  /// Importance-weighted ELBO, in nats.
  public var importanceWeightedELBO: Double?
  /// How good the fit is and what to do, in a sentence.
  public var verdict: String?
  /// How settled the averaged iterates are; nil when the fit ends with its last iterate.
  public var iterates: IterateSummary?
  public var test: TestScores?
  /// Wall-clock seconds from the first pass to the last.
  public var seconds: Double
  public var workers: Int
  public var lostWorkers: Int
  public var redispatchedTiles: Int
  public var bytesSent: UInt64
  public var bytesReceived: UInt64
  /// What one worker (or relay) gets and sends in an iteration, on average; nil where nothing travels.
  public var bytesPerIteration: BytesPerIteration?
  /// Bytes of the data's files that the coordinator sent to workers and relays; nil where they share a folder.
  public var bytesStreamed: Int?
  public var stateSHA256: String
  public var warnings: [String]
  public var version: String

  enum CodingKeys: String, CodingKey {
    case converged, iterations, elbo, kl, khat, verdict, iterates, test, seconds, workers, warnings, version
    case stoppedBy = "stopped_by"
    case elboStandardError = "elbo_se"
    case importanceWeightedELBO = "importance_weighted_elbo"
    case lostWorkers = "lost_workers"
    case redispatchedTiles = "redispatched_tiles"
    case bytesSent = "bytes_sent"
    case bytesReceived = "bytes_received"
    case bytesPerIteration = "bytes_per_iteration"
    case bytesStreamed = "bytes_streamed"
    case stateSHA256 = "state_sha256"
  }

  public init(
    stoppedBy: String, iterations: Int, row: TraceRow?, test: TestScores?, seconds: Double, workers: Int,
    lostWorkers: Int, redispatchedTiles: Int, bytesSent: UInt64, bytesReceived: UInt64, stateSHA256: String,
    warnings: [String], version: String, converged: Bool? = nil, judgement: Judgement? = nil,
    verdict: String? = nil, iterates: IterateSummary? = nil,
    bytesPerIteration: BytesPerIteration? = nil, bytesStreamed: Int? = nil
  ) {
    self.bytesStreamed = bytesStreamed
    self.converged = converged
    khat = judgement?.khat
    importanceWeightedELBO = judgement?.importanceWeightedElbo
    self.verdict = verdict
    self.iterates = iterates
    self.stoppedBy = stoppedBy
    self.iterations = iterations
    elbo = row?.objective.elbo
    elboStandardError = row?.objective.standardError
    kl = row?.kl
    self.test = test
    self.seconds = seconds
    self.workers = workers
    self.lostWorkers = lostWorkers
    self.redispatchedTiles = redispatchedTiles
    self.bytesSent = bytesSent
    self.bytesReceived = bytesReceived
    self.bytesPerIteration = bytesPerIteration
    self.stateSHA256 = stateSHA256
    self.warnings = warnings
    self.version = version
  }

  /// Writes every key, with null for what is not defined.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(converged, forKey: .converged)
    try container.encode(stoppedBy, forKey: .stoppedBy)
    try container.encode(iterations, forKey: .iterations)
    try container.encode(elbo, forKey: .elbo)
    try container.encode(elboStandardError, forKey: .elboStandardError)
    try container.encode(kl, forKey: .kl)
    try container.encode(khat, forKey: .khat)
    try container.encode(importanceWeightedELBO, forKey: .importanceWeightedELBO)
    try container.encode(verdict, forKey: .verdict)
    try container.encode(iterates, forKey: .iterates)
    try container.encode(test, forKey: .test)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(workers, forKey: .workers)
    try container.encode(lostWorkers, forKey: .lostWorkers)
    try container.encode(redispatchedTiles, forKey: .redispatchedTiles)
    try container.encode(bytesSent, forKey: .bytesSent)
    try container.encode(bytesReceived, forKey: .bytesReceived)
    try container.encode(bytesPerIteration, forKey: .bytesPerIteration)
    try container.encode(bytesStreamed, forKey: .bytesStreamed)
    try container.encode(stateSHA256, forKey: .stateSHA256)
    try container.encode(warnings, forKey: .warnings)
    try container.encode(version, forKey: .version)
  }
}
