import Foundation
import Inference
import Mixtures
import TestKit
import Testing

@Suite("A stage of iterations")
struct StageTests {
  private static let seed: UInt64 = 61
  private let means = [1.0, -2, 30, 4, 5, 0]
  private let variances = [4.0, 0.25]

  /// Nearly normal: the sum of twelve uniform numbers.
  private func normal(_ generator: inout SeededGenerator) -> Double {
    (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0...1, using: &generator) }
  }

  /// A mixture that is off by noise and by a drift, in standard deviations of its components.
  private func iterate(noise: Double, drift: Double, _ generator: inout SeededGenerator) -> IsotropicMixture {
    IsotropicMixture(
      componentCount: 2, dimension: 3,
      means: means.indices.map {
        means[$0] + variances[$0 / 3].squareRoot() * (noise * normal(&generator) + drift)
      }, variances: variances.map { $0 * exp(noise * normal(&generator) + drift) })
  }

  /// Takes iterates until the stage is over; the iteration after which it averages.
  private func run(noise: Double, drift: (Int) -> Double) -> (
    stage: Stage, last: IsotropicMixture, begins: Int?
  ) {
    var generator = SeededGenerator(seed: Self.seed)
    var stage = Stage()
    var begins: Int?
    var last = iterate(noise: 0, drift: 0, &generator)
    #expect(stage.average(like: last) == nil && stage.statistics(of: last) == nil)
    for iteration in 0..<5000 where !stage.isOver {
      last = iterate(noise: noise, drift: drift(iteration), &generator)
      stage.take(last)
      if stage.isAveraging, begins == nil { begins = stage.count }
      if begins == nil { #expect(stage.average(like: last) == nil) }
    }
    #expect(stage.isOver)
    return (stage, last, begins)
  }

  @Test("averages at once what is noise around a constant, and ends when the average is good")
  func stationary() throws {
    let (stage, last, begins) = run(noise: 0.5) { _ in 0 }
    #expect(begins == Stage.block && stage.averaged == stage.count - Stage.block)
    #expect(stage.averaged < Stage.longestAveraging)
    let average = try #require(stage.average(like: last))
    // Five standard errors of independent iterates.
    let error = 5 * 0.5 / Double(stage.averaged).squareRoot()
    for k in means.indices {
      #expect(
        abs(average.means[k] - means[k]) < error * variances[k / 3].squareRoot(), "seed \(Self.seed)")
    }
    for i in variances.indices {
      #expect(abs(log(average.variances[i] / variances[i])) < error, "seed \(Self.seed): means of log ε")
    }
    let summary = try #require(stage.statistics(of: last))
    #expect(summary.iterations == stage.averaged && summary.rhat < 1.1 && summary.effectiveSampleSize > 25)
    #expect(summary.standardError <= Stage.smallEnoughError)
    #expect(abs(summary.standardError / (0.5 / Double(stage.averaged).squareRoot()) - 1) < 0.6)
  }

  @Test("waits for the end of a drift, of which nothing is in the average")
  func drift() throws {
    let (stage, last, begins) = run(noise: 0.1) { $0 < 140 ? 10 - Double($0) / 14 : 0 }
    #expect(begins == 300, "at 200 half of the later half still drifts")
    let average = try #require(stage.average(like: last))
    for k in means.indices {
      #expect(abs(average.means[k] - means[k]) < 0.1 * variances[k / 3].squareRoot())
    }
  }

  @Test("averages after a while even what drifts for ever, and ends after another while")
  func limits() throws {
    let (stage, last, begins) = run(noise: 0.01) { Double($0) / 100 }
    #expect(begins == Stage.longestSettling && stage.averaged == Stage.longestAveraging)
    #expect(stage.count == Stage.longestSettling + Stage.longestAveraging)
    let summary = try #require(stage.statistics(of: last))
    #expect(summary.rhat > 1.1 && summary.effectiveSampleSize < 25, "and says so: \(summary)")
  }

  @Test("goes on while slow noise makes its average uncertain")
  func autocorrelation() {
    // An autoregressive drift with a memory of fifty iterations.
    var generator = SeededGenerator(seed: Self.seed)
    var state = 0.0
    let walk = (0..<5000).map { _ in
      state = 0.98 * state + 0.2 * normal(&generator)
      return state
    }
    let slow = run(noise: 0.01) { walk[$0] }.stage
    let fast = run(noise: 1) { _ in 0 }.stage
    #expect(slow.averaged > fast.averaged)
  }
}
