import Foundation
import Simulation
import Testing

@Suite("Simulated runs with faults")
struct SimulationTests {
  /// `ISOMIX_SOAK=1` simulates more.
  private static let seeds: UInt64 =
    ProcessInfo.processInfo.environment["ISOMIX_SOAK"] == "1" ? 100_000 : 2_000

  @Test("every seed ends with the bits of a serial run, in time and in bounded memory")
  func allFaults() {
    let reports = Simulation.run(
      seeds: 1..<1 + Self.seeds, workers: nil, faults: FaultKind.allCases)
    #expect(reports.count == Int(Self.seeds))
    for report in reports {
      if let violation = report.violation { Issue.record("seed \(report.seed): \(violation)") }
    }
    // What was meant to go wrong did.
    let faults = reports.reduce(into: [String: Int]()) { $0.merge($1.faults, uniquingKeysWith: +) }
    for kind in [
      FaultKind.loss, .duplication, .partition, .onewayPartition, .cut, .stale, .crash, .stop, .churn,
      .coordinatorCrash,
    ] {
      #expect(faults[kind.rawValue, default: 0] > Int(Self.seeds) / 2, "\(kind): \(faults)")
    }
    #expect(reports.reduce(0) { $0 + $1.lostWorkers } > Int(Self.seeds))
    #expect(reports.reduce(0) { $0 + $1.duplicates } > Int(Self.seeds))
    #expect(reports.reduce(0) { $0 + $1.redispatchedTiles } > Int(Self.seeds))
  }

  @Test("relays are struck like everybody else, one behind another too")
  func relays() {
    let reports = Simulation.run(seeds: 1..<300, workers: 6, relays: 3, faults: FaultKind.allCases)
    for report in reports {
      if let violation = report.violation { Issue.record("seed \(report.seed): \(violation)") }
    }
    let faults = reports.reduce(into: [String: Int]()) { $0.merge($1.faults, uniquingKeysWith: +) }
    for kind in ["relay-crash", "relay-stop", "relay-partition", "relay-cut", "relay-oneway"] {
      #expect(faults[kind, default: 0] > 100, "\(kind): \(faults)")
    }
  }

  @Test("data come from the coordinator or a relay, damaged now and then, through all faults")
  func streams() {
    let reports = Simulation.run(seeds: 1..<400, workers: 5, streams: true, faults: FaultKind.allCases)
    for report in reports {
      if let violation = report.violation { Issue.record("seed \(report.seed): \(violation)") }
    }
    #expect(reports.reduce(0) { $0 + $1.shardParts } > 4_000)
    #expect(reports.reduce(0) { $0 + ($1.faults["damage"] ?? 0) } > 20)
  }

  @Test("each fault alone", arguments: FaultKind.allCases)
  func oneFault(_ kind: FaultKind) {
    for report in Simulation.run(seeds: 1..<100, workers: 3, faults: [kind]) {
      if let violation = report.violation { Issue.record("seed \(report.seed): \(violation)") }
    }
  }

  @Test("without faults nobody is lost")
  func noFaults() {
    for report in Simulation.run(seeds: 1..<200, workers: nil, faults: []) {
      #expect(report.violation == nil && report.lostWorkers == 0 && report.faults.isEmpty)
    }
  }

  @Test("a seed goes the same way every time, and another seed another way")
  func replay() {
    var digests: Set<String> = []
    for seed in 1...20 as ClosedRange<UInt64> {
      let first = Simulation.run(seed: seed, keepsLog: true)
      let second = Simulation.run(seed: seed, keepsLog: true)
      #expect(first.report.eventDigest == second.report.eventDigest)
      #expect(first.events == second.events && first.events.count > 20)
      // Keeping the log changes nothing.
      #expect(Simulation.run(seed: seed).report.eventDigest == first.report.eventDigest)
      digests.insert(first.report.eventDigest)
    }
    #expect(digests.count == 20)
  }
}
