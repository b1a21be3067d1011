import Foundation
import NumericsKit
import Posteriors
import Testing

/// The network written out, one row and one unit at a time.
struct PlainNetwork {
  let columns: Int
  let hidden: Int

  /// Inputs of the hidden units for a row.
  func inputs(_ theta: [Double], _ row: ArraySlice<Double>) -> [Double] {
    (0..<hidden).map { h in
      zip(row, theta[(h * columns)..<((h + 1) * columns)]).reduce(theta[hidden * columns + h]) {
        $0 + $1.0 * $1.1
      }
    }
  }

  func output(_ theta: [Double], _ row: ArraySlice<Double>) -> Double {
    let weights = theta[(hidden * (columns + 1))..<(hidden * (columns + 2))]
    return zip(inputs(theta, row), weights).reduce(theta[theta.count - 1]) { $0 + max(0, $1.0) * $1.1 }
  }

  /// −log N(y; f, noise²), added over rows.
  func value(_ theta: [Double], _ rows: TestRows, noise: Double) -> Double {
    (0..<rows.count).reduce(0) { sum, i in
      let error = output(theta, row(i, of: rows)) - rows.responses[i]
      return sum + 0.5 * error * error / (noise * noise) + 0.5 * log(2 * Double.pi * noise * noise)
    }
  }

  func row(_ index: Int, of rows: TestRows) -> ArraySlice<Double> {
    rows.features[(index * columns)..<((index + 1) * columns)]
  }

  /// Distance of the nearest unit's input from its kink.
  func distanceFromKink(_ theta: [Double], _ rows: TestRows) -> Double {
    (0..<rows.count).flatMap { inputs(theta, row($0, of: rows)).map(abs) }.min() ?? .infinity
  }
}

@Suite struct NeuralRegressionTests {
  init() { BLAS.prepare() }

  private func model(columns: Int, hidden: Int, noise: Double = 0.7) throws -> NeuralNetwork {
    try NeuralNetwork.relu(
      columnNames: (1...columns).map { "x\($0)" }, hidden: hidden, priorScale: 2, noiseScale: noise)
  }

  private func rows(_ count: Int, columns: Int) -> TestRows {
    TestRows(
      features: normals(count * columns, component: 5), responses: normals(count, component: 6),
      columns: columns)
  }

  @Test("Parameters are named by unit and column, and laid out W1, b1, w2, b2")
  func names() throws {
    let model = try NeuralNetwork.relu(columnNames: ["a", "b"], hidden: 2, priorScale: 1, noiseScale: 1)
    #expect(
      model.parameterNames == [
        "w1[1,a]", "w1[1,b]", "w1[2,a]", "w1[2,b]", "b1[1]", "b1[2]", "w2[1]", "w2[2]", "b2",
      ])
    #expect(model.dimension == 9 && model.designColumns == 2 && model.hidden == [2])
    let wide = try self.model(columns: 10, hidden: 50)
    #expect(wide.dimension == 601 && wide.parameterNames.count == 601)
    #expect(Set(wide.parameterNames).count == 601 && wide.logNormalizer == nil)
  }

  /// Written by cluster/examples/reference/bnn_reference.py: NumPy, checked there against JAX.
  static let referenceValue = 58.80708016429608
  static let referenceGradient = [
    -0.8468610415328535, 0.4503084750238885, 0.8957228283419921, -0.09790152886718667, 6.703950137527601,
    5.051285995424925, -3.8552717637114435, -7.142073430073562, -3.8975421156851007, -2.096222791600067,
    2.7769263901203365, 3.7455741583410713, -2.610571208247686, 7.965119231609189, 4.014823056891842,
    5.937916733337954, 15.71921022495444, 4.433694621469964, 23.341540148386777,
  ]

  @Test("Value and gradient agree with NumPy's and JAX's")
  func reference() throws {
    let theta = (0..<19).map { 0.8 * cos(2 + Double($0)) }
    let (value, gradient) = try Targets.network().evaluate(theta, .real)
    #expect(abs(value[0] - Self.referenceValue) < 1e-14 * Self.referenceValue)
    for (a, b) in zip(gradient, Self.referenceGradient) { #expect(abs(a - b) < 1e-13 * 24) }
  }

  @Test(
    "Gradients agree with central differences away from kinks",
    arguments: [[1, 1, 5], [3, 7, 17], [4, 50, 23], [10, 5, 100], [13, 33, 40], [2, 2, 1]])
  func gradients(sizes: [Int]) throws {
    let (columns, hidden) = (sizes[0], sizes[1])
    let model = try model(columns: columns, hidden: hidden)
    let rows = rows(sizes[2], columns: columns)
    let plain = PlainNetwork(columns: columns, hidden: hidden)
    var compared = 0
    for trial in 0..<20 where compared < 3 {
      let point = normals(model.dimension, component: trial)
      guard plain.distanceFromKink(point, rows) > 5e-5 else { continue }
      #expect(model.gradientError(at: point, rows) < 2e-8, "\(sizes), trial \(trial)")
      compared += 1
    }
    #expect(compared == 3)
  }

  @Test(
    "Values agree with the network written out, over one block of rows and over many",
    arguments: [1, 15, 16, 17, 513, 3001])
  func values(count: Int) throws {
    for (columns, hidden) in [(1, 1), (5, 3), (10, 50)] {
      let model = try model(columns: columns, hidden: hidden)
      let rows = rows(count, columns: columns)
      let points = normals(3 * model.dimension, component: 7)
      let (value, _) = model.evaluate(points, rows)
      for s in 0..<3 {
        let theta = Array(points[(s * model.dimension)..<((s + 1) * model.dimension)])
        let prior =
          theta.reduce(0) { $0 + $1 * $1 / 8 } + 0.5 * Double(theta.count) * log(2 * Double.pi * 4)
        let expected =
          prior + PlainNetwork(columns: columns, hidden: hidden).value(theta, rows, noise: 0.7)
        #expect(abs(value[s] - expected) < 1e-12 * expected)
      }
    }
  }

  @Test("One unit that is always on is linear regression")
  func alwaysOn() throws {
    let network = try model(columns: 4, hidden: 1)
    let linear = try Targets.linear(Targets.names, scale: 2, noise: 0.7)
    let slopes = normals(4)
    let theta = slopes + [64, 1, -64]
    let workspace = DensityWorkspace()
    func likelihood(_ density: any LogDensity, _ point: [Double]) -> (Double, [Double]) {
      var value = [0.0]
      var gradient = [Double](repeating: 0, count: point.count)
      rows(700, columns: 4).withBlock {
        density.accumulateRows(
          $0, points: point, count: 1, value: &value, gradient: &gradient, workspace: workspace)
      }
      return (value[0], gradient)
    }
    let (value, gradient) = likelihood(network, theta)
    let (expected, slopeGradient) = likelihood(linear, slopes)
    #expect(abs(value - expected) < 1e-12 * expected)
    for (a, b) in zip(gradient, slopeGradient) { #expect(abs(a - b) < 1e-9) }
    #expect(abs(gradient[4] - gradient[6]) < 1e-10, "both biases move the output alike")
  }

  @Test("A unit that is always off leaves the output's bias, and has no gradient")
  func alwaysOff() throws {
    let model = try model(columns: 2, hidden: 1, noise: 1)
    let rows = rows(40, columns: 2)
    var value = [0.0]
    var gradient = [Double](repeating: 0, count: 5)
    rows.withBlock {
      model.accumulateRows(
        $0, points: [1, 1, -100, 3, 0.25], count: 1, value: &value, gradient: &gradient,
        workspace: DensityWorkspace())
    }
    let pull = rows.responses.reduce(0) { $0 + 0.25 - $1 }
    #expect(gradient[0..<4].allSatisfy { $0 == 0 } && abs(gradient[4] - pull) < 1e-12)
  }

  @Test("Sums over differently cut rows agree to rounding")
  func cuts() throws {
    let model = try model(columns: 10, hidden: 50)
    let rows = rows(1500, columns: 10)
    let points = normals(2 * model.dimension)
    func sums(_ ranges: [Range<Int>]) -> [Double] {
      var value = [0.0, 0]
      var gradient = [Double](repeating: 0, count: points.count)
      for range in ranges {
        rows.withBlock(range: range) {
          model.accumulateRows(
            $0, points: points, count: 2, value: &value, gradient: &gradient, workspace: DensityWorkspace())
        }
      }
      return value + gradient
    }
    let whole = sums([0..<1500])
    let size = whole.map { abs($0) }.max() ?? 1
    for ranges in [
      [0..<1, 1..<1500], [0..<512, 512..<1024, 1024..<1500], [0..<333, 333..<1499, 1499..<1500],
    ] {
      for (a, b) in zip(sums(ranges), whole) { #expect(abs(a - b) < 1e-14 * size) }
    }
  }

  @Test("Single precision designs are evaluated in double precision")
  func singlePrecision() throws {
    let model = try model(columns: 3, hidden: 5)
    let rows = TestRows(
      features: normals(1300 * 3).map { Double(Float($0)) }, responses: normals(1300, component: 1),
      columns: 3)
    let points = normals(2 * model.dimension)
    let wide = model.evaluate(points, rows)
    let single = model.evaluate(points, rows, precision: .float32)
    #expect(single.value == wide.value && single.gradient == wide.gradient)
  }

  @Test("Predictive scores are those of the average likelihood and of the mean prediction")
  func scores() throws {
    let model = try model(columns: 3, hidden: 4)
    let plain = PlainNetwork(columns: 3, hidden: 4)
    let rows = rows(600, columns: 3)
    let draws = (0..<7).map { normals(model.dimension, component: 20 + $0) }
    var scores = PredictiveScores()
    rows.withBlock {
      model.accumulateScores(
        $0, draws: draws.flatMap { $0 }, count: 7, into: &scores, workspace: DensityWorkspace())
    }
    var density = 0.0
    var squares = 0.0
    for i in 0..<rows.count {
      let errors = draws.map { plain.output($0, plain.row(i, of: rows)) - rows.responses[i] }
      density +=
        log(errors.reduce(0) { $0 + exp(-0.5 * $1 * $1 / 0.49) } / 7) - 0.5 * log(2 * Double.pi * 0.49)
      squares += pow(errors.reduce(0, +) / 7, 2)
    }
    #expect(scores.rows == 600 && scores.correct == 0)
    #expect(abs(scores.logPredictiveDensity - density) < 1e-10 * abs(density))
    #expect(abs(scores.squaredError - squares) < 1e-11 * squares)
  }

  @Test("A parameter that is not a number shows in the value")
  func notANumber() throws {
    let model = try model(columns: 2, hidden: 3)
    for index in [0, 6, 9, 12] {
      var point = normals(model.dimension)
      point[index] = .nan
      #expect(model.evaluate(point, rows(20, columns: 2)).value[0].isNaN)
    }
  }
}
