import Foundation
import Inference

/// Writes `trace.csv`, a row an evaluation, as the fit goes.
public final class TraceWriter {
  private let path: String
  private let descriptor: Int32

  static let header =
    "iteration,seconds,elbo,elbo_se,kl,gradient_norm,step_size,variance_min,variance_max,workers\n"

  /// Starts the file. Throws ``ReportingError`` when it can't be written.
  public init(path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw ReportingError(.cannotWrite, "can't write \(path): \(String(cString: strerror(errno)))")
    }
    try append(TraceWriter.header)
  }

  /// Goes on with the file of an earlier run: rows of evaluations after `iteration` are taken back, because they
  /// are made again.
  public init(path: String, resumingAfter iteration: Int) throws {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? TraceWriter.header
    let rows = text.split(separator: "\n").dropFirst().filter { line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      return cells.count == TraceWriter.columns
        && cells.first.flatMap { Int($0) }.map { $0 <= iteration } == true
    }
    try RunFolder.write(
      Array((TraceWriter.header + rows.map { $0 + "\n" }.joined()).utf8), to: path)
    self.path = path
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw ReportingError(.cannotWrite, "can't write \(path): \(String(cString: strerror(errno)))")
    }
  }

  private static let columns = 10

  deinit { close(descriptor) }

  /// Adds a row; what is not defined stays empty.
  public func append(_ row: TraceRow, seconds: Double, workers: Int) throws {
    let cells: [String] = [
      "\(row.iteration)", String(format: "%.6f", seconds), "\(row.objective.elbo)",
      "\(row.objective.standardError)", row.kl.map { "\($0)" } ?? "",
      row.gradientNorm.map { "\($0)" } ?? "", row.stepSize.map { "\($0)" } ?? "",
      "\(row.varianceMinimum)", "\(row.varianceMaximum)", "\(workers)",
    ]
    try append(cells.joined(separator: ",") + "\n")
  }

  private func append(_ line: String) throws {
    let bytes = Array(line.utf8)
    let count = write(descriptor, bytes, bytes.count)
    guard count == bytes.count else {
      throw ReportingError(.cannotWrite, "can't write \(path): \(String(cString: strerror(errno)))")
    }
  }
}
