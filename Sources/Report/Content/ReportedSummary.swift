import Inference

/// As much of a fit's `summary.json` as a report shows; fits of earlier versions have less.
public struct ReportedSummary: Sendable, Codable, Equatable {
  public var converged: Bool?
  public var stoppedBy: String?
  public var iterations: Int?
  public var elbo: Double?
  public var elboSe: Double?
  public var kl: Double?
  public var khat: Double?
  public var importanceWeightedElbo: Double?
  public var verdict: String?
  public var iterates: IterateSummary?
  public var test: TestScores?
  public var seconds: Double?
  public var workers: Int?
  public var lostWorkers: Int?
  public var redispatchedTiles: Int?
  public var bytesSent: UInt64?
  public var bytesReceived: UInt64?
  public var stateSha256: String?
  public var warnings: [String]?
  public var version: String?
}
