import Foundation
import NumericsKit
import Posteriors
import Testing

extension TestRows {
  /// The design of Tests/References/sparse: a quarter of the numbers, an empty row and an empty column.
  static func thin(rows: Int = 40, columns: Int = 12, response: (Int) -> Double) -> TestRows {
    TestRows(
      features: (0..<rows * columns).map { (index: Int) -> Double in
        let (row, column) = (index / columns, index % columns)
        guard (row * 7 + column * 5) % 4 == 0, row != 8, column != 9 else { return 0 }
        return sin(1 + Double(row) * 0.7 + Double(column) * 1.3)
      },
      responses: (0..<rows).map(response), columns: columns)
  }

  /// Calls `body` with the rows in compressed form.
  func withSparseBlock<Result>(
    _ precision: Precision = .float64, range: Range<Int>? = nil, _ body: (RowBlock) -> Result
  ) -> Result {
    let range = range ?? 0..<count
    var (offsets, places, numbers): ([Int64], [Int32], [Double]) = ([0], [], [])
    for row in 0..<count {
      for column in 0..<columns where features[row * columns + column] != 0 {
        places.append(Int32(column))
        numbers.append(features[row * columns + column])
      }
      offsets.append(Int64(places.count))
    }
    let singles = numbers.map { Float($0) }
    return offsets.withUnsafeBufferPointer { offsets in
      places.withUnsafeBufferPointer { places in
        responses.withUnsafeBufferPointer { responses in
          func call(_ bytes: UnsafeRawBufferPointer) -> Result {
            let rows = SparseRows(
              offsets: offsets.baseAddress!, places: places.baseAddress!, numbers: bytes.baseAddress!)
            return body(
              RowBlock(
                sparse: rows, responses: responses.baseAddress!, count: count, columns: columns,
                precision: precision
              ).rows(range))
          }
          return precision == .float64 ? numbers.withUnsafeBytes(call) : singles.withUnsafeBytes(call)
        }
      }
    }
  }
}

@Suite("Sparse rows")
struct SparseRowsTests {
  init() { BLAS.prepare() }

  static let names = (1...12).map { "x\($0)" }

  static func model(_ likelihood: ResponseLikelihood) throws -> GeneralizedLinearModel {
    try GeneralizedLinearModel(
      columnNames: names, likelihood: likelihood, priors: CoefficientPriors(.normal(scale: 1.5)))
  }

  /// V and ∇V at points `[count, d]`, the rows sparse.
  private func evaluate(
    _ density: any LogDensity, _ points: [Double], _ rows: TestRows, _ precision: Precision = .float64,
    workspace: DensityWorkspace = DensityWorkspace()
  ) -> (value: [Double], gradient: [Double]) {
    let count = points.count / density.dimension
    var value = [Double](repeating: 0, count: count)
    var gradient = [Double](repeating: 0, count: points.count)
    density.accumulateBase(
      points: points, count: count, value: &value, gradient: &gradient, workspace: workspace)
    rows.withSparseBlock(precision) {
      density.accumulateRows(
        $0, points: points, count: count, value: &value, gradient: &gradient, workspace: workspace)
    }
    return (value, gradient)
  }

  private func expectNear(_ found: [Double], _ expected: [Double], within tolerance: Double, _ what: String) {
    #expect(found.count == expected.count)
    let size = max(1, expected.map { abs($0) }.max() ?? 0)
    for (a, b) in zip(found, expected) {
      #expect(abs(a - b) <= tolerance * size, "\(what): \(a), not \(b)")
    }
  }

  // Tests/References/sparse/reference.py: SciPy's csr_matrix.
  @Test("logistic and linear densities and gradients are SciPy's")
  func references() throws {
    let point = (0..<12).map { cos(0.5 + 0.9 * Double($0)) }
    let logistic = evaluate(
      try Self.model(.logistic), point, .thin { ($0 * 7 + 3) % 5 < 2 ? 1 : 0 })
    expectNear(logistic.value, [45.137996228978864], within: 1e-14, "logistic")
    expectNear(
      logistic.gradient,
      [
        2.280482427305163, 1.138256532035939, -3.0362971591307337, -1.600446064324346, 1.4889544407959883,
        -1.0749545274397436, -1.793259936059013, 2.180917698985763, -0.18768885824130066,
        -0.30165335436444995, 0.23038552192606337, 2.58895712367404,
      ], within: 1e-14, "logistic")
    let linear = evaluate(
      try Self.model(.gaussian(noise: .known(0.7))), point, .thin { cos(Double($0) * 0.9) })
    expectNear(linear.value, [53.00991263390172], within: 1e-14, "linear")
    expectNear(
      linear.gradient,
      [
        -4.397918344099647, 10.233789371556824, -5.836401445193019, 4.701470467027081, -4.3926981659295095,
        4.838001252138919, 0.587172021308429, -1.5166031348424673, 0.9794073110670801, -0.30165335436444995,
        5.261033921834024, -7.177659713935381,
      ], within: 1e-14, "linear")
  }

  /// Every family that takes sparse rows, with rows of which a quarter is not 0.
  static func families(rows: Int = 40) throws -> [(any LogDensity, TestRows)] {
    let priors = CoefficientPriors(intercept: .normal(scale: 2), coefficients: .horseshoe(scale: 0.5))
    let binary = TestRows.thin(rows: rows) { ($0 * 7 + 3) % 5 < 2 ? 1 : 0 }
    let classes = TestRows.thin(rows: rows) { Double(($0 * 5 + 1) % 3) }
    let real = TestRows.thin(rows: rows) { cos(Double($0) * 0.9) }
    let counts = TestRows.thin(rows: rows) { Double(($0 * 7 + 3) % 11) }
    return [
      (try model(.logistic), binary), (try model(.gaussian(noise: .known(0.7))), real),
      (try model(.gaussian(noise: .halfNormal(scale: 0.9))), real), (try model(.poisson), counts),
      (try model(.negativeBinomial(overdispersion: .halfNormal(scale: 0.9))), counts),
      (try model(.studentT(degrees: 4, noise: .halfNormal(scale: 0.9))), real),
      (
        try GeneralizedLinearModel(
          columnNames: names, hasIntercept: true, likelihood: .logistic, priors: priors), binary
      ),
      (
        try SoftmaxRegression(
          columnNames: names, classNames: ["x", "y", "z"], priors: CoefficientPriors(.normal(scale: 1.5))),
        classes
      ),
      (
        try NeuralNetwork(
          columnNames: names, hidden: [5, 3], activation: .tanh, response: .realWithNoise(priorScale: 0.9),
          priorScale: 1.5), real
      ),
      (
        try NeuralNetwork.relu(columnNames: names, hidden: 4, priorScale: 1.5, noiseScale: 0.7), real
      ),
    ]
  }

  // 1 to 70 samples: parts of one block of 16 vectors, whole ones, several; 2500 rows: several blocks of rows.
  @Test("values and gradients are those of dense rows to rounding", arguments: [40, 2500])
  func dense(rows: Int) throws {
    let workspace = DensityWorkspace()
    for (density, data) in try Self.families(rows: rows) {
      for count in [1, 16, 17, 70] {
        let points = normals(count * density.dimension)
        let expected = density.evaluate(points, data)
        let found = evaluate(density, points, data, workspace: workspace)
        let what = "\(density.parameterNames[0]), d = \(density.dimension), \(count) samples"
        expectNear(found.value, expected.value, within: 1e-12, what)
        expectNear(found.gradient, expected.gradient, within: 1e-12, what)
      }
    }
  }

  @Test("gradients agree with central differences")
  func differences() throws {
    for (density, data) in try Self.families() {
      let point = normals(density.dimension).map { 0.5 * $0 }
      let gradient = evaluate(density, point, data).gradient
      let size = max(1, gradient.map { abs($0) }.max() ?? 0)
      for k in 0..<density.dimension {
        var (ahead, behind) = (point, point)
        ahead[k] += 1e-5
        behind[k] -= 1e-5
        let slope =
          (evaluate(density, ahead, data).value[0] - evaluate(density, behind, data).value[0]) / 2e-5
        #expect(abs(slope - gradient[k]) < 1e-7 * size, "\(density.parameterNames[k])")
      }
    }
  }

  @Test("numbers in single precision are those numbers: products and sums are in double precision")
  func single() throws {
    for (density, data) in try Self.families() {
      var rounded = data
      rounded = TestRows(
        features: data.features.map { Double(Float($0)) }, responses: data.responses, columns: data.columns)
      let points = normals(20 * density.dimension)
      let found = evaluate(density, points, data, .float32)
      let expected = evaluate(density, points, rounded)
      #expect(found.value == expected.value && found.gradient == expected.gradient)
    }
  }

  @Test("a sample's gradient has the same bits beside any others, and a workspace's history leaves no trace")
  func bits() throws {
    let used = DensityWorkspace()
    for (density, data) in try Self.families() {
      let d = density.dimension
      let points = normals(37 * d)
      let all = evaluate(density, points, data)
      for sample in [0, 15, 16, 36] {
        let one = evaluate(
          density, Array(points[sample * d..<(sample + 1) * d]), data, workspace: used)
        #expect(one.gradient == Array(all.gradient[sample * d..<(sample + 1) * d]))
      }
      let again = evaluate(density, points, data, workspace: used)
      #expect(again.value == all.value && again.gradient == all.gradient)
    }
  }

  @Test("what is predicted of rows, also of some of them, is what it is of dense ones")
  func predictions() throws {
    let workspace = DensityWorkspace()
    for (density, data) in try Self.families() {
      let response = try #require(density.predictedResponse)
      let draws = normals(21 * density.dimension).map { 0.3 * $0 }
      let width = response.expectationWidth
      for range in [0..<40, 7..<30] {
        let uniforms = (0..<21 * range.count).map { (Double($0 % 97) + 0.37) / 98 }
        func predict(_ rows: RowBlock) -> [[Double]] {
          var results = [width, 1, 1].map { [Double](repeating: 0, count: 21 * $0 * range.count) }
          density.computeExpectations(
            rows, draws: draws, count: 21, into: &results[0], workspace: workspace)
          density.computeLogLikelihoods(
            rows, draws: draws, count: 21, into: &results[1], workspace: workspace)
          density.computeResponses(
            rows, draws: draws, count: 21, uniforms: uniforms, into: &results[2], workspace: workspace)
          return results
        }
        let found = data.withSparseBlock(range: range, predict)
        let expected = data.withBlock(range: range, predict)
        for (a, b) in zip(found, expected) { expectNear(a, b, within: 1e-11, "\(response)") }
      }
      var (scores, expected) = (PredictiveScores(), PredictiveScores())
      data.withSparseBlock {
        density.accumulateScores($0, draws: draws, count: 21, into: &scores, workspace: workspace)
      }
      data.withBlock {
        density.accumulateScores($0, draws: draws, count: 21, into: &expected, workspace: workspace)
      }
      expectNear(scores.values, expected.values, within: 1e-11, "\(response)")
    }
  }

  @Test("rows made dense are the rows, in both precisions and storages")
  func madeDense() {
    let data = TestRows.thin { Double($0) }
    for precision in Precision.allCases {
      let wanted = data.features[5 * 12..<30 * 12].map {
        precision == .float64 ? $0 : Double(Float($0))
      }
      func write(_ block: RowBlock) -> [Double] {
        var output = [Double](repeating: .nan, count: 25 * 12)
        block.rows(3..<38).writeDense(2..<27, into: &output)
        return output
      }
      #expect(data.withSparseBlock(precision, write) == wanted)
      #expect(data.withBlock(precision, write) == wanted)
    }
  }
}
