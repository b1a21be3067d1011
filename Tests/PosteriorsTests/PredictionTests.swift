import CKernels
import Foundation
import NumericsKit
import Posteriors
import Testing

@Suite("What regressions predict of rows")
struct PredictionTests {
  init() { BLAS.prepare() }

  /// The three predictions of rows under draws.
  private func predict(_ model: any LogDensity, _ rows: TestRows, _ draws: [Double], uniforms: [Double]) -> (
    logLikelihoods: [Double], expectations: [Double], responses: [Double]
  ) {
    let count = draws.count / model.dimension
    let width = model.predictedResponse?.expectationWidth ?? 0
    var logLikelihoods = [Double](repeating: .nan, count: count * rows.count)
    var expectations = [Double](repeating: .nan, count: count * rows.count * width)
    var responses = logLikelihoods
    let workspace = DensityWorkspace()
    rows.withBlock {
      model.computeLogLikelihoods($0, draws: draws, count: count, into: &logLikelihoods, workspace: workspace)
      model.computeExpectations($0, draws: draws, count: count, into: &expectations, workspace: workspace)
      model.computeResponses(
        $0, draws: draws, count: count, uniforms: uniforms, into: &responses, workspace: workspace)
    }
    return (logLikelihoods, expectations, responses)
  }

  @Test("Log likelihoods of rows add up to the rows' part of −V")
  func logLikelihoods() throws {
    for (model, rows) in try Families.all() + Targets.regressions() {
      guard model.predictedResponse != nil else { continue }
      let draws = normals(3 * model.dimension).map { 0.5 * $0 }
      let uniforms = [Double](repeating: 0.5, count: 3 * rows.count)
      let found = predict(model, rows, draws, uniforms: uniforms)
      let whole = model.evaluate(draws, rows).value
      let base = model.evaluate(draws).value
      for s in 0..<3 {
        let sum = found.logLikelihoods[s * rows.count..<(s + 1) * rows.count].reduce(0, +)
        #expect(abs(sum + whole[s] - base[s]) < 1e-11 * abs(whole[s]), "\(model.parameterNames)")
      }
    }
  }

  @Test("Mean responses over evenly spaced uniforms are the expectations")
  func responses() throws {
    // Midpoints of 2000 intervals: a quadrature of the quantile function.
    let levels = 2000
    for (model, fixture) in try Families.all() {
      let row = TestRows(
        features: Array(fixture.features[0..<4]), responses: [fixture.responses[0]], columns: 4,
        levels: Array(fixture.levels.prefix(fixture.groups)))
      let draw = normals(model.dimension, component: 5).map { 0.3 * $0 }
      let draws = (0..<levels).flatMap { _ in draw }
      let uniforms = (0..<levels).map { (Double($0) + 0.5) / Double(levels) }
      let found = predict(model, row, draws, uniforms: uniforms)
      guard case .classes(let names) = try #require(model.predictedResponse) else {
        let mean = found.responses.reduce(0, +) / Double(levels)
        // Student's t loses some of its tails.
        #expect(abs(mean - found.expectations[0]) < 0.01 * max(1, abs(mean)), "\(model.parameterNames)")
        continue
      }
      let width = names.count == 2 ? 1 : names.count
      for c in 0..<width {
        let wanted = width == 1 ? 1.0 : Double(c)
        let share = Double(found.responses.filter { $0 == wanted }.count) / Double(levels)
        #expect(abs(share - found.expectations[c]) < 1e-3)
      }
    }
  }

  @Test("Outputs are coefficients, effects and scales")
  func outputs() throws {
    let model = try Families.model(
      .studentT(degrees: 3, noise: .halfNormal(scale: 1)), Families.priors[3], groups: [Families.groups[1]])
    #expect(
      model.outputVariables.flatMap(\.columnNames) == [
        "intercept", "b", "c", "d", "local_scale[b]", "local_scale[c]", "local_scale[d]", "global_scale",
        "effect_h[1]", "effect_h[2]", "effect_h[3]", "scale_h", "noise",
      ])
    #expect(
      model.outputVariables.map(\.name) == [
        "intercept", "coefficients", "local_scale", "global_scale", "effect_h", "scale_h", "noise",
      ])
    let scales: [Double] = [2, 0.5, 1, 3, 4, 0.25]
    let logs: [Double] = scales.map { VectorMath.logarithm($0) }
    var point: [Double] = [0.5, 1, -2, 3]
    point += logs[0..<4]
    point += [1, -1, 0.5] as [Double]
    point += logs[4...]
    var output = [Double](repeating: .nan, count: model.outputCount)
    try model.computeOutputs(points: point, count: 1, into: &output, workspace: DensityWorkspace())
    let expected = [0.5, 6, -3, 9, 2, 0.5, 1, 3, 4, -4, 2, 4, 0.25]
    for (a, b) in zip(output, expected) { #expect(abs(a - b) < 1e-12) }
    #expect(output.count == expected.count)
    let softmax = try SoftmaxRegression(
      columnNames: ["intercept", "a"], hasIntercept: true, classNames: ["x", "y"], priors: Families.priors[0])
    #expect(
      softmax.outputVariables.flatMap(\.columnNames) == ["intercept[x]", "intercept[y]", "a[x]", "a[y]"])
  }

  // scipy.stats: t.ppf(p, ν)
  @Test("Student-t quantiles are SciPy's")
  func studentQuantiles() {
    let known = [
      (1e-10, 0.5, -1.02849115632e+19), (0.001, 1, -318.308838986), (0.7, 2, 0.617213399848),
      (0.99, 4, 3.74694738798), (0.4999, 30, -0.000252760025393), (0.001, 1000, -3.09840216391),
    ]
    for (p, degrees, expected) in known {
      #expect(abs(isomix_student_quantile(p, degrees) - expected) < 1e-10 * abs(expected), "\(p), \(degrees)")
    }
    #expect(isomix_student_quantile(0.5, 3) == 0)
    #expect(isomix_student_quantile(0.25, 3) == -isomix_student_quantile(0.75, 3))
  }

  // scipy.stats: t.cdf(t, ν)
  @Test("Student's t distribution function is SciPy's")
  func studentDistribution() {
    let known: [(Double, [Double])] = [
      (
        0.5,
        [
          0.050704899964747176, 0.2004852645266466, 0.49973032383424376, 0.6572996687396166,
          0.907469739465399,
        ]
      ),
      (
        1,
        [
          0.007956089912025812, 0.12111894159084341, 0.49968169021990794, 0.6944001122142147,
          0.9735353239404101,
        ]
      ),
      (
        4,
        [
          1.1670081613006339e-06, 0.03338327240599407, 0.499625000078125, 0.7387499172032749,
          0.9998617857257485,
        ]
      ),
      (
        30,
        [
          6.863022597203209e-28, 0.009057824534033344, 0.49960436788324253, 0.7553397782501642,
          0.999999999999721,
        ]
      ),
    ]
    for (degrees, probabilities) in known {
      for (place, expected) in zip([-40, -2.5, -1e-3, 0.7, 12] as [Double], probabilities) {
        let found = isomix_student_distribution(place, degrees)
        #expect(abs(found - expected) < 1e-12 * expected, "\(place), \(degrees)")
      }
    }
    #expect(isomix_student_distribution(0, 3) == 0.5)
  }

  /// Bits of a row's quantiles, densities and probabilities don't depend on where it stands.
  @Test("Kernels of predictions treat every row alone")
  func rowsAlone() {
    let (rows, terms) = (37, 2)
    let deviates = normals(2 * terms * rows)
    let centers = (0..<terms * rows).map { 0.1 * deviates[$0] }
    let deviations = (0..<terms * rows).map { 0.05 + 0.02 * abs(deviates[terms * rows + $0]) }
    let shares = [0.25, 0.75]
    let order = Int(ISOMIX_EXPANSION_ORDER)
    let coefficients = normals(terms * order * (order + 1) / 2).map { 0.01 * $0 }
    let bases = (0...order).map { $0 == 1 ? 0.4 : 0.001 }
    func take(_ matrix: [Double], _ row: Int, height: Int) -> [Double] {
      (0..<height).map { matrix[$0 * rows + row] }
    }
    func quantiles(_ centers: [Double], _ deviations: [Double], _ rows: Int) -> [Double] {
      var output = [Double](repeating: .nan, count: rows)
      var scratch = [Double](repeating: 0, count: 16 * (order + 2) * terms)
      isomix_expanded_quantiles(
        centers, deviations, shares, terms, rows, 1, coefficients, bases, [0.3], 1, &scratch, &output)
      return output
    }
    func densities(_ centers: [Double], _ deviations: [Double], _ responses: [Double]) -> [Double] {
      let rows = responses.count
      var logs = [Double](repeating: .nan, count: terms * rows)
      var errors = [Double](repeating: .nan, count: rows)
      isomix_spread_student_log_likelihood(
        centers, deviations, responses, [0.5, 0.7], [-1, -0.5], 4, terms, rows, &logs, &errors)
      return logs + errors
    }
    let responses = Array(deviates.prefix(rows))
    let all = quantiles(centers, deviations, rows)
    let allDensities = densities(centers, deviations, responses)
    for row in 0..<rows {
      let own = (take(centers, row, height: terms), take(deviations, row, height: terms))
      #expect(quantiles(own.0, own.1, 1) == [all[row]] && all[row].isFinite)
      #expect(densities(own.0, own.1, [responses[row]]) == take(allDensities, row, height: terms + 1))
    }
  }

  // scipy.stats: poisson.ppf(p, μ) and nbinom.ppf(p, 1/α, 1/(1 + αμ))
  @Test("Count quantiles are SciPy's, and bounded in work for any mean")
  func countQuantiles() {
    let probabilities = [1e-6, 0.01, 0.3, 0.5, 0.9, 0.999]
    let known: [(Double, Double, [Double])] = [
      (0.7, 0, [0, 0, 0, 1, 2, 4]), (5, 0.1, [0, 0, 3, 5, 9, 16]), (80, 0, [41, 60, 75, 80, 92, 109]),
      (80, 1, [0, 0, 28, 55, 185, 556]),
      (1500, 1e-4, [1307, 1404, 1478, 1500, 1553, 1630]), (3000, 0, [2743, 2873, 2971, 3000, 3070, 3171]),
    ]
    for (mean, overdispersion, expected) in known {
      #expect(probabilities.map { isomix_count_quantile($0, mean, overdispersion) } == expected)
    }
    #expect(isomix_count_quantile(0.5, 0, 1) == 0)
    #expect(isomix_count_quantile(0.5, .infinity, 1) <= 0x1p53)
    for mean in [1e-300, 1e10, 1e80, .infinity] {
      for overdispersion in [0, 1e-9, 1, 1e6] {
        let low = isomix_count_quantile(0.1, mean, overdispersion)
        #expect(low >= 0 && low <= isomix_count_quantile(0.9, mean, overdispersion))
      }
    }
  }

  // scipy.special: gammaln and digamma
  @Test("log Γ and digamma are SciPy's")
  func gamma() {
    let input = [0.001, 0.1, 1.5, 9.999, 10, 50, 1e8]
    let logs = [
      6.907178885383853, 2.252712651734206, -0.12078223763524526, 12.799575780077413, 12.801827480081469,
      144.56574394634487, 1742068066.1038349,
    ]
    let slopes = [
      -1000.5755719318103, -10.423754940411076, 0.03648997397857652, 2.251647417205735, 2.251752589066721,
      3.9019896734278925, 18.420680738952367,
    ]
    var output = input
    isomix_log_gamma(input, &output, input.count)
    for (a, b) in zip(output, logs) { #expect(abs(a - b) < 1e-14 * max(1, abs(b))) }
    isomix_digamma(input, &output, input.count)
    for (a, b) in zip(output, slopes) { #expect(abs(a - b) < 1e-15 * max(1, abs(b)) * 2) }
  }
}
