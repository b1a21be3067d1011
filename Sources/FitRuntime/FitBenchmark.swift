import Foundation
import Reporting

/// Measures iterations a second of a fit over repeated runs, with different numbers of workers in turn.
public struct FitBenchmark: Sendable, Codable {
  /// One number of workers.
  public struct Row: Sendable, Codable {
    public var workers: Int
    /// Whether the one worker computed in the coordinator's process.
    public var isInProcess: Bool
    /// Iterations a second of each repetition, evaluations of the objective included.
    public var iterationsPerSecond: [Double]
    public var median: Double
    /// Median over repetitions of this speed over the first row's in the same repetition.
    public var ratioToFirst: Double
    public var stateSHA256: String
  }

  public var specification: String
  public var rows: [Row]

  /// Runs the fit `repetitions` times for each number of workers, taking turns.
  public static func run(_ options: FitService.Options, workers: [Int], repetitions: Int) throws
    -> FitBenchmark
  {
    let base = FileManager.default.temporaryDirectory.path + "/isomix-bench-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: base) }
    var summaries = [[Summary]](repeating: [], count: workers.count)
    for repetition in 0..<repetitions {
      for (index, count) in workers.enumerated() {
        var run = options
        run.overrides.append("inference.diagnosis.draws=0")
        run.workers = count
        run.output = "\(base)/\(repetition)-\(count)"
        run.progress = .none
        summaries[index].append(try FitService(run).run().summary)
      }
    }
    let speeds = summaries.map { $0.map { Double($0.iterations) / max($0.seconds, 1e-9) } }
    let rows = zip(workers, summaries.indices).compactMap { count, index in
      summaries[index].last.map { last in
        Row(
          workers: count, isInProcess: last.bytesReceived == 0, iterationsPerSecond: speeds[index],
          median: median(speeds[index]), ratioToFirst: median(zip(speeds[index], speeds[0]).map { $0 / $1 }),
          stateSHA256: last.stateSHA256)
      }
    }
    return FitBenchmark(specification: options.specification, rows: rows)
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
  }
}
