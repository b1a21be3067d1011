import Coordination
import Dispatch
import NumericsKit
import Synchronization

/// What happened in one simulated run.
public struct SimulationReport: Sendable, Codable {
  public var seed: UInt64
  public var events = 0
  public var relays = 0
  public var jobs = 0
  public var virtualSeconds = 0.0
  /// Faults that were injected, by kind.
  public var faults: [String: Int] = [:]
  public var lostWorkers = 0
  public var redispatchedTiles = 0
  /// Results that came twice and were compared.
  public var duplicates = 0
  /// Runs that were given up over one tile and resumed.
  public var givenUpTiles = 0
  /// Parts of files that were sent to workers.
  public var shardParts = 0
  /// Digest of the event log: equal for equal runs.
  public var eventDigest = ""
  /// What was wrong; nil when nothing was.
  public var violation: String?

  init(seed: UInt64) { self.seed = seed }

  mutating func count(_ fault: String) { faults[fault, default: 0] += 1 }

  mutating func add(_ statistics: Coordinator.Statistics) {
    lostWorkers += statistics.workersLost
    redispatchedTiles += statistics.redispatchedTiles
    duplicates += statistics.duplicates
  }
}

/// Simulates runs of the coordinator's and the workers' machines with faults.
public enum Simulation {
  /// Simulates one seed.
  ///
  /// - Parameters:
  ///   - workers: number of workers; nil: drawn from the seed, 1 to 8.
  ///   - relays: number of relays in front of some of them; nil: drawn from the seed, 0 to 3.
  ///   - streams: whether workers get data from the coordinator; nil: drawn from the seed.
  ///   - keepsLog: whether the event log is returned.
  /// - Returns: the report, and the event log's lines.
  public static func run(
    seed: UInt64, workers: Int? = nil, relays: Int? = nil, streams: Bool? = nil,
    faults: [FaultKind] = FaultKind.allCases, keepsLog: Bool = false
  ) -> (report: SimulationReport, events: [String]) {
    var generator = SimulationGenerator(seed: seed ^ 0x5EED)
    let drawn = 1 + generator.below(8)
    var run = SimulatedRun(
      seed: seed, workers: workers ?? drawn, relays: relays, streams: streams, faults: faults,
      keepsLog: keepsLog)
    run.report.relays = run.workers.count - run.leaves
    do {
      try run.run()
    } catch let violation as SimulatedRun.Violation {
      run.report.violation = violation.message
      run.note("violation: \(violation.message)")
    } catch {
      run.report.violation = "\(error)"
    }
    run.report.eventDigest = run.log.digest()
    return (run.report, run.log.lines)
  }

  /// Simulates many seeds on all cores; reports come in the order of the seeds.
  ///
  /// - Parameter each: called for every run that ends, in any order.
  public static func run(
    seeds: Range<UInt64>, workers: Int?, relays: Int? = nil, streams: Bool? = nil, faults: [FaultKind],
    each: @escaping @Sendable (SimulationReport) -> Void = { _ in }
  ) -> [SimulationReport] {
    let results = Mutex([SimulationReport?](repeating: nil, count: seeds.count))
    DispatchQueue.concurrentPerform(iterations: seeds.count) { place in
      let seed = seeds.lowerBound + UInt64(place)
      let report = run(seed: seed, workers: workers, relays: relays, streams: streams, faults: faults).report
      each(report)
      results.withLock { $0[place] = report }
    }
    return results.withLock { $0.compactMap { $0 } }
  }
}
