import Coordination
import Foundation
import Inference
import NumericsKit
import Specification
import Wire

/// Measures what an iteration costs when the tiles cost nothing: messages, hand-out and reduction.
public struct CoordinationBenchmark: Sendable, Codable {
  /// One number of workers.
  public struct Row: Sendable, Codable {
    public var workers: Int
    public var iterations: Int
    /// Wall-clock microseconds an iteration.
    public var median_us: Double
    public var p99_us: Double
    public var minimum_us: Double
    /// Processor microseconds of the coordinator's process an iteration, its transport's thread included.
    public var coordinatorCPU_us: Double
  }

  public var components: Int
  public var dimension: Int
  public var rows: [Row]

  private static let warmUp = 300
  /// Tiles of an iteration: enough for every worker to have some.
  private static let leastTiles = 16

  /// Measures for each number of local worker processes.
  ///
  /// - Parameters:
  ///   - tiles: tiles of an iteration; nil: one for each of the most workers, 16 at least.
  ///   - overTCP: whether workers connect over the loopback interface, as remote ones do over a network.
  ///   - letsRest: whether some workers rest as in a fit whose threads compute
  ///     ``/Coordination/CoordinationLimits/assumedSpeed``; otherwise all take part.
  public static func run(
    components: Int, dimension: Int, workers: [Int], iterations: Int, tiles: Int? = nil,
    letsRest: Bool = false, overTCP: Bool = false
  ) throws -> CoordinationBenchmark {
    let interruption = Interruption(try Signals(Interruption.signals))
    let identity = try Identity.measure()
    let setup = emptySetup(
      components: components, dimension: dimension, tiles: tiles ?? max(leastTiles, workers.max() ?? 1))
    var rows: [Row] = []
    for count in workers {
      rows.append(
        try measure(
          setup, workers: count, iterations: iterations, letsRest: letsRest, overTCP: overTCP, identity,
          interruption))
    }
    return CoordinationBenchmark(components: components, dimension: dimension, rows: rows)
  }

  /// A standard normal target cut into tiles that nothing will be computed for.
  private static func emptySetup(components: Int, dimension: Int, tiles: Int) -> FitSetup {
    let mean = (0..<dimension).map { _ in "0" }.joined(separator: ", ")
    let specification = """
      model: {family: gaussian, mean: [\(mean)], covariance: 1}
      mixture: {components: \(components)}
      inference: {step_size: 0.1, samples: \(tiles)}
      """
    var plan = Planner.plan(
      ProblemSize(
        components: components, dimension: dimension, samples: tiles, objectiveDraws: 2 * components,
        predictionDraws: 1, rows: 0, rowsPerShard: 0, testRows: 0, testRowsPerShard: 0, columns: 0))
    plan.gradient.componentsPerBlock = components
    plan.gradient.samplesPerTile = 1
    return FitSetup(specification: specification, plan: plan, train: nil, test: nil)
  }

  private static func measure(
    _ setup: FitSetup, workers: Int, iterations: Int, letsRest: Bool, overTCP: Bool,
    _ identity: Identity,
    _ interruption: Interruption
  ) throws -> Row {
    let bytes = try setup.encoded()
    let problem = try Problem(setup)
    var configuration = Coordinator.Configuration(
      run: RunID(bytes: Array("benchmark".utf8)), epoch: 1, version: Identity.version,
      build: identity.build, fingerprint: identity.fingerprint.digest, numerics: identity.numerics,
      setup: bytes, setupDigest: Digest.of(bytes).description, dataDigest: "", mixedNumerics: false,
      workersToStart: workers, workerTimeout_ms: 60_000)
    configuration.employsAll = !letsRest
    configuration.presumedSpeed = letsRest ? CoordinationLimits.assumedSpeed : nil
    let runner = try DistributedRunner(
      configuration: configuration,
      localWorkers: workers, threads: 1, listen: [], interruption: interruption,
      localTransport: overTCP ? .loopback : .socket, log: { _, _ in })
    defer { runner.end(exitCode: ExitCode.done, message: "measured") }
    let fit = try Fit(problem)
    let shape = JobShape(setup.plan.gradient, problem: setup.plan.problem)
    var times: [Double] = []
    var cpuBefore = 0.0
    for iteration in 0..<warmUp + iterations {
      if iteration == warmUp { cpuBefore = processorSeconds() }
      let start = Clock.now
      _ = try runner.run(
        Job(
          kind: JobKind.empty.rawValue, iteration: iteration, state: JobState.encode(fit.mixture),
          shape: shape))
      if iteration >= warmUp { times.append(Clock.now.seconds(since: start) * 1e6) }
    }
    let cpu = (processorSeconds() - cpuBefore) / Double(iterations)
    times.sort()
    return Row(
      workers: workers, iterations: iterations, median_us: times[times.count / 2],
      p99_us: times[min(times.count - 1, times.count * 99 / 100)], minimum_us: times[0],
      coordinatorCPU_us: cpu * 1e6)
  }

  /// Processor seconds of this process, without its children's.
  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
