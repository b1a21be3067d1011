import Foundation
import TestKit
import Testing

/// A fit that goes on until it is told to stop, so that it can be disturbed for as long as a test needs; then the
/// bits that it has reached are compared with those of an undisturbed fit of as many iterations.
struct LiveFit {
  private(set) var run: CommandRun
  let files: FitFolder
  private let spec: String
  private let settings: [String]
  private let folder: TemporaryFolder

  /// Rows in the trace every few iterations, cheaply.
  static let often = setting("inference.objective.every=200", "inference.objective.draws=50")

  /// A row of `trace.csv`.
  struct Row {
    let iteration: Int
    let seconds: Double
    let workers: Int
    /// What does not depend on time and workers.
    let course: [Substring]
  }

  /// Starts a fit.
  ///
  /// - Parameters:
  ///   - options: of `isomix fit`, but for the spec's settings.
  ///   - settings: what an undisturbed fit has too.
  init(
    _ spec: String, _ options: [String], settings: [String] = LiveFit.often, in folder: TemporaryFolder,
    output: String = "out", namespace: NetworkNamespaces.Member? = nil
  ) throws {
    self.spec = spec
    self.settings = settings
    self.folder = folder
    files = FitFolder(path: folder(output))
    run = try CommandRun(
      LiveFit.arguments(spec, settings: settings, output: files.path) + options, in: folder,
      namespace: namespace)
  }

  private static func arguments(_ spec: String, settings: [String], output: String) -> [String] {
    ["fit", spec, "--output", output, "--progress", "plain"] + settings
      + setting("inference.iterations=1000000000")
  }

  /// Starts the fit again after its coordinator has gone.
  mutating func resume(_ options: [String]) throws {
    run = try CommandRun(
      LiveFit.arguments(spec, settings: settings, output: files.path) + ["--resume"] + options, in: folder)
  }

  /// A worker that finds the fit by its rendezvous file.
  func worker(_ options: [String] = [], namespace: NetworkNamespaces.Member? = nil) throws -> CommandRun {
    try CommandRun(
      ["worker", "--rendezvous", "\(files.path)/rendezvous.json"] + options, in: folder, namespace: namespace)
  }

  /// The endpoint where remote workers can join, once it is known.
  func endpoint() async throws -> String { try await Commands.endpoint(of: files.path) }

  /// The trace so far.
  var rows: [Row] {
    let text = (try? files.text("trace.csv")) ?? ""
    return text.split(separator: "\n").dropFirst().compactMap { line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      // The last row may be half written.
      guard cells.count == 10, let iteration = Int(cells[0]), let seconds = Double(cells[1]),
        let workers = Int(cells[9])
      else { return nil }
      return Row(iteration: iteration, seconds: seconds, workers: workers, course: [cells[0]] + cells[2..<9])
    }
  }

  /// The log so far.
  var log: String { (try? files.text("log.jsonl")) ?? "" }

  /// Numbers of workers in the trace, each once where it changes.
  var workersOverTime: [Int] {
    rows.reduce(into: []) { numbers, row in if numbers.last != row.workers { numbers.append(row.workers) } }
  }

  /// The most seconds from one row to the next.
  var largestGap_s: Double {
    let times = rows.map(\.seconds)
    return zip(times, times.dropFirst()).reduce(0) { max($0, $1.1 - $1.0) }
  }

  /// Waits until the trace's newest row tells of so many workers.
  func waitForWorkers(
    _ count: Int, within seconds: Double = 40, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let isSo = try await soon(within: seconds) { try isGoingOn() && rows.last?.workers == count }
    try #require(
      isSo, "not \(count) workers, but \(workersOverTime) over time\n\(log.suffix(3000))",
      sourceLocation: sourceLocation)
  }

  /// Waits until the fit has made more iterations than it has now, a row's worth at least.
  func waitForProgress(
    rows count: Int = 5, within seconds: Double = 40, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let before = rows.count
    let isSo = try await soon(within: seconds) { try isGoingOn() && rows.count >= before + count }
    try #require(isSo, "no progress in \(seconds) s\n\(log.suffix(3000))", sourceLocation: sourceLocation)
  }

  /// Waits for a text to be in the log more often than `before`.
  func waitForLog(
    _ text: String, moreThan before: Int = 0, within seconds: Double = 40,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let isSo = try await soon(within: seconds) { try isGoingOn() && countInLog(text) > before }
    try #require(isSo, "the log says '\(text)' no more\n\(log.suffix(3000))", sourceLocation: sourceLocation)
  }

  /// How many lines of the log hold a text.
  func countInLog(_ text: String) -> Int { log.split(separator: "\n").filter { $0.contains(text) }.count }

  /// Waits until a condition holds, without taking much of the processor from the fit.
  private func soon(within seconds: Double, _ condition: () throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while try !condition() {
      guard ContinuousClock.now < deadline else { return false }
      try await Task.sleep(for: .milliseconds(50))
    }
    return true
  }

  private func isGoingOn() throws -> Bool {
    if run.hasEnded { throw TestKitError("the fit ended early\n\(run.errors)") }
    return true
  }

  /// Stops the fit by SIGTERM and compares the bits that it has reached with those of an undisturbed fit.
  ///
  /// - Returns: the summary of the fit.
  @discardableResult func stopAndExpectUndisturbedBits(
    within seconds: Double = 120, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> [String: Any] {
    run.signal(SIGTERM)
    let end = try await run.finish(within: 40)
    try #require(end.exitCode == 75, "\(end)", sourceLocation: sourceLocation)
    let summary = try files.json("summary.json")
    let iterations = try #require(summary["iterations"] as? Int)
    #expect(iterations > 0, sourceLocation: sourceLocation)
    let alone = try await CommandRun.run(
      ["fit", spec, "--output", folder("undisturbed"), "--progress", "none", "--workers", "1"] + settings
        + setting("inference.iterations=\(iterations)"), in: folder, within: seconds)
    try #require(alone.exitCode == 0, "\(alone)", sourceLocation: sourceLocation)
    let undisturbed = FitFolder(path: folder("undisturbed"))
    #expect(try files.digest() == undisturbed.digest(), sourceLocation: sourceLocation)
    try expectCourse(of: undisturbed, sourceLocation)
    return summary
  }

  /// Every row of the trace is one of the undisturbed fit's, in order and without gaps.
  private func expectCourse(of undisturbed: FitFolder, _ sourceLocation: SourceLocation) throws {
    let theirs = try undisturbed.text("trace.csv").split(separator: "\n").dropFirst().map {
      let cells = $0.split(separator: ",", omittingEmptySubsequences: false)
      return [cells[0]] + cells[2..<9]
    }
    let ours = rows.map(\.course)
    #expect(ours.count >= 1 && ours == Array(theirs.prefix(ours.count)), sourceLocation: sourceLocation)
  }
}
