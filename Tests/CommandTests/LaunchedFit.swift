import Foundation
import TestKit
import Testing

/// A fit of some seconds that a launcher runs: its folder, its processes, and the bits that it has to end with.
struct LaunchedFit {
  let folder: TemporaryFolder
  let output: String
  /// Few iterations for quick ones, more for those that something happens to.
  let settings: [String]
  static let spec = Examples.breastCancer

  init(in folder: TemporaryFolder, output: String = "out", iterations: Int = 20_000) {
    self.folder = folder
    self.output = folder(output)
    settings = setting(
      "inference.iterations=\(iterations)", "inference.objective.every=200", "inference.objective.draws=50",
      "inference.diagnosis.draws=200")
  }

  var files: FitFolder { FitFolder(path: output) }

  /// What the launcher writes beside the results.
  func launch(_ name: String) -> String { "\(output).launch/\(name)" }

  func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  /// Rows of the trace so far.
  var rows: Int { text("\(output)/trace.csv").split(separator: "\n").count - 1 }

  /// All processes of it: whose words tell of its folder.
  var processes: [ProcessEntry] {
    ProcessTable.living().filter { $0.arguments.contains { $0.contains(output) } }
  }

  var coordinators: [ProcessEntry] {
    processes.filter { $0.arguments.contains("fit") && $0.arguments.contains("--listen") }
  }

  /// Those that compute, and the pools that look after them.
  var workers: [ProcessEntry] {
    processes.filter { $0.arguments.contains("worker") && !$0.arguments.contains("srun") }
  }
  var pools: [ProcessEntry] { workers.filter { $0.arguments.contains("--processes") } }
  var computing: [ProcessEntry] {
    let pools = Set(pools.map(\.processID))
    return workers.filter { pools.contains($0.parent) }
  }

  /// Waits until the fit gets on, past what it had before.
  func waitForProgress(
    within seconds: Double = 60, sourceLocation: SourceLocation = #_sourceLocation,
    _ said: () -> String = { "" }
  ) async throws {
    let before = rows
    let isSo = try await eventually(within: seconds) { rows >= max(before, 0) + 3 }
    try #require(isSo, "no progress in \(seconds) s\n\(said())", sourceLocation: sourceLocation)
  }

  /// Waits until so many workers have taken part, and the fit gets on with them.
  func waitForWorkers(
    _ count: Int, sourceLocation: SourceLocation = #_sourceLocation, _ said: () -> String = { "" }
  ) async throws {
    let log = "\(output)/log.jsonl"
    let isSo = try await eventually(within: 60) {
      text(log).components(separatedBy: "is ready").count > count
    }
    try #require(isSo, "not \(count) workers\n\(text(log))\n\(said())", sourceLocation: sourceLocation)
    try await waitForProgress(sourceLocation: sourceLocation, said)
  }

  /// Waits for a text in a file.
  func wait(
    for wanted: String, in path: String, within seconds: Double = 60,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let isSo = try await eventually(within: seconds) { text(path).contains(wanted) }
    try #require(isSo, "\(path) does not say '\(wanted)'\n\(text(path))", sourceLocation: sourceLocation)
  }

  /// Nothing of it is alive any more.
  func expectNothingLeft(within seconds: Double = 20, sourceLocation: SourceLocation = #_sourceLocation)
    async throws
  {
    let isGone = try await eventually(within: seconds) { processes.isEmpty }
    #expect(
      isGone, "left: \(processes.map { "\($0.processID) \($0.arguments.joined(separator: " "))" })",
      sourceLocation: sourceLocation)
  }

  /// It ended with the bits of a fit on one worker.
  @discardableResult func expectSerialBits(sourceLocation: SourceLocation = #_sourceLocation) async throws
    -> [String: Any]
  {
    let alone = try await SerialFits.shared.digest(settings)
    #expect(try files.digest() == alone, sourceLocation: sourceLocation)
    return try files.json("summary.json")
  }
}

/// Digests of fits on one worker, each computed once.
actor SerialFits {
  static let shared = SerialFits()
  private var digests: [[String]: String] = [:]

  func digest(_ settings: [String]) async throws -> String {
    if let known = digests[settings] { return known }
    let folder = try TemporaryFolder()
    let digest = try await fit(LaunchedFit.spec, settings + ["--workers", "1"], in: folder).digest()
    digests[settings] = digest
    return digest
  }
}
