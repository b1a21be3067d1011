import Foundation
import Inference
import Mixtures
import NumericsKit
import TestKit
import Testing

@Suite("Curvature jobs")
struct CurvatureTests {
  init() { BLAS.prepare() }

  /// The average over pairs of one job: `[d, d]` with the gradient's coordinate, in θ, first; or the diagonal `[d]`.
  private func average(_ problem: Problem, _ mixture: IsotropicMixture, metric: Metric?, iteration: Int = 0)
    throws
    -> [Double]
  {
    let plan = try #require(problem.plan.curvature)
    let job = FitJob(kind: .curvature, iteration: iteration)
    let sums = try evaluate(problem, job, state: JobState.encode(mixture), metric: metric)
    #expect(sums.count == 1)
    return sums[0].map { $0 / Double(plan.samples * mixture.componentCount) }
  }

  private func mixture(_ components: Int) -> IsotropicMixture {
    var generator = SeededGenerator(seed: 3)
    return IsotropicMixture(
      componentCount: components, dimension: 3,
      means: (0..<3 * components).map { _ in Double.random(in: -2...2, using: &generator) },
      variances: (0..<components).map { 0.3 * Double($0 + 1) })
  }

  /// `H L`, what the average of a quadratic V's jobs is.
  private func expected(_ hessian: [Double], _ metric: Metric) -> [Double] {
    guard metric.kind == .dense else { return (0..<3).map { hessian[$0 * 3 + $0] * metric.factor[$0] } }
    return (0..<9).map { index -> Double in
      let (row, column) = (index / 3, index % 3)
      var sum = 0.0
      for k in 0..<3 { sum += hessian[row * 3 + k] * metric.factor[k * 3 + column] }
      return sum
    }
  }

  private func check(
    _ setup: FitSetup, hessian: [Double], _ kind: Metric.Kind,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let problem = try Problem(setup)
    let metric = try #require(try WrittenOut.metric(kind))
    let components = problem.plan.problem.components
    for iteration in 0..<3 {
      let found = try average(problem, mixture(components), metric: metric, iteration: iteration)
      let wanted = expected(hessian, metric)
      #expect(found.count == wanted.count, sourceLocation: sourceLocation)
      for (value, wanted) in zip(found, wanted) {
        #expect(abs(value - wanted) < 1e-9 * max(1, abs(wanted)), sourceLocation: sourceLocation)
      }
    }
  }

  @Test("give the precision matrix of a Gaussian target exactly", arguments: [1, 2, 3, 5])
  func gaussian(components: Int) throws {
    // The adjugate of the covariance over its determinant.
    let covariance = "[[2, 0.5, 0], [0.5, 1, 0.3], [0, 0.3, 0.8]]"
    let determinant = 2 * (0.8 - 0.09) - 0.5 * 0.4
    let precision = [0.71, -0.4, 0.15, -0.4, 1.6, -0.6, 0.15, -0.6, 1.75].map { $0 / determinant }
    func setup(_ kind: Metric.Kind, _ covariance: String) throws -> FitSetup {
      try Examples.build(
        """
        model: {family: gaussian, mean: [1, -2, 0.5], covariance: \(covariance)}
        mixture: {components: \(components)}
        inference: {metric: \(kind.rawValue), seed: 7}
        """, folder: "/")
    }
    try check(setup(.dense, covariance), hessian: precision, .dense)
    try check(setup(.diagonal, "[2, 0.5, 0.1]"), hessian: [0.5, 0, 0, 0, 2, 0, 0, 0, 10], .diagonal)
  }

  @Test("give XᵀX/σ² + I/s² of a linear regression exactly, however the rows are cut")
  func linear() throws {
    let folder = try TemporaryFolder()
    var generator = SeededGenerator(seed: 6)
    // For a diagonal, columns that are orthogonal to each other.
    for kind in [Metric.Kind.dense, .diagonal] {
      var text = "a,b,y\n"
      var moments = [Double](repeating: 0, count: 9)
      for row in 0..<400 {
        var (a, b) = (row % 2 == 0 ? 1.0 : -1, row / 2 % 2 == 0 ? 2.0 : -2)
        if kind == .dense {
          a = Double(Int.random(in: -20...20, using: &generator)) / 10
          b = Double(Int.random(in: -20...20, using: &generator)) / 10
        }
        text += "\(a),\(b),\(a + 0.5 * b)\n"
        for (i, left) in [1, a, b].enumerated() {
          for (j, right) in [1, a, b].enumerated() { moments[i * 3 + j] += left * right }
        }
      }
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/\(kind).csv"))
      var setup = try Examples.build(
        """
        model: {family: linear, response: y, noise: 0.5, prior: {normal: {scale: 4}}}
        data: {train: \(kind).csv, standardize: false}
        mixture: {components: 3}
        inference: {metric: \(kind.rawValue), seed: 7}
        """, folder: folder.path)
      var hessian = moments.map { $0 / 0.25 }
      for k in 0..<3 { hessian[k * 4] += 1.0 / 16 }
      try check(setup, hessian: hessian, kind)
      setup.plan.curvature?.rowsPerTile = 64
      setup.plan.curvature?.componentsPerBlock = 1
      setup.plan.curvature?.samplesPerTile = 3
      try check(setup, hessian: hessian, kind)
    }
  }

  /// The Hessian of V by differences of its values.
  private func hessian(_ value: ([Double]) -> Double, at x: [Double]) -> [Double] {
    let step = 1e-3
    func at(_ i: Int, _ a: Double, _ j: Int, _ b: Double) -> Double {
      var point = x
      point[i] += a * step
      point[j] += b * step
      return value(point)
    }
    return (0..<9).map { index in
      let (i, j) = (index / 3, index % 3)
      return (at(i, 1, j, 1) - at(i, 1, j, -1) - at(i, -1, j, 1) + at(i, -1, j, -1)) / (4 * step * step)
    }
  }

  @Test(
    "give, for a V that is not quadratic, its Hessian averaged over the ball that the directions end on, within Monte Carlo error"
  )
  func logistic() throws {
    let folder = try TemporaryFolder()
    let (setup, rows) = try Examples.logistic(in: folder, metric: "dense")
    let problem = try Problem(setup)
    let metric = try #require(try WrittenOut.metric(.dense))
    let mixture = mixture(3)
    var estimates = Moments(9)
    for iteration in 0..<300 {
      estimates.add(try average(problem, mixture, metric: metric, iteration: iteration))
    }
    // Uniform on the ball of radius √(d ε) around each mean (the divergence theorem).
    var generator = SeededGenerator(seed: 9)
    var direct = Moments(9)
    for draw in 0..<6000 {
      let i = draw % 3
      var point = [2.0, 0, 0]
      while point.reduce(0, { $0 + $1 * $1 }) > 1 {
        point = (0..<3).map { _ in Double.random(in: -1...1, using: &generator) }
      }
      let radius = (3 * mixture.variances[i]).squareRoot()
      let u = (0..<3).map { mixture.means[i * 3 + $0] + radius * point[$0] }
      direct.add(
        expected(hessian({ WrittenOut.logistic(rows, $0) }, at: WrittenOut.position(u, metric)), metric))
    }
    for k in 0..<9 {
      let error = (estimates.squaredErrors[k] + direct.squaredErrors[k]).squareRoot()
      #expect(abs(estimates.means[k] - direct.means[k]) < 5 * error, "seeds 3, 8, 9; number \(k)")
      #expect(error < 0.02 * abs(direct.means[0]))
    }
  }
}

/// Means and their squared standard errors.
private struct Moments {
  private var count = 0.0
  private var sums: [Double]
  private var squares: [Double]

  init(_ width: Int) {
    sums = [Double](repeating: 0, count: width)
    squares = sums
  }

  mutating func add(_ values: [Double]) {
    count += 1
    for k in sums.indices {
      sums[k] += values[k]
      squares[k] += values[k] * values[k]
    }
  }

  var means: [Double] { sums.map { $0 / count } }
  var squaredErrors: [Double] { zip(squares, means).map { ($0 / count - $1 * $1) / count } }
}
