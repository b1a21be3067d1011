import Foundation
import Inference
import Mixtures
import NumericsKit
import TestKit
import Testing

@Suite("Jobs of points")
struct PointsTests {
  init() { BLAS.prepare() }

  /// Compares V and ∇V at random points of θ with those of a function.
  private func check(_ setup: FitSetup, metric: Metric?, _ value: @escaping ([Double]) -> Double) throws {
    let problem = try Problem(setup)
    let plan = try #require(problem.plan.points)
    var generator = SeededGenerator(seed: 14)
    let points = (0..<3 * plan.components).map { _ in Double.random(in: -2...2, using: &generator) }
    let job = FitJob(kind: .points, iteration: 0)
    let state = JobState.encode(points: points, dimension: 3)
    let numbers = try evaluate(problem, job, state: state, metric: metric).flatMap { $0 }
    #expect(numbers.count == 4 * plan.components)
    for index in 0..<plan.components {
      let x = Array(points[3 * index..<3 * index + 3])
      let found = Array(numbers[4 * index..<4 * index + 4])
      #expect(WrittenOut.close(found[0], value(x)), "seed 14, point \(index)")
      for (slope, expected) in zip(found.dropFirst(), WrittenOut.gradient(value, x)) {
        #expect(WrittenOut.close(slope, expected), "seed 14, point \(index)")
      }
    }
  }

  @Test("give V and ∇V at points of θ, in whatever coordinates the fit is", arguments: Metric.Kind.allCases)
  func values(kind: Metric.Kind) throws {
    let metric = try WrittenOut.metric(kind)
    let analytic = try Examples.analytic(metric: kind.rawValue, inference: "  relocation: true")
    try check(analytic, metric: metric, WrittenOut.analytic)
    let folder = try TemporaryFolder()
    var (logistic, rows) = try Examples.logistic(
      in: folder, metric: kind.rawValue, inference: "  relocation: true")
    try check(logistic, metric: metric) { WrittenOut.logistic(rows, $0) }
    logistic.plan.points?.rowsPerTile = 16
    logistic.plan.points?.componentsPerBlock = 5
    try check(logistic, metric: metric) { WrittenOut.logistic(rows, $0) }
  }
}
