import ArgumentParser
import Coordination
import FitRuntime
import Foundation
import NumericsKit
import Reporting
import Simulation

extension FaultKind: ExpressibleByArgument {}

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Run the coordinator and workers in memory, with faults from a seed.",
    discussion: """
      The state machines of the real program on a virtual clock and an in-memory network. Each seed draws a small \
      fit, its workers and its faults; a run is right when its result has the bits of a serial loop, when it ends \
      in time once the faults have healed, and when no table of the coordinator grows over its bound. A seed \
      replays exactly; one that fails is printed with the end of its event log.

      EXAMPLE
        isomix simulate --seeds 2000
        isomix simulate --seeds 1 --first-seed 17 --events seed-17.log
        isomix simulate --seeds 100 --workers 3 --faults crash,coordinator-crash,loss
        isomix simulate --scale 16,256,4096 --relays 64

      With --scale there are no faults: the machines run with many workers, and with the times of a model (--model FILE, \
      JSON; its defaults are printed by --model defaults), and the speed, the coordinator's load and the bytes that come of \
      it are foretold, without relays and with --relays of them (default: as many as the square root of the workers).
      """)

  @Option(help: "Foretell the speed with these numbers of workers, separated by commas, up to 20000.")
  var scale: WorkerCounts?
  @Option(
    help: "What --scale assumes: a JSON file with any of the model's keys, or 'defaults' to print them.",
    completion: .file()) var model: String?

  @Option(help: "Number of seeds.") var seeds: Int = 100
  @Option(help: "The first of them.") var firstSeed: UInt64 = 1
  @Option(help: "Workers (default: drawn from the seed, 1 to 8).") var workers: Int?
  @Option(help: "Relays in front of some of the workers (default: drawn from the seed, 0 to 3).") var relays:
    Int?
  @Option(
    help: ArgumentHelp(
      "Faults to draw from, separated by commas: all, none, or some of "
        + FaultKind.allCases.map(\.rawValue).joined(separator: ", ") + "."))
  var faults: String = "all"
  @Option(help: "Write the event log of a single seed to FILE.", completion: .file()) var events: String?
  @Flag(help: "Print JSON.") var json = false

  private static let shownEvents = 60

  private func kinds() throws -> [FaultKind] {
    switch faults {
    case "all": return FaultKind.allCases
    case "none": return []
    default:
      return try faults.split(separator: ",").map { name in
        guard let kind = FaultKind(rawValue: String(name)) else {
          throw ValidationError(
            "'\(name)' is no fault: give all, none, or some of "
              + FaultKind.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        return kind
      }
    }
  }

  func validate() throws {
    guard (1...100_000_000).contains(seeds) else { throw ValidationError("--seeds must be at least 1.") }
    guard firstSeed <= UInt64.max - UInt64(seeds) else {
      throw ValidationError("--first-seed is too large.")
    }
    if let workers, !(1...1024).contains(workers) {
      throw ValidationError("--workers must be from 1 to 1024.")
    }
    let mostRelays = scale == nil ? 64 : 4096
    if let relays, !(0...mostRelays).contains(relays) {
      throw ValidationError("--relays must be from 0 to \(mostRelays).")
    }
    guard events == nil || seeds == 1 else { throw ValidationError("--events needs --seeds 1.") }
    _ = try kinds()
    guard model == nil || model == "defaults" || scale != nil else {
      throw ValidationError("--model is for --scale.")
    }
  }

  func run() throws {
    try reportingFailures("simulate") {
      if model == "defaults" { return try printJSON(ScaleModel()) }
      if let scale { return try foretell(scale.values) }
      let kinds = try kinds()
      if seeds == 1 { return try runOne(kinds) }
      let range = firstSeed..<firstSeed + UInt64(seeds)
      let reports = Simulation.run(seeds: range, workers: workers, relays: relays, faults: kinds)
      let summary = SimulationSummary(reports)
      if json {
        try printJSON(summary)
      } else {
        try printOut(summary.text)
      }
      guard let failed = reports.first(where: { $0.violation != nil }) else { return }
      try printFailure(failed.seed, kinds)
      throw ArgumentParser.ExitCode(1)
    }
  }

  /// Forecasts without relays and with them.
  private func foretell(_ counts: [Int]) throws {
    let model = try readModel()
    var forecasts: [ScaleForecast] = []
    for workers in counts {
      let square = Int(Double(workers).squareRoot().rounded())
      let wanted = relays.map { $0 == 0 ? [0] : [0, min($0, workers)] } ?? (workers < 4 ? [0] : [0, square])
      for relays in wanted {
        forecasts.append(ScaleSimulation.forecast(model, workers: workers, relays: relays))
      }
    }
    if json { return try printJSON(forecasts) }
    try printOut(
      "workers relays      it/s  speed-up  coordinator busy     CPU ms  memory MB  down MB/link  up MB/link")
    for row in forecasts {
      try printOut(
        String(
          format: "%7d %6d %9.2f %9.2f %16.0f %% %10.2f %10.1f %13.3f %11.3f", row.workers, row.relays,
          row.iterationsPerSecond, row.speedup, 100 * row.coordinatorBusy, 1000 * row.coordinatorCPU_s,
          row.coordinatorMemory_B / 1e6, row.bytesDownPerLink / 1e6, row.bytesUpPerLink / 1e6))
    }
  }

  private func readModel() throws -> ScaleModel {
    guard let path = model else { return ScaleModel() }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw RuntimeError("there is no model at \(path)", exitCode: Coordination.ExitCode.noInput)
    }
    guard let model = try? JSONDecoder().decode(ScaleModel.self, from: data) else {
      throw RuntimeError(
        "\(path) is no model: it is to be a JSON object with some of the keys that `isomix simulate --model defaults` prints",
        exitCode: Coordination.ExitCode.badData)
    }
    if let problem = model.problem {
      throw RuntimeError("\(path): \(problem)", exitCode: Coordination.ExitCode.badData)
    }
    return model
  }

  private func runOne(_ kinds: [FaultKind]) throws {
    let (report, lines) = Simulation.run(
      seed: firstSeed, workers: workers, relays: relays, faults: kinds, keepsLog: true)
    if let events {
      try RunFolder.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: events)
    }
    if json {
      try printJSON(report)
    } else {
      try printOut(SimulationSummary([report]).text + "\nevent log: \(report.eventDigest)")
    }
    if report.violation != nil {
      try printFailure(report.seed, kinds)
      throw ArgumentParser.ExitCode(1)
    }
  }

  /// The end of a failed seed's event log, on standard error.
  private func printFailure(_ seed: UInt64, _ kinds: [FaultKind]) throws {
    let (report, lines) = Simulation.run(
      seed: seed, workers: workers, relays: relays, faults: kinds, keepsLog: true)
    let again =
      "isomix simulate --seeds 1 --first-seed \(seed)"
      + (workers.map { " --workers \($0)" } ?? "") + (relays.map { " --relays \($0)" } ?? "")
      + (faults == "all" ? "" : " --faults \(faults)")
    try StandardStream.error.write(
      (["isomix simulate: seed \(seed) is wrong: \(report.violation ?? "")", "the end of its event log:"]
        + lines.suffix(SimulateCommand.shownEvents)
        + ["event log: \(report.eventDigest)", "again, with the whole log: \(again) --events FILE"])
        .joined(separator: "\n") + "\n")
  }
}

/// Numbers of workers separated by commas.
struct WorkerCounts: ExpressibleByArgument {
  let values: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard !parts.isEmpty, parts.allSatisfy({ (1...20_000).contains($0 ?? 0) }) else { return nil }
    values = parts.compactMap { $0 }
  }
}

/// All seeds together.
private struct SimulationSummary: Encodable {
  var seeds: Int
  var failedSeeds: [UInt64]
  var jobs: Int
  var events: Int
  var virtualSeconds: Double
  var faults: [String: Int]
  var lostWorkers: Int
  var redispatchedTiles: Int
  var duplicates: Int
  var givenUpTiles: Int
  /// Digest of all event logs' digests, in the order of the seeds.
  var eventDigest: String

  init(_ reports: [SimulationReport]) {
    seeds = reports.count
    failedSeeds = reports.filter { $0.violation != nil }.map(\.seed)
    jobs = reports.reduce(0) { $0 + $1.jobs }
    events = reports.reduce(0) { $0 + $1.events }
    virtualSeconds = reports.reduce(0) { $0 + $1.virtualSeconds }
    faults = reports.reduce(into: [:]) { $0.merge($1.faults, uniquingKeysWith: +) }
    lostWorkers = reports.reduce(0) { $0 + $1.lostWorkers }
    redispatchedTiles = reports.reduce(0) { $0 + $1.redispatchedTiles }
    duplicates = reports.reduce(0) { $0 + $1.duplicates }
    givenUpTiles = reports.reduce(0) { $0 + $1.givenUpTiles }
    eventDigest = Digest.of(reports.map(\.eventDigest).joined()).description
  }

  var text: String {
    let injected = faults.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return """
      \(seeds - failedSeeds.count) of \(seeds) seed(s) right: \(jobs) jobs, \(events) events, \
      \(Int(virtualSeconds)) virtual seconds
      faults: \(injected.isEmpty ? "none" : injected.joined(separator: ", "))
      workers lost \(lostWorkers), tiles handed out again \(redispatchedTiles), results compared \(duplicates), \
      runs given up over a tile and resumed \(givenUpTiles)
      digest of all event logs: \(eventDigest)
      """
  }
}
