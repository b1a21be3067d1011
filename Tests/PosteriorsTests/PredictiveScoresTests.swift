import Foundation
import NumericsKit
import Posteriors
import Testing

@Suite struct PredictiveScoresTests {
  init() { BLAS.prepare() }

  static let draws = [0.3, -1.2, 0.8, 2.0, 1, 0.5, -0.25, 0.1, -0.7, 0.2, 0.9, -1.1]

  private func scores(
    _ density: any LogDensity, _ rows: TestRows, draws: [Double], precision: Precision = .float64
  ) -> PredictiveScores {
    var scores = PredictiveScores()
    rows.withBlock(precision) {
      density.accumulateScores(
        $0, draws: draws, count: draws.count / density.dimension, into: &scores, workspace: DensityWorkspace()
      )
    }
    return scores
  }

  @Test("Predictive scores over three draws agree with SciPy's", arguments: Precision.allCases)
  func scipy(precision: Precision) throws {
    let tolerance = precision == .float64 ? 1e-12 : 1e-5
    let models = try Targets.regressions()
    let logistic = scores(models[0].0, models[0].1, draws: Self.draws, precision: precision)
    #expect(logistic.rows == 23 && logistic.correct == 12 && logistic.squaredError == 0)
    #expect(abs(logistic.logPredictiveDensity + 16.118602623964197) < tolerance)

    let linear = scores(models[1].0, models[1].1, draws: Self.draws, precision: precision)
    #expect(linear.rows == 23 && linear.correct == 0)
    #expect(abs(linear.logPredictiveDensity + 40.66427473562951) < 10 * tolerance)
    #expect(abs(linear.squaredError - 11.904506038196907) < 10 * tolerance)

    let theta = RegressionTests.classTheta
    let reversed = (0..<12).map { (index: Int) -> Double in
      2 * theta[(3 - index / 3) * 3 + index % 3]
    }
    let softmax = scores(
      models[2].0, models[2].1, draws: theta + theta.map { -$0 } + reversed, precision: precision)
    #expect(softmax.rows == 23 && softmax.correct == 11)
    #expect(abs(softmax.logPredictiveDensity + 25.2518254971248) < tolerance)
  }

  @Test("The predictive density averages likelihoods, so one absurd draw costs at most log S")
  func absurdDraw() throws {
    let model = try Targets.logistic(["x"], scale: 1)
    let rows = TestRows(features: [1], responses: [1], columns: 1)
    let result = scores(model, rows, draws: [800, -800])
    #expect(abs(result.logPredictiveDensity + log(2)) < 1e-14)
    let hopeless = scores(model, rows, draws: [-800, -800])
    #expect(hopeless.logPredictiveDensity == -800)
    #expect(hopeless.correct == 0)
  }

  @Test("Thousands of draws over hundreds of rows give the mean of their parts")
  func manyDraws() throws {
    let model = try Targets.logistic(Targets.names, scale: 1)
    let rows = TestRows.fixture(rows: 300) { Double($0 & 1) }
    let draws = normals(2000 * 4)
    let result = scores(model, rows, draws: draws)
    var expected = 0.0
    for i in 0..<300 {
      var sum = 0.0
      for s in 0..<2000 {
        let z = (0..<4).reduce(0.0) { $0 + rows.features[4 * i + $1] * draws[4 * s + $1] }
        sum += 1 / (1 + exp(rows.responses[i] == 1 ? -z : z))
      }
      expected += log(sum / 2000)
    }
    #expect(result.rows == 300)
    #expect(abs(result.logPredictiveDensity - expected) < 1e-10)
  }
}
