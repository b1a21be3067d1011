import Foundation
import Inference
import Mixtures
import NumericsKit
import TestKit
import Testing

@Suite("Jobs in learned coordinates")
struct MetricSameBitsTests {
  init() { BLAS.prepare() }

  @Test(
    "of every kind have the same bits whoever computes which subtrees in which order",
    arguments: Metric.Kind.allCases)
  func sameBits(kind: Metric.Kind) throws {
    let folder = try TemporaryFolder()
    let extra = "  relocation: true"
    let logistic = try Examples.logistic(in: folder, rows: 500, metric: kind.rawValue, inference: extra).setup
    var fine = logistic
    fine.plan.gradient.rowsPerTile = 64
    fine.plan.gradient.samplesPerTile = 3
    fine.plan.gradient.componentsPerBlock = 2
    fine.plan.objective.rowsPerTile = 64
    fine.plan.objective.samplesPerTile = 7
    fine.plan.prediction?.rowsPerTile = 32
    fine.plan.curvature?.rowsPerTile = 64
    fine.plan.curvature?.componentsPerBlock = 1
    fine.plan.curvature?.samplesPerTile = 3
    fine.plan.points?.rowsPerTile = 64
    fine.plan.points?.componentsPerBlock = 9
    let analytic = try Examples.analytic(
      components: 20, samples: 15, metric: kind.rawValue, sampling: "antithetic", inference: extra)
    let metric = try WrittenOut.metric(kind)
    for setup in [logistic, fine, analytic] {
      let problem = try Problem(setup)
      let mixture = try Fit(problem).mixture
      var kinds = 0
      for job in JobKind.allCases where setup.plan.job(job) != nil && job != .empty {
        kinds += 1
        let points = (0..<3 * (setup.plan.points?.components ?? 0)).map { sin(Double($0)) }
        let state =
          job == .points ? JobState.encode(points: points, dimension: 3) : JobState.encode(mixture)
        let asked = FitJob(kind: job, iteration: 2)
        let whole = try evaluate(problem, asked, state: state, metric: metric).map { $0.map(\.bitPattern) }
        for workers in 1...4 {
          let parts = try evaluate(
            problem, asked, state: state, metric: metric, workers: workers, pieces: 2 * workers - 1,
            seed: UInt64(workers))
          #expect(parts.map { $0.map(\.bitPattern) } == whole, "\(job), seed \(workers)")
        }
      }
      #expect(kinds == 3 + (kind == .unit ? 0 : 1) + (setup.test == nil ? 0 : 1))
    }
  }

  @Test("coordinates of another kind or dimension than the run's are refused")
  func refusals() throws {
    let problem = try Problem(Examples.analytic(metric: "dense"))
    let state = JobState.encode(try Fit(problem).mixture)
    for metric in [
      Metric(.diagonal, dimension: 3), Metric(.dense, dimension: 4), Metric(.unit, dimension: 2),
    ] {
      #expect(throws: FitError.self) {
        try TileJob(problem, kind: JobKind.gradient.rawValue, iteration: 0, state: state, metric: metric)
      }
    }
  }

  @Test("a metric is read as it was written, and other bytes are none", arguments: Metric.Kind.allCases)
  func context(kind: Metric.Kind) throws {
    let metric = try WrittenOut.metric(kind) ?? Metric(.unit, dimension: 3)
    let bytes = JobContext.encode(metric)
    #expect(bytes.count == 8 * (2 + 3 + 2 * metric.factor.count))
    #expect(try JobContext.decode(bytes, dimension: 3) == metric)
    var other = bytes
    other.replaceSubrange(0..<8, with: Float64Bytes.encode([[7]]))
    var wild = bytes
    wild.replaceSubrange(16..<24, with: Float64Bytes.encode([[.nan]]))
    for bad in [other, wild, Array(bytes.dropLast()), Array(bytes.dropLast(8)), bytes + bytes, []] {
      #expect(throws: FitError.self) { try JobContext.decode(bad, dimension: 3) }
    }
    #expect(throws: FitError.self) { try JobContext.decode(bytes, dimension: 4) }
  }
}
