import Foundation
import NumericsKit
import Posteriors
import Testing

@Suite struct RegressionTests {
  init() { BLAS.prepare() }

  static let theta = [0.3, -1.2, 0.8, 2.0]
  static let classTheta = (0..<12).map { 0.4 * cos(2 + Double($0)) }

  @Test("Prior and likelihood with all constants agree with SciPy's", arguments: Precision.allCases)
  func scipy(precision: Precision) throws {
    let expected = [32.78264789696013, 131.4117067166415, 41.50253899977649]
    let tolerance = precision == .float64 ? 1e-13 : 2e-6
    for ((density, rows), wanted) in zip(try Targets.regressions(), expected) {
      let point = density.dimension == 12 ? Self.classTheta : Self.theta
      let value = density.evaluate(point, rows, precision: precision).value[0]
      #expect(abs(value - wanted) < tolerance * wanted)
    }
  }

  @Test("The logistic log density is finite at logits of ±800, and exact")
  func extremeLogits() throws {
    let model = try Targets.logistic(["x"], scale: 1)
    let rows = TestRows(features: [800, -800, 800, -800], responses: [1, 0, 0, 1], columns: 1)
    for precision in Precision.allCases {
      let workspace = DensityWorkspace()
      var value = [0.0]
      var gradient = [0.0]
      rows.withBlock(precision) {
        model.accumulateRows(
          $0, points: [1], count: 1, value: &value, gradient: &gradient, workspace: workspace)
      }
      // Two rows are certain, two are wrong by 800 nats each.
      #expect(value == [1600])
      #expect(gradient == [1600])
    }
  }

  @Test("Softmax is finite at logits of ±800")
  func extremeClassLogits() throws {
    let model = try SoftmaxRegression(
      columnNames: ["x"], classNames: ["a", "b", "c"], priors: CoefficientPriors(.normal(scale: 1)))
    let rows = TestRows(features: [1, 1], responses: [0, 2], columns: 1)
    let workspace = DensityWorkspace()
    var value = [0.0]
    var gradient = [0.0, 0, 0]
    rows.withBlock {
      model.accumulateRows(
        $0, points: [800, 0, -800], count: 1, value: &value, gradient: &gradient, workspace: workspace)
    }
    #expect(value == [1600])
    #expect(abs(gradient[0] - 1) < 1e-15 && abs(gradient[1]) < 1e-15 && gradient[2] == -1)
  }

  @Test("Thousands of rows in many blocks agree with plain loops", arguments: [1, 16, 50, 161])
  func manyRows(samples: Int) throws {
    let columns = 5
    let rows = TestRows(
      features: normals(3001 * columns), responses: (0..<3001).map { Double($0 % 3 == 0 ? 1 : 0) },
      columns: columns)
    let model = try Targets.logistic((1...columns).map { "\($0)" }, scale: 10)
    let points = normals(samples * columns, component: 1)
    let (value, gradient) = model.evaluate(points, rows)
    for s in stride(from: 0, to: samples, by: 7) {
      var expected = 0.5 * Double(columns) * log(2 * Double.pi * 100)
      var slopes = [Double](repeating: 0, count: columns)
      for k in 0..<columns {
        let coefficient = points[s * columns + k]
        expected += coefficient * coefficient / 200
        slopes[k] += coefficient / 100
      }
      for i in 0..<rows.count {
        let z = (0..<columns).reduce(0.0) { $0 + rows.features[i * columns + $1] * points[s * columns + $1] }
        expected += max(z, 0) + log1p(exp(-abs(z))) - rows.responses[i] * z
        let residual = 1 / (1 + exp(-z)) - rows.responses[i]
        for k in 0..<columns { slopes[k] += residual * rows.features[i * columns + k] }
      }
      #expect(abs(value[s] - expected) < 1e-11 * expected)
      for k in 0..<columns { #expect(abs(gradient[s * columns + k] - slopes[k]) < 1e-10) }
    }
  }

  @Test("Single precision data give single precision's digits, in sums of thousands of rows")
  func singlePrecision() throws {
    let rows = 5000
    let models: [any LogDensity] = [
      try Targets.logistic(Targets.names, scale: 2),
      try Targets.linear(Targets.names, scale: 2, noise: 0.5),
      try SoftmaxRegression(
        columnNames: Targets.names, classNames: ["a", "b", "c"], priors: CoefficientPriors(.normal(scale: 2))),
    ]
    let responsesOfRow: [(Int) -> Double] = [{ Double($0 & 1) }, { sin(Double($0)) }, { Double($0 % 3) }]
    for (model, response) in zip(models, responsesOfRow) {
      let responses = (0..<rows).map(response)
      // Features that single precision holds exactly, so that only the arithmetic differs.
      let features = normals(rows * 4).map { Double(Float($0)) }
      let data = TestRows(features: features, responses: responses, columns: 4)
      let points = normals(20 * model.dimension, component: 2)
      let wide = model.evaluate(points, data)
      let single = model.evaluate(points, data, precision: .float32)
      for (a, b) in zip(single.value, wide.value) { #expect(abs(a - b) < 1e-6 * abs(b)) }
      let size = wide.gradient.map { abs($0) }.max() ?? 1
      for (a, b) in zip(single.gradient, wide.gradient) { #expect(abs(a - b) < 2e-6 * size) }
      #expect(single.value != wide.value)
    }
  }

  @Test("Softmax agrees with a plain evaluation, at row counts around the kernel's width")
  func naiveSoftmax() throws {
    let model = try SoftmaxRegression(
      columnNames: ["a", "b"], classNames: ["x", "y", "z", "w"], priors: CoefficientPriors(.normal(scale: 3)))
    for count in [1, 15, 16, 17, 33, 700] {
      let rows = TestRows(
        features: normals(2 * count), responses: (0..<count).map { Double(($0 * 3) % 4) }, columns: 2)
      let theta = normals(8, component: 3)
      let prior = theta.reduce(0) { $0 + $1 * $1 / 18 } + 4 * log(2 * Double.pi * 9)
      var expected = prior
      for i in 0..<count {
        let logits = (0..<4).map { c in
          rows.features[2 * i] * theta[c] + rows.features[2 * i + 1] * theta[4 + c]
        }
        expected += log(logits.reduce(0) { $0 + exp($1) }) - logits[Int(rows.responses[i])]
      }
      #expect(abs(model.value(at: theta, rows) - expected) < 1e-12 * expected)
    }
  }

  @Test("Softmax with two classes is logistic regression in the difference of their coefficients")
  func twoClasses() throws {
    let softmax = try SoftmaxRegression(
      columnNames: Targets.names, classNames: ["no", "yes"], priors: CoefficientPriors(.normal(scale: 1)))
    let logistic = try Targets.logistic(Targets.names, scale: 1)
    #expect(
      softmax.parameterNames == ["a[no]", "a[yes]", "b[no]", "b[yes]", "c[no]", "c[yes]", "d[no]", "d[yes]"])
    let theta = normals(8)
    let difference = (0..<4).map { theta[2 * $0 + 1] - theta[2 * $0] }
    let prior = { (density: any LogDensity, point: [Double]) in density.value(at: point) }
    let ofSoftmax = softmax.value(at: theta, .binary) - prior(softmax, theta)
    let ofLogistic = logistic.value(at: difference, .binary) - prior(logistic, difference)
    #expect(abs(ofSoftmax - ofLogistic) < 1e-12)
  }

  @Test("Sums over parts of the rows add up to the sum over all")
  func additivity() throws {
    let workspace = DensityWorkspace()
    for (density, rows) in try Targets.regressions() {
      let points = normals(4 * density.dimension)
      var parts = [Double](repeating: 0, count: 4)
      var whole = parts
      var partGradient = [Double](repeating: 0, count: points.count)
      var wholeGradient = partGradient
      for range in [0..<5, 5..<6, 6..<23] {
        rows.withBlock(range: range) {
          density.accumulateRows(
            $0, points: points, count: 4, value: &parts, gradient: &partGradient, workspace: workspace)
        }
      }
      rows.withBlock {
        density.accumulateRows(
          $0, points: points, count: 4, value: &whole, gradient: &wholeGradient, workspace: workspace)
      }
      for (a, b) in zip(parts + partGradient, whole + wholeGradient) {
        #expect(abs(a - b) < 1e-12 * max(1, abs(b)))
      }
    }
  }

  @Test("No rows add nothing")
  func noRows() throws {
    for (density, rows) in try Targets.regressions() {
      let points = normals(density.dimension)
      var value = [0.0]
      var gradient = [Double](repeating: 0, count: density.dimension)
      rows.withBlock(range: 0..<0) {
        density.accumulateRows(
          $0, points: points, count: 1, value: &value, gradient: &gradient, workspace: DensityWorkspace())
      }
      #expect(value == [0] && gradient.allSatisfy { $0 == 0 })
    }
  }
}
