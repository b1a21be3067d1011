import Foundation
import Inference
import Mixtures
import NumericsKit
import Specification
import TestKit
import Testing

@Suite("Minibatches")
struct MinibatchTests {
  init() { BLAS.prepare() }

  /// How a gradient is estimated.
  enum Case: String, CaseIterable, Sendable {
    case unit, diagonal, dense
  }

  /// A logistic regression of 37 rows in five tiles of 8, the last one of 5 rows, of which two make a batch.
  private func problem(_ example: Case, in folder: TemporaryFolder, isBatched: Bool, hasVariate: Bool = false)
    throws -> Problem
  {
    let batch = isBatched ? "  minibatch: {rows: 16, control_variate: \(hasVariate)}" : ""
    var setup = try Examples.logistic(
      in: folder, rows: 37, metric: example.rawValue, inference: batch
    ).setup
    setup.plan.gradient.rowsPerTile = 8
    return try Problem(setup)
  }

  /// The sums of a job, block after block.
  private func sums(_ problem: Problem, _ job: TileJob) throws -> [Double] {
    let evaluator = TileEvaluator(problem)
    evaluator.load(job)
    let root = ReductionTree(leafCount: job.plan.tilesPerBlock).root
    return try (0..<job.plan.blockCount).flatMap { try evaluator.sums(block: $0, node: root) }
  }

  private var state: [UInt8] {
    let mixture = IsotropicMixture(
      componentCount: 3, dimension: 3, means: [0.5, -1, 0.2, 1, 1, -0.3, -0.4, 0.1, 0],
      variances: [0.4, 0.1, 0.9])
    return JobState.encode(mixture)
  }

  /// A control variate at points that are not the means, from the job that makes one.
  private func variate(_ problem: Problem) throws -> ControlVariate {
    let points = [0.7, -0.8, 0.1, 1.1, 0.6, -0.3, -0.2, 0.3, 0.4]
    let sums = try evaluate(
      problem, FitJob(kind: .reference, iteration: 0), state: JobState.encode(points: points, dimension: 3))
    let rows = sums.flatMap { $0 }
    return ControlVariate(
      points: points, gradients: (0..<3).flatMap { rows[(4 * $0 + 1)..<(4 * $0 + 4)] }, dimension: 3)
  }

  /// Every way to take `count` of `total`, ascending.
  private func subsets(_ count: Int, of total: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    guard count <= total else { return [] }
    return subsets(count, of: total - 1) + subsets(count - 1, of: total - 1).map { $0 + [total - 1] }
  }

  @Test(
    "estimate the gradient without bias: over all batches, equally likely, the mean is the gradient of all rows",
    arguments: Case.allCases, [false, true])
  func expectation(example: Case, hasVariate: Bool) throws {
    let folder = try TemporaryFolder()
    let whole = try problem(example, in: folder, isBatched: false)
    let batched = try problem(example, in: folder, isBatched: true, hasVariate: hasVariate)
    #expect(whole.train?.manifest.digest != batched.train?.manifest.digest, "the batches' rows are shuffled")
    let metric = try Metric.Kind(rawValue: example.rawValue).flatMap { try WrittenOut.metric($0) }
    func job(_ problem: Problem, _ variate: ControlVariate?) throws -> TileJob {
      try TileJob(
        problem, kind: JobKind.gradient.rawValue, iteration: 7, state: state, metric: metric,
        variate: variate)
    }
    let expected = try sums(whole, job(whole, nil))
    let drawn = try job(batched, hasVariate ? variate(batched) : nil)
    #expect(drawn.batch?.count == 2 && drawn.plan.tilesPerBlock == 3)
    let batches = subsets(2, of: 5)
    #expect(batches.count == 10)
    var mean = [Double](repeating: 0, count: expected.count)
    var largestDifference = 0.0
    for batch in batches {
      let estimate = try sums(batched, TileJob(drawn, batch: batch))
      for k in mean.indices {
        mean[k] += estimate[k] / Double(batches.count)
        largestDifference = max(largestDifference, abs(estimate[k] - expected[k]))
      }
    }
    let scale = expected.reduce(0) { max($0, abs($1)) }
    #expect(largestDifference > 0.01 * scale, "single batches are far from the mean")
    for k in mean.indices { #expect(abs(mean[k] - expected[k]) <= 1e-12 * scale, "number \(k)") }
  }

  @Test("a control variate at the means takes most of the noise away")
  func varianceOfControlVariate() throws {
    let folder = try TemporaryFolder()
    var variances: [Double] = []
    for hasVariate in [false, true] {
      let batched = try problem(.unit, in: folder, isBatched: true, hasVariate: hasVariate)
      let drawn = try TileJob(
        batched, kind: JobKind.gradient.rawValue, iteration: 7, state: state,
        variate: hasVariate ? variate(batched) : nil)
      let estimates = try subsets(2, of: 5).map { try sums(batched, TileJob(drawn, batch: $0)) }
      var variance = 0.0
      // Of the gradient by the means; the points are some 0.4 away from them and the samples' radius is up to 1.6.
      for k in estimates[0].indices where k % 5 < 3 {
        let mean = estimates.reduce(0) { $0 + $1[k] } / Double(estimates.count)
        variance += estimates.reduce(0) { $0 + ($1[k] - mean) * ($1[k] - mean) }
      }
      variances.append(variance)
    }
    #expect(variances[1] < 0.2 * variances[0], "\(variances)")
  }

  @Test("every set of tiles is as likely as any other")
  func uniformSets() {
    // All values that Floyd's three draws can take, each as often as any other.
    var counts: [[Int]: Int] = [:]
    for a in 0..<4 {
      for b in 0..<5 {
        for c in 0..<6 {
          let uniforms = [(a, 4), (b, 5), (c, 6)].map { 1 - (Double($0.0) + 0.5) / Double($0.1) }
          counts[Minibatch.choose(3, of: 6, by: uniforms), default: 0] += 1
        }
      }
    }
    #expect(counts.count == 20 && counts.values.allSatisfy { $0 == 6 }, "\(counts)")
    #expect(counts.keys.allSatisfy { Set($0).count == 3 && $0 == $0.sorted() })
    #expect(Minibatch.choose(2, of: 2, by: [1, 1]) == [0, 1])
    #expect(Minibatch.choose(1, of: 3, by: [.leastNonzeroMagnitude]) == [2], "the smallest deviate")
  }

  @Test("depend on seed and iteration alone, and their frequencies are even")
  func frequencies() {
    let noise = Noise(seed: 4)
    #expect(
      Minibatch.draw(3, of: 1_000_000, iteration: 5, noise: noise)
        == Minibatch.draw(3, of: 1_000_000, iteration: 5, noise: Noise(seed: 4)))
    #expect(Minibatch.draw(4, of: 4, iteration: 5, noise: noise) == [0, 1, 2, 3])
    var counts = [Double](repeating: 0, count: 12)
    let iterations = 6000
    for iteration in 0..<iterations {
      for tile in Minibatch.draw(4, of: 12, iteration: iteration, noise: noise) { counts[tile] += 1 }
    }
    // Each is binomial with mean 2000 and standard deviation 36.5.
    #expect(counts.allSatisfy { abs($0 - 2000) < 5 * 36.5 }, "\(counts)")
  }

  @Test("give the same bits however many workers compute them, in whatever order")
  func sameBits() throws {
    let folder = try TemporaryFolder()
    for example in [Case.dense, .unit] {
      let problem = try problem(example, in: folder, isBatched: true, hasVariate: true)
      let metric = try WrittenOut.metric(example == .unit ? .unit : .dense)
      let variate = try variate(problem)
      var last: [[UInt64]] = []
      for iteration in 0..<3 {
        func bits(_ workers: Int) throws -> [[UInt64]] {
          try evaluate(
            problem, FitJob(kind: .gradient, iteration: iteration), state: state, metric: metric,
            variate: variate, workers: workers, pieces: workers, seed: UInt64(workers)
          ).map { $0.map(\.bitPattern) }
        }
        let whole = try bits(1)
        #expect(whole != last, "each iteration has its own batch")
        last = whole
        for workers in 2...5 { #expect(try bits(workers) == whole) }
      }
    }
  }

  @Test("restored after any job, a fit in minibatches ends with the same bits", arguments: [true, false])
  func snapshots(hasVariate: Bool) throws {
    let folder = try TemporaryFolder()
    _ = try Examples.logistic(in: folder, rows: 300)
    let refresh = hasVariate ? ", refresh: 7" : ""
    let problem = try Problem(
      Examples.build(
        """
        model: {family: logistic, response: y, prior: {normal: {scale: 2}}}
        data: {train: train.csv}
        mixture: {components: 3}
        inference:
          {samples: 4, warmup: 60, iterations: 200, objective: {draws: 40, every: 25}, diagnosis: {draws: 100},
           minibatch: {rows: 64, control_variate: \(hasVariate)\(refresh)}}
        """, folder: folder.path))
    #expect(problem.plan.gradient.drawnTiles < problem.plan.gradient.rows / problem.plan.gradient.rowsPerTile)
    func end(_ fit: inout Fit, _ note: (Fit, FitJob) -> Void) throws {
      while let job = fit.next {
        _ = try fit.take(
          evaluate(
            problem, job, state: fit.state, metric: fit.context?.metric, variate: fit.context?.variate))
        note(fit, job)
      }
    }
    var whole = try Fit(problem)
    var snapshots: [FitSnapshot] = []
    var references = 0
    try end(&whole) { fit, job in
      snapshots.append(fit.snapshot)
      if job.kind == .reference { references += 1 }
    }
    #expect(hasVariate ? references > 200 / 7 : references == 0)
    // Each eleventh, and so snapshots before, at and after a new reference.
    for snapshot in stride(from: 0, to: snapshots.count, by: 11).map({ snapshots[$0] }) {
      var fit = try Fit(problem)
      try fit.restore(snapshot)
      #expect(fit.snapshot == snapshot)
      try end(&fit) { _, _ in }
      #expect(fit.stateDigest == whole.stateDigest, "iteration \(snapshot.course.iteration)")
      guard fit.stateDigest == whole.stateDigest else { return }
    }
    if hasVariate {
      var altered = snapshots[100]
      altered.numbers[altered.numbers.count - 1].append(1)
      var fit = try Fit(problem)
      #expect(throws: FitError.self) { try fit.restore(altered) }
    }
  }

  @Test("a control variate travels with the coordinates, and only to a run that has one")
  func contexts() throws {
    let variate = ControlVariate(
      points: [1, 2, 3, 4, 5, 6], gradients: [7, 8, 9, 10, .infinity, 12], dimension: 3)
    #expect(variate.isUsable == [true, false])
    for kind in Metric.Kind.allCases {
      let metric = try WrittenOut.metric(kind) ?? Metric(.unit, dimension: 3)
      for variate in [variate, nil] {
        let bytes = JobContext.encode(metric, variate)
        let again = try JobContext.decode(bytes, components: 2, dimension: 3)
        #expect(again.metric == metric && again.variate == variate)
        for bad in [Array(bytes.dropLast()), Array(bytes.dropLast(8)), bytes + [0, 0, 0, 0, 0, 0, 0, 0]] {
          #expect(throws: FitError.self) { try JobContext.decode(bad, components: 2, dimension: 3) }
        }
      }
    }
    #expect(throws: FitError.self) { try JobContext.decode([], components: 2, dimension: 3) }
    let folder = try TemporaryFolder()
    let plain = try problem(.unit, in: folder, isBatched: true)
    #expect(throws: FitError.self) {
      try TileJob(plain, kind: JobKind.gradient.rawValue, iteration: 0, state: state, variate: variate)
    }
  }

  @Test("batches are of about the rows asked for, in tiles of one shard that are neither many nor few")
  func plans() {
    for (rows, asked, shard) in [
      (60_000, 1000, 65_536), (285, 100, 65_536), (285, 10, 65_536), (285, 1, 65_536), (1000, 999, 256),
      (100_000_000, 1000, 131_072), (100_000_000, 1_000_000, 131_072), (5000, 400, 16),
    ] {
      for (components, dimension) in [(1, 5), (5, 30), (200, 60)] {
        let plan = Planner.plan(
          ProblemSize(
            components: components, dimension: dimension, samples: 10, objectiveDraws: 1000,
            predictionDraws: 100, rows: rows, rowsPerShard: shard, testRows: 0, testRowsPerShard: 0,
            columns: dimension, minibatch: MinibatchSize(rows: asked, hasControlVariate: true))
        ).gradient
        let size = plan.rowsPerTile
        #expect(size & (size - 1) == 0 && shard % size == 0 && size <= 4096)
        let inBatch = plan.drawnTiles * size
        #expect(abs(inBatch - asked) <= size / 2, "\(asked) of \(rows): \(inBatch)")
        #expect(asked < 64 || plan.drawnTiles >= 4, "\(asked) of \(rows): \(plan.drawnTiles) tiles")
        #expect(size >= min(16, shard) || asked < 16)
      }
    }
  }

  @Test("a batch of all rows is no batch: the fit is that of all rows, and says so")
  func allRows() throws {
    let folder = try TemporaryFolder()
    let whole = try Examples.logistic(in: folder).setup
    var said: [String] = []
    let specification = try FitSpecification(
      yaml: whole.specification, source: "fit.yaml", folder: "/", overrides: ["inference.minibatch=40"])
    let setup = try ProblemBuilder(cacheFolder: folder.path + "/cache", progress: { said.append($0) })
      .build(specification)
    #expect(try setup.encoded() == whole.encoded())
    #expect(said.contains { $0.hasPrefix("warning: inference.minibatch: 40 rows") }, "\(said)")
  }
}
