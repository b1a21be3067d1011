import Posteriors
import Testing

@Suite struct PosteriorErrorTests {
  private func error(_ make: () throws -> any LogDensity) -> PosteriorError? {
    #expect(throws: PosteriorError.self) { _ = try make() }
  }

  @Test("A covariance that is not positive definite names its component")
  func indefiniteCovariance() {
    let error = error {
      try GaussianMixtureDensity(
        weights: [1, 1], means: [[0, 0], [1, 1]],
        covariances: [[[1, 0], [0, 1]], [[1, 2], [2, 1]]])
    }
    #expect(error?.code == .covariance)
    #expect(error?.message == "covariance of component 2 is not positive definite")
  }

  @Test("A covariance that is not symmetric names the entries")
  func asymmetricCovariance() {
    let error = error { try GaussianDensity(mean: [0, 0], covariance: [[1, 0.5], [0.4, 1]]) }
    #expect(error?.code == .covariance)
    #expect(error?.message.contains("row 2, column 1 is 0.4") == true)
  }

  @Test("Shapes that don't fit, scales that aren't positive and numbers that aren't finite are refused")
  func refusals() {
    #expect(error { try GaussianDensity(mean: [], covariance: []) }?.code == .shape)
    #expect(error { try GaussianDensity(mean: [0], covariance: [[1, 0]]) }?.code == .shape)
    #expect(error { try GaussianDensity(mean: [.nan], covariance: [[1]]) }?.code == .range)
    #expect(
      error { try GaussianMixtureDensity(weights: [0], means: [[0]], covariances: [[[1]]]) }?.code == .range)
    #expect(error { try FunnelDensity(variance: -1) }?.code == .range)
    #expect(error { try SinhArcsinhDensity(covariance: [[1]], skew: [0], tail: [0]) }?.code == .range)
    #expect(error { try SinhArcsinhDensity(covariance: [[1]], skew: [0], tail: [1, 1]) }?.code == .shape)
    #expect(error { try LogisticRegression(columnNames: [], priorScale: 1) }?.code == .shape)
    #expect(error { try LogisticRegression(columnNames: ["x"], priorScale: 0) }?.code == .range)
    #expect(
      error { try LinearRegression(columnNames: ["x"], priorScale: 1, noiseScale: .infinity) }?.code == .range
    )
    #expect(
      error { try NeuralRegression(columnNames: ["x"], hidden: 0, priorScale: 1, noiseScale: 1) }?.code
        == .shape
    )
    #expect(
      error { try NeuralRegression(columnNames: [], hidden: 1, priorScale: 1, noiseScale: 1) }?.code == .shape
    )
    #expect(
      error { try NeuralRegression(columnNames: ["x"], hidden: 1, priorScale: 1, noiseScale: 0) }?.code
        == .range
    )
    let noiseScale = { (names: [String], scale: Double, noise: Double) in
      error { try NoiseScaleRegression(columnNames: names, priorScale: scale, noisePriorScale: noise) }
    }
    #expect(noiseScale([], 1, 1)?.code == .shape)
    #expect(noiseScale(["x"], -1, 1)?.message == "the prior's scale must be a positive number, not -1.0")
    #expect(
      noiseScale(["x"], 1, 0)?.message == "the scale of the noise's prior must be a positive number, not 0.0")
    #expect(noiseScale(["x", "log_noise"], 1, 1)?.message.contains("rename the column") == true)
    #expect(
      error { try SoftmaxRegression(columnNames: ["x"], classNames: ["a"], priorScale: 1) }?.code == .shape)
  }
}
