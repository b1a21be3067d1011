import Foundation
import Mixtures
import NumericsKit
import Reporting
import TestKit
import Testing

@Suite struct DrawTests {
  init() { BLAS.prepare() }

  /// `L Lᵀ` by hand.
  private func shape(_ metric: Metric) -> [Double] {
    let d = metric.dimension
    return (0..<d * d).map { index -> Double in
      let (row, column) = (index / d, index % d)
      switch metric.kind {
      case .unit: return row == column ? 1 : 0
      case .diagonal: return row == column ? metric.factor[row] * metric.factor[row] : 0
      case .dense:
        var sum = 0.0
        for k in 0..<d { sum += metric.factor[row * d + k] * metric.factor[column * d + k] }
        return sum
      }
    }
  }

  @Test(
    "Draws of a fit that was written and read have mean c + L m and covariance ε L Lᵀ, between components that of the means added",
    arguments: Metric.Kind.allCases)
  func moments(kind: Metric.Kind) throws {
    let place = try TemporaryFolder()
    let metric: Metric =
      switch kind {
      case .unit: Metric(.unit, dimension: 3)
      case .diagonal: try #require(Metric(.diagonal, dimension: 3, factor: [0.5, 2, 7]))
      case .dense:
        try #require(Metric(.dense, dimension: 3, factor: [2, 0.5, -1, 0.3, 1, 0.2, -0.4, 3, 0.7]))
      }
    for mixture in [
      IsotropicMixture(componentCount: 1, dimension: 3, means: [1, -2, 0.5], variances: [0.4]),
      IsotropicMixture(
        componentCount: 2, dimension: 3, means: [1, -2, 0.5, -1, 0, 1], variances: [0.4, 1.6]),
    ] {
      let fitted = FittedMixture(
        mixture, metric: metric, family: "gaussian", names: ["a", "b", "c"], iteration: 1,
        specification: "", design: nil)
      let text = String(decoding: try JSONEncoder().encode(fitted), as: UTF8.self)
      let read = try FittedMixture.read(try place.write(text, to: "mixture.json"))
      #expect(read == fitted)
      let n = 40_000
      let positions = try read.draws(n, seed: 5).maker().make(0..<n).positions
      var mean = [0.0, 0, 0]
      var products = [Double](repeating: 0, count: 9)
      let draws = (0..<n).map { Array(positions[3 * $0..<3 * $0 + 3]) }
      for draw in draws {
        for k in 0..<3 { mean[k] += draw[k] / Double(n) }
      }
      for draw in draws {
        for k in 0..<9 {
          products[k] += (draw[k / 3] - mean[k / 3]) * (draw[k % 3] - mean[k % 3]) / Double(n)
        }
      }
      let count = Double(mixture.componentCount)
      let centers = metric.positions(of: mixture.means, count: mixture.componentCount)
      let middle = (0..<3).map { k in
        stride(from: k, to: centers.count, by: 3).reduce(0.0) { $0 + centers[$1] / count }
      }
      let variance = mixture.variances.reduce(0, +) / count
      var expected = shape(metric).map { variance * $0 }
      for i in 0..<mixture.componentCount {
        for k in 0..<9 {
          let (left, right) = (centers[3 * i + k / 3], centers[3 * i + k % 3])
          expected[k] += (left - middle[k / 3]) * (right - middle[k % 3]) / count
        }
      }
      for k in 0..<3 {
        #expect(abs(mean[k] - middle[k]) < 5 * (expected[4 * k] / Double(n)).squareRoot(), "seed 5")
      }
      for k in 0..<9 {
        // Five standard errors of a product of normal deviates; mixtures have a little more.
        let spread = (2 * expected[4 * (k / 3)] * expected[4 * (k % 3)] / Double(n)).squareRoot()
        #expect(abs(products[k] - expected[k]) < 7 * spread, "seed 5")
      }
    }
  }
}
