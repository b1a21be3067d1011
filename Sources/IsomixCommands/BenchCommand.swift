import ArgumentParser
import FitRuntime
import Foundation
import NumericsKit
import Posteriors

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure this machine and this build.",
    discussion: """
      EXAMPLE
        isomix bench kernel --dimension 54
        isomix bench fit cluster/examples/breast-cancer.yaml --workers 1,2
      """,
    subcommands: [BenchKernelCommand.self, BenchCoordinationCommand.self, BenchFitCommand.self])
}

extension Precision: ExpressibleByArgument {}

struct BenchKernelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel",
    abstract: "The logistic gradient on one core, against the machine's own matrix multiplication.",
    discussion: """
      Both are measured in turn on thread CPU time; the ratio is what holds on a noisy machine.

      EXAMPLE
        isomix bench kernel --rows 4096 --dimension 30 --samples 160 --precision float64
      """)

  @Option(help: "Rows of the tile.") var rows: Int = 4096
  @Option(help: "Columns of the design matrix.") var dimension: Int = 30
  @Option(help: "Parameter vectors evaluated at once.") var samples: Int = 160
  @Option(help: "float64 or float32.") var precision: Precision = .float64
  @Option(help: "CPU seconds to measure.") var seconds: Double = 2
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard rows >= 1, dimension >= 1, samples >= 1, seconds > 0, seconds.isFinite else {
      throw ValidationError("--rows, --dimension, --samples and --seconds must be positive.")
    }
    let largest = max(rows, samples)
    guard rows <= 1 << 31, dimension <= 1 << 20, samples <= 1 << 20,
      Double(largest) * Double(dimension) <= 2e8, seconds <= 1e6
    else { throw ValidationError("--rows × --dimension and --samples × --dimension must be at most 2e8.") }
  }

  func run() throws {
    try reportingFailures("bench kernel") {
      let result = try KernelBenchmark.run(
        rows: rows, dimension: dimension, samples: samples, precision: precision, seconds: seconds)
      if json { return try printJSON(result) }
      try printOut(
        String(
          format:
            "logistic gradient %@, %d rows × %d, %d samples: %.1f GFLOP/s, %.0f %% of matrix multiplication "
            + "(%.1f GFLOP/s), median of %d", precision.rawValue, rows, dimension, samples,
          result.gigaflopsKernel, 100 * result.ratio, result.gigaflopsGEMM, result.repetitions))
    }
  }
}

struct BenchCoordinationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coordination", abstract: "An iteration with empty work: the cost of the coordinator.",
    discussion: """
      EXAMPLE
        isomix bench coordination --workers 1,2,4
        isomix bench coordination --workers 1,64 --components 100 --dimension 50 [--no-rest]

      Some workers rest as in a fit whose threads compute 10 GFLOP/s: where machines have fewer processors than workers, or \
      an iteration is so short that more workers would cost more time than they save. With --no-rest all take part.
      """)

  @Option(help: "Numbers of worker processes, separated by commas.") var workers = IntegerList([1, 2, 4])
  @Option(help: "Components of the mixture.") var components: Int = 10
  @Option(help: "Dimension of the parameter.") var dimension: Int = 30
  @Option(help: "Iterations to measure.") var iterations: Int = 3000
  @Option(help: "Tiles of an iteration (default: one for each of the most workers, 16 at least).") var tiles:
    Int?
  @Flag(help: "Let all workers take part.") var noRest = false
  @Flag(help: "Connect the workers over TCP (loopback) instead of a local socket.") var tcp = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard (1...1_000_000).contains(components), (1...100_000).contains(dimension),
      (1...100_000_000).contains(iterations), (1...100_000).contains(tiles ?? 1)
    else {
      throw ValidationError("--components, --dimension, --tiles and --iterations must be positive.")
    }
  }

  func run() throws {
    try reportingFailures("bench coordination") {
      let result = try CoordinationBenchmark.run(
        components: components, dimension: dimension, workers: workers.values, iterations: iterations,
        tiles: tiles, letsRest: !noRest, overTCP: tcp)
      if json { return try printJSON(result) }
      try printOut("an empty iteration of N = \(components), d = \(dimension):")
      for row in result.rows {
        try printOut(
          String(
            format:
              "  %2d worker(s): median %.0f µs, 99 %% %.0f µs, least %.0f µs; coordinator %.0f µs of processor",
            row.workers,
            row.median_us, row.p99_us, row.minimum_us, row.coordinatorCPU_us))
      }
    }
  }
}

struct BenchFitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit", abstract: "Iterations a second of a fit over repeated runs.",
    discussion: """
      EXAMPLE
        isomix bench fit cluster/examples/breast-cancer.yaml --workers 1,2 --repeat 3 [--processes]

      One worker computes in the coordinator's process, as in `isomix fit --workers 1`; with --processes it is a process of its \
      own, as the others are.
      """)

  @Argument(help: "The spec (YAML).") var spec: String
  @Option(help: "Numbers of worker processes, separated by commas.") var workers = IntegerList([1, 2])
  @Option(help: "Compute threads of each worker.") var threads: Int = 1
  @Option(name: .customLong("repeat"), help: "How often each is run.") var repetitions: Int = 3
  @Flag(help: "Start a worker process even for one worker.") var processes = false
  @Option(name: .customLong("set"), help: "Set a value of the spec by its dotted path; repeatable.")
  var overrides: [String] = []
  @Option(help: "Folder for prepared data.") var cache: String?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard repetitions >= 1, threads >= 1 else {
      throw ValidationError("--repeat and --threads must be positive.")
    }
  }

  func run() throws {
    try reportingFailures("bench fit") {
      var options = FitService.Options(specification: spec, output: "")
      options.overrides = overrides
      options.threads = threads
      options.cache = cache
      options.separatesWorkers = processes
      let result = try FitBenchmark.run(options, workers: workers.values, repetitions: repetitions)
      if json { return try printJSON(result) }
      for row in result.rows {
        let place = row.isInProcess ? " in this process" : ""
        try printOut(
          String(
            format: "  %2d worker(s)%@: %.1f iterations/s (median of %d), %.2f× of the first", row.workers,
            place, row.median, row.iterationsPerSecond.count, row.ratioToFirst))
      }
    }
  }
}

/// Positive whole numbers separated by commas.
struct IntegerList: ExpressibleByArgument {
  let values: [Int]

  init(_ values: [Int]) { self.values = values }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard !parts.isEmpty, parts.allSatisfy({ ($0 ?? 0) >= 1 && ($0 ?? 0) <= 1024 }) else { return nil }
    values = parts.compactMap { $0 }
  }

  var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}
