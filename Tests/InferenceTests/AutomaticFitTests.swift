import Foundation
import Inference
import NumericsKit
import TestKit
import Testing

@Suite("A fit that is told nothing but its model")
struct AutomaticFitTests {
  private static let seed: UInt64 = 71

  /// A covariance of condition 10⁴, by rows, for the YAML.
  private func covariance(scale: Double) -> String {
    var generator = SeededGenerator(seed: Self.seed)
    let eigenvalues = [1e-2, 0.3, 5, 100]
    var rows: [[Double]] = []
    while rows.count < 4 {
      var row = (0..<4).map { _ in Double.random(in: -1...1, using: &generator) }
      for _ in 0..<2 {
        for other in rows {
          let share = (0..<4).reduce(0.0) { $0 + row[$1] * other[$1] }
          for k in 0..<4 { row[k] -= share * other[k] }
        }
      }
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > 0.01 { rows.append(row.map { $0 / norm }) }
    }
    let matrix = (0..<4).map { i in
      (0..<4).map { j in
        (0..<4).reduce(0.0) { $0 + scale * scale * eigenvalues[$1] * rows[$1][i] * rows[$1][j] }
      }
    }
    // Symmetric to the last bit.
    return "\((0..<4).map { i in (0..<4).map { j in matrix[max(i, j)][min(i, j)] } })"
  }

  @Test(
    "finds a correlated Gaussian of condition 10⁴ at any scale, exactly",
    arguments: [1e-4, 1e-2, 1, 1e2, 1e4])
  func gaussian(scale: Double) throws {
    let mean = [1.0, -2, 3, 0.5].map { $0 * scale }
    let whole = try WholeFit(
      """
      model: {family: gaussian, mean: \(mean), covariance: \(covariance(scale: scale))}
      mixture: {components: 1}
      """)
    #expect(abs(whole.kl) < 0.01, "KL \(whole.kl)")
    #expect(whole.khat < 0.5 && whole.hasConverged, "\(whole.khat), \(String(describing: whole.fit.ending))")
    let deviation = 10 * scale
    for (value, expected) in zip(whole.fit.positions, mean) {
      #expect(abs(value - expected) < 0.1 * deviation)
    }
  }

  @Test(
    "finds a mixture of three isotropic Gaussians with three components",
    arguments: ["unit", "diagonal", "dense"], [1, 2, 3, 4])
  func insideFamily(metric: String, seed: Int) throws {
    let means = [[4.0, 0, -4], [0, -4, 4], [-4, 4, 0]]
    let whole = try WholeFit(
      """
      model: {family: gaussian_mixture, means: \(means), covariances: [1, 0.6, 1.5]}
      mixture: {components: 3}
      inference: {metric: \(metric), seed: \(seed)}
      """)
    #expect(abs(whole.kl) < 0.01, "KL \(whole.kl)")
    #expect(whole.khat < 0.5 && whole.hasConverged, "\(whole.khat), \(String(describing: whole.fit.ending))")
    #expect(whole.shares(of: means).allSatisfy { abs($0 - 1.0 / 3) < 1e-9 })
  }

  @Test("finds the components of a mixture that overlap, in θ itself")
  func overlapping() throws {
    let means = [[0.0, 0], [3, 0], [0, 3]]
    let whole = try WholeFit(
      """
      model: {family: gaussian_mixture, means: \(means), covariances: [1, 0.5, 2]}
      mixture: {components: 3}
      inference: {metric: unit}
      """)
    #expect(abs(whole.kl) < 0.01 && whole.khat < 0.5, "KL \(whole.kl), k̂ \(whole.khat)")
    #expect(whole.shares(of: means).allSatisfy { abs($0 - 1.0 / 3) < 1e-9 })
  }

  @Test(
    "finds a Gaussian whose correlated coordinates have scales of many powers of ten",
    arguments: [([-2.0, -1, 1, 2], 0.01), ([-4, -1, 1, 4], 0.1)])
  func scales(exponents: [Double], limit: Double) throws {
    let scales = exponents.map { pow(10, $0) }
    let covariance = (0..<4).map { i in
      (0..<4).map { j in scales[i] * scales[j] * (i == j ? 1 : 0.9) }
    }
    let mean = scales.map { 2 * $0 }
    let whole = try WholeFit(
      """
      model: {family: gaussian, mean: \(mean), covariance: \(covariance)}
      mixture: {components: 1}
      """)
    #expect(
      abs(whole.kl) < limit && whole.khat < 0.5 && whole.hasConverged, "KL \(whole.kl), k̂ \(whole.khat)")
    for (value, expected) in zip(whole.fit.positions, mean) { #expect(abs(value / expected - 1) < 1e-3) }
  }

  @Test("gives four modes of unequal masses their numbers of components")
  func unbalanced() throws {
    let means = [[3.0, 3], [-3, 3], [3, -3], [-3, -3]]
    let weights = [0.1, 0.2, 0.3, 0.4]
    let whole = try WholeFit(
      """
      model: {family: gaussian_mixture, weights: \(weights), means: \(means), covariances: [0.5, 0.5, 0.5, 0.5]}
      mixture: {components: 20}
      """)
    let shares = whole.shares(of: means)
    for (share, weight) in zip(shares, weights) { #expect(abs(share - weight) < 0.02, "\(shares)") }
    #expect(whole.kl < 0.02, "KL \(whole.kl)")
  }

  @Test("finds modes of masses 0.1 and 0.9 that are far apart")
  func farApart() throws {
    let means = [[-40.0, 10], [30, -20]]
    let whole = try WholeFit(
      """
      model: {family: gaussian_mixture, weights: [0.1, 0.9], means: \(means), covariances: [1, 2]}
      mixture: {components: 10}
      """)
    let shares = whole.shares(of: means)
    #expect(abs(shares[0] - 0.1) < 0.02 && abs(shares[1] - 0.9) < 0.02, "\(shares)")
  }

  @Test("comes within 0.03 nats of a funnel with twenty components")
  func funnel() throws {
    let whole = try WholeFit(
      """
      model: {family: funnel}
      mixture: {components: 20}
      inference: {diagnosis: {draws: 100000}}
      """)
    #expect(whole.standardError < 0.003)
    #expect(whole.kl <= 0.03, "KL \(whole.kl) ± \(whole.standardError)")
    #expect(whole.kl > -5 * whole.standardError)
  }
}
