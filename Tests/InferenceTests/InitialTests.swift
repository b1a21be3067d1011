import Foundation
import Inference
import Mixtures
import NumericsKit
import TestKit
import Testing

@Suite("Where a fit starts")
struct InitialTests {
  init() { BLAS.prepare() }

  private func problem(
    _ initial: String, components: Int = 3, metric: String = "dense", inference: String = "",
    folder: String = "/"
  ) throws -> Problem {
    try Problem(
      Examples.build(
        Examples.target + """
          mixture: {components: \(components), initial: \(initial)}
          inference: {metric: \(metric), iterations: 50\(inference)}
          """, folder: folder))
  }

  private func logDensity(_ mixture: IsotropicMixture, _ metric: Metric, _ theta: [Double]) -> Double {
    mixture.logDensity(at: metric.coordinates(of: theta, count: 1)) - metric.logDeterminant
  }

  @Test("prior: means are draws from the prior, variances are its own")
  func prior() throws {
    let folder = try TemporaryFolder()
    _ = try Examples.logistic(in: folder)
    let problem = try Problem(
      Examples.build(
        """
        model: {family: logistic, response: y, prior: {normal: {scale: 3}}}
        data: {train: train.csv, standardize: false}
        mixture: {components: 800, initial: prior}
        """, folder: folder.path))
    let mixture = try Fit(problem).mixture
    #expect(mixture.variances == [Double](repeating: 9, count: 800))
    let n = Double(mixture.means.count)
    let squares = mixture.means.reduce(0) { $0 + $1 * $1 } / n
    #expect(abs(mixture.means.reduce(0, +) / n) < 5 * 3 / n.squareRoot())
    #expect(abs(squares / 9 - 1) < 5 * (2 / n).squareRoot())
    #expect(Set(mixture.means).count == mixture.means.count)
  }

  @Test("prior: a target without one is an error that says what to do")
  func noPrior() throws {
    let problem = try problem("prior")
    let error = #expect(throws: FitError.self) { try Fit(problem) }
    #expect(error?.code == .badInput && error?.message.contains("use auto or uniform") == true)
  }

  @Test("data: components start in turn at the modes that searches find")
  func data() throws {
    let means = [[-4.0, 0, 2], [4, -3, 0]]
    let problem = try Problem(
      Examples.build(
        """
        model: {family: gaussian_mixture, weights: [0.3, 0.7], means: \(means), covariances: [0.5, 1]}
        mixture: {components: 5, initial: data}
        """, folder: "/"))
    var fit = try Fit(problem)
    while let job = fit.next, job.kind == .points {
      _ = try fit.take(evaluate(problem, job, state: fit.state, metric: fit.context?.metric))
    }
    #expect(fit.notes.contains { $0.contains("found 2 mode(s)") }, "\(fit.notes)")
    // 0.3/√0.5³ is more than 0.7: the first one's density is higher.
    for i in 0..<5 {
      for k in 0..<3 { #expect(abs(fit.mixture.means[i * 3 + k] - means[i % 2][k]) < 0.15) }
    }
    #expect(fit.mixture.variances.allSatisfy { $0 < 0.01 })
  }

  /// An earlier fit in coordinates of a kind.
  private func earlier(_ kind: Metric.Kind, components: Int = 3) throws -> StartingMixture {
    var generator = SeededGenerator(seed: 81)
    return StartingMixture(
      mixture: IsotropicMixture(
        componentCount: components, dimension: 3,
        means: (0..<3 * components).map { _ in Double.random(in: -3...3, using: &generator) },
        variances: (0..<components).map { 0.5 + Double($0) }),
      metric: try WrittenOut.metric(kind) ?? Metric(.unit, dimension: 3))
  }

  private func file(_ folder: TemporaryFolder) throws -> String {
    try Data("{}".utf8).write(to: URL(fileURLWithPath: folder.path + "/mixture.json"))
    return "{file: \(folder.path)}"
  }

  @Test("file: the same coordinates go on as they were", arguments: Metric.Kind.allCases)
  func sameKind(kind: Metric.Kind) throws {
    let folder = try TemporaryFolder()
    let earlier = try earlier(kind)
    let fit = try Fit(problem(file(folder), metric: kind.rawValue), from: earlier)
    #expect(fit.mixture == earlier.mixture && fit.metric == earlier.metric)
  }

  @Test("file: a diagonal taken for a dense matrix is the same mixture in θ")
  func denseFromDiagonal() throws {
    let folder = try TemporaryFolder()
    let earlier = try earlier(.diagonal)
    let fit = try Fit(problem(file(folder), metric: "dense"), from: earlier)
    #expect(fit.metric.kind == .dense)
    for theta in [[0, 0, 0], [1, -1, 0.5], [2, 0.3, -1]] {
      let before = logDensity(earlier.mixture, earlier.metric, theta)
      #expect(abs(logDensity(fit.mixture, fit.metric, theta) - before) < 1e-12)
    }
  }

  @Test(
    "file: other coordinates keep the means in θ and the mean variance over coordinates",
    arguments: [
      (Metric.Kind.unit, Metric.Kind.dense), (.unit, .diagonal), (.diagonal, .unit), (.dense, .unit),
      (.diagonal, .dense), (.dense, .diagonal),
    ])
  func otherKind(kinds: (Metric.Kind, Metric.Kind)) throws {
    let folder = try TemporaryFolder()
    let earlier = try earlier(kinds.1)
    let fit = try Fit(problem(file(folder), metric: kinds.0.rawValue), from: earlier)
    let before = earlier.metric.positions(of: earlier.mixture.means, count: 3)
    #expect(zip(fit.positions, before).allSatisfy { abs($0 - $1) < 1e-12 })
    func meanVariance(_ mixture: IsotropicMixture, _ metric: Metric, _ i: Int) -> Double {
      mixture.variances[i] * metric.scales.reduce(0) { $0 + $1 * $1 } / 3
    }
    for i in 0..<3 {
      let now = meanVariance(fit.mixture, fit.metric, i)
      #expect(abs(now / meanVariance(earlier.mixture, earlier.metric, i) - 1) < 1e-12)
    }
  }

  @Test("file: more components are split off, fewer are merged, with the moments of the whole")
  func otherCounts() throws {
    let folder = try TemporaryFolder()
    let earlier = try earlier(.dense)
    let more = try Fit(problem(file(folder), components: 7), from: earlier).mixture
    #expect(Array(more.means.prefix(9)) == earlier.mixture.means)
    #expect(more.variances == [0.5, 1.5, 2.5, 0.5, 1.5, 2.5, 0.5])
    for i in 3..<7 {
      let distance = (0..<3).reduce(0.0) {
        $0 + pow(more.means[3 * i + $1] - more.means[3 * (i % 3) + $1], 2)
      }
      #expect(distance > 0 && distance < 0.25 * more.variances[i] * 30, "half of a normal deviate")
    }
    let one = try Fit(problem(file(folder), components: 1), from: earlier).mixture
    for k in 0..<3 {
      let mean = (0..<3).reduce(0.0) { $0 + earlier.mixture.means[3 * $1 + k] / 3 }
      #expect(abs(one.means[k] - mean) < 1e-12)
    }
    #expect(one.variances[0] > 1.5)
  }

  @Test("file: a rule with one variance for all starts with the mean of the variances")
  func shared() throws {
    let folder = try TemporaryFolder()
    let fit = try Fit(
      problem(file(folder), inference: ", algorithm: md-shared"), from: earlier(.dense))
    #expect(fit.mixture.variances == [1.5, 1.5, 1.5])
  }

  @Test("file: a fit of another dimension, or none, is an error")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let problem = try problem(file(folder))
    #expect(throws: FitError.self) { try Fit(problem) }
    let other = StartingMixture(
      mixture: IsotropicMixture(componentCount: 1, dimension: 2, means: [0, 0], variances: [1]),
      metric: Metric(.dense, dimension: 2))
    let error = #expect(throws: FitError.self) { try Fit(problem, from: other) }
    #expect(error?.code == .badInput && error?.message.contains("2 parameters, this model 3") == true)
  }
}
