import Foundation
import NumericsKit
import Posteriors

/// Rows of data that tests own.
struct TestRows {
  let features: [Double]
  let responses: [Double]
  let columns: Int
  var count: Int { responses.count }

  /// The fixture's design `sin(1 + 0.7 i + 1.3 k)`.
  static func fixture(rows: Int = 23, columns: Int = 4, response: (Int) -> Double) -> TestRows {
    TestRows(
      features: (0..<rows * columns).map { (index: Int) -> Double in
        let row = Double(index / columns)
        let column = Double(index % columns)
        return sin(1 + row * 0.7 + column * 1.3)
      },
      responses: (0..<rows).map(response), columns: columns)
  }

  static let binary = fixture { ($0 * 7 + 3) % 5 < 2 ? 1 : 0 }
  static let classes = fixture { Double(($0 * 5 + 1) % 3) }
  static let real = fixture { cos(Double($0) * 0.9) }

  func withBlock<Result>(
    _ precision: Precision = .float64, range: Range<Int>? = nil, _ body: (RowBlock) -> Result
  ) -> Result {
    let range = range ?? 0..<count
    let singles = features.map { Float($0) }
    return responses.withUnsafeBufferPointer { responses in
      func call(_ bytes: UnsafeRawBufferPointer) -> Result {
        body(
          RowBlock(
            features: bytes.baseAddress! + range.lowerBound * columns * precision.byteCount,
            responses: responses.baseAddress! + range.lowerBound, count: range.count, columns: columns,
            precision: precision))
      }
      return precision == .float64 ? features.withUnsafeBytes(call) : singles.withUnsafeBytes(call)
    }
  }
}

extension LogDensity {
  /// V and ∇V at points `[count, d]`, base and rows together.
  func evaluate(_ points: [Double], _ rows: TestRows? = nil, precision: Precision = .float64) -> (
    value: [Double], gradient: [Double]
  ) {
    let count = points.count / dimension
    let workspace = DensityWorkspace()
    var value = [Double](repeating: 0, count: count)
    var gradient = [Double](repeating: 0, count: points.count)
    accumulateBase(points: points, count: count, value: &value, gradient: &gradient, workspace: workspace)
    rows?.withBlock(precision) {
      accumulateRows(
        $0, points: points, count: count, value: &value, gradient: &gradient, workspace: workspace)
    }
    return (value, gradient)
  }

  /// V at one point.
  func value(at point: [Double], _ rows: TestRows? = nil) -> Double { evaluate(point, rows).value[0] }

  /// The largest difference between ∇V and central differences of V, relative to the gradient's size.
  func gradientError(at point: [Double], _ rows: TestRows? = nil, step: Double = 1e-5) -> Double {
    let gradient = evaluate(point, rows).gradient
    let size = max(1, gradient.map { abs($0) }.max() ?? 0)
    var largest = 0.0
    for k in 0..<dimension {
      var ahead = point
      var behind = point
      ahead[k] += step
      behind[k] -= step
      let slope = (value(at: ahead, rows) - value(at: behind, rows)) / (2 * step)
      largest = max(largest, abs(slope - gradient[k]) / size)
    }
    return largest
  }
}

/// Standard normal deviates.
func normals(_ count: Int, component: Int = 0) -> [Double] {
  var output = [Double](repeating: 0, count: count)
  Noise(seed: 11).fillNormals(
    .benchmark, iteration: 0, component: component, samples: 0..<1, dimension: count, into: &output)
  return output
}

enum Targets {
  static func mixture() throws -> GaussianMixtureDensity {
    try GaussianMixtureDensity(
      weights: [0.3, 0.7], means: [[1, -2], [-0.5, 0.75]],
      covariances: [[[2, 0.6], [0.6, 1]], [[0.5, -0.3], [-0.3, 1.5]]])
  }

  static func sinhArcsinh() throws -> SinhArcsinhDensity {
    try SinhArcsinhDensity(
      covariance: [[1, 0.4], [0.4, 1]], skew: [-0.2, -0.5], tail: [1 / 1.2, 1 / 1.2])
  }

  static func analytic() throws -> [any LogDensity] {
    [
      try GaussianDensity(
        mean: [1, 2, -1], covariance: [[2, 0.5, 0.1], [0.5, 1, -0.3], [0.1, -0.3, 0.7]]), try mixture(),
      try FunnelDensity(), try FunnelDensity(variance: 9), try sinhArcsinh(),
    ]
  }

  static let names = ["a", "b", "c", "d"]

  static func network() throws -> NeuralRegression {
    try NeuralRegression(columnNames: names, hidden: 3, priorScale: 1.5, noiseScale: 0.7)
  }

  static func noiseScale() throws -> NoiseScaleRegression {
    try NoiseScaleRegression(columnNames: names, priorScale: 1.5, noisePriorScale: 0.9)
  }

  static func regressions() throws -> [(any LogDensity, TestRows)] {
    [
      (try LogisticRegression(columnNames: names, priorScale: 1.5), .binary),
      (try LinearRegression(columnNames: names, priorScale: 1.5, noiseScale: 0.7), .real),
      (
        try SoftmaxRegression(columnNames: names, classNames: ["x", "y", "z"], priorScale: 1.5), .classes
      ),
      (try network(), .real), (try noiseScale(), .real),
    ]
  }
}
