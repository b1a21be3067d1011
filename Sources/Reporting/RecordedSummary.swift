import Foundation
import Inference

/// What an earlier fit's `summary.json` says, as far as it is there: what a fit recorded about itself.
public struct RecordedSummary: Sendable, Codable, Equatable {
  /// Whether the stopping rule found the fit converged; nil where none was applied.
  public var converged: Bool?
  public var stoppedBy: String?
  public var iterations: Int?
  public var elbo: Double?
  /// Standard error of `elbo`.
  public var elboSe: Double?
  /// How settled the averaged iterates were.
  public var iterates: IterateSummary?

  /// Reads the `summary.json` of a fit's folder; nil when it has none.
  /// - Throws: ``ReportingError`` when the file is something else.
  public static func read(_ folder: String) throws -> RecordedSummary? {
    let file = folder + "/summary.json"
    guard let data = FileManager.default.contents(atPath: file) else { return nil }
    guard let summary = try? JSONStyle.decoder().decode(RecordedSummary.self, from: data) else {
      throw ReportingError(.badData, "\(file) is not a fit's summary.json")
    }
    return summary
  }
}
