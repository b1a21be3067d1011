import Foundation
import NumericsKit
import Posteriors

/// Rows of data that tests own.
struct TestRows {
  let features: [Double]
  let responses: [Double]
  let columns: Int
  /// Row-major `[rows, groups]`.
  var levels: [Int32] = []
  var count: Int { responses.count }
  var groups: Int { levels.count / max(1, count) }

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
  static let counts = fixture { Double(($0 * 7 + 3) % 11) }

  /// The same rows, each with its levels.
  func grouped(_ levels: [Int32]) -> TestRows {
    var rows = self
    rows.levels = levels
    return rows
  }

  func withBlock<Result>(
    _ precision: Precision = .float64, range: Range<Int>? = nil, _ body: (RowBlock) -> Result
  ) -> Result {
    let range = range ?? 0..<count
    let singles = features.map { Float($0) }
    return responses.withUnsafeBufferPointer { responses in
      levels.withUnsafeBufferPointer { levels in
        func call(_ bytes: UnsafeRawBufferPointer) -> Result {
          body(
            RowBlock(
              features: bytes.baseAddress! + range.lowerBound * columns * precision.byteCount,
              responses: responses.baseAddress! + range.lowerBound, count: range.count, columns: columns,
              precision: precision,
              levels: levels.isEmpty ? nil : levels.baseAddress! + range.lowerBound * groups, groups: groups))
        }
        return precision == .float64 ? features.withUnsafeBytes(call) : singles.withUnsafeBytes(call)
      }
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

extension NeuralNetwork {
  /// Regression by one hidden layer of rectified linear units, with known noise.
  static func relu(columnNames: [String], hidden: Int, priorScale: Double, noiseScale: Double) throws
    -> NeuralNetwork
  {
    try NeuralNetwork(
      columnNames: columnNames, hidden: [hidden], activation: .relu, response: .real(noise: noiseScale),
      priorScale: priorScale)
  }
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

  static func banana() throws -> BananaDensity { try BananaDensity(variance: 4, curvature: 0.5) }

  static func studentMixture() throws -> StudentMixtureDensity {
    try StudentMixtureDensity(
      weights: [0.3, 0.7], means: [[1, -2], [-0.5, 0.75]],
      scales: [[[2, 0.6], [0.6, 1]], [[0.5, -0.3], [-0.3, 1.5]]], degrees: [3, 7.5])
  }

  static func analytic() throws -> [any LogDensity] {
    [
      try GaussianDensity(
        mean: [1, 2, -1], covariance: [[2, 0.5, 0.1], [0.5, 1, -0.3], [0.1, -0.3, 0.7]]), try mixture(),
      try FunnelDensity(), try FunnelDensity(variance: 9), try FunnelDensity(variance: 2, dimension: 5),
      try sinhArcsinh(), try banana(), try BananaDensity(variance: 3, curvature: -0.3, dimension: 4),
      try studentMixture(),
    ]
  }

  static let names = ["a", "b", "c", "d"]

  static func network() throws -> NeuralNetwork {
    try NeuralNetwork.relu(columnNames: names, hidden: 3, priorScale: 1.5, noiseScale: 0.7)
  }

  static func deep(
    _ activation: NetworkActivation, _ response: NetworkResponse, hidden: [Int] = [5, 3]
  ) throws -> NeuralNetwork {
    try NeuralNetwork(
      columnNames: names, hidden: hidden, activation: activation, response: response, priorScale: 1.5)
  }

  static func logistic(_ names: [String], scale: Double) throws -> GeneralizedLinearModel {
    try GeneralizedLinearModel(
      columnNames: names, likelihood: .logistic, priors: CoefficientPriors(.normal(scale: scale)))
  }

  static func linear(_ names: [String], scale: Double, noise: Double) throws -> GeneralizedLinearModel {
    try GeneralizedLinearModel(
      columnNames: names, likelihood: .gaussian(noise: .known(noise)),
      priors: CoefficientPriors(.normal(scale: scale)))
  }

  static func fittedNoise(_ names: [String], scale: Double, noise: Double) throws -> GeneralizedLinearModel {
    try GeneralizedLinearModel(
      columnNames: names, likelihood: .gaussian(noise: .halfNormal(scale: noise)),
      priors: CoefficientPriors(.normal(scale: scale)))
  }

  static func noiseScale() throws -> GeneralizedLinearModel {
    try Targets.fittedNoise(names, scale: 1.5, noise: 0.9)
  }

  static func regressions() throws -> [(any LogDensity, TestRows)] {
    [
      (try Targets.logistic(names, scale: 1.5), .binary),
      (try Targets.linear(names, scale: 1.5, noise: 0.7), .real),
      (
        try SoftmaxRegression(
          columnNames: names, classNames: ["x", "y", "z"], priors: CoefficientPriors(.normal(scale: 1.5))),
        .classes
      ),
      (try network(), .real), (try noiseScale(), .real), (try deep(.tanh, .real(noise: 0.7)), .real),
      (try deep(.tanh, .realWithNoise(priorScale: 0.9)), .real),
      (try deep(.tanh, .classes(["x", "y"])), .binary),
      (try deep(.tanh, .classes(["x", "y", "z"])), .classes),
    ]
  }
}
