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
    #expect(error { try FunnelDensity(dimension: 1) }?.message == "a funnel has at least 2 dimensions, not 1")
    #expect(error { try BananaDensity(variance: 0) }?.code == .range)
    #expect(error { try BananaDensity(curvature: .infinity) }?.code == .range)
    #expect(error { try BananaDensity(dimension: 0) }?.code == .shape)
    let student = { (weight: Double, scale: [[Double]], degrees: [Double]) in
      error {
        try StudentMixtureDensity(weights: [weight], means: [[0, 0]], scales: [scale], degrees: degrees)
      }
    }
    #expect(student(1, [[1, 0], [0, 1]], [0])?.message.contains("degrees of component 1") == true)
    #expect(student(1, [[1, 2], [2, 1]], [3])?.message == "scale of component 1 is not positive definite")
    #expect(student(-1, [[1, 0], [0, 1]], [3])?.code == .range)
    #expect(student(1, [[1, 0], [0, 1]], [3, 4])?.code == .shape)
    #expect(error { try SinhArcsinhDensity(covariance: [[1]], skew: [0], tail: [0]) }?.code == .range)
    #expect(error { try SinhArcsinhDensity(covariance: [[1]], skew: [0], tail: [1, 1]) }?.code == .shape)
    #expect(error { try Targets.logistic([], scale: 1) }?.code == .shape)
    #expect(error { try Targets.logistic(["x"], scale: 0) }?.code == .range)
    #expect(
      error { try Targets.linear(["x"], scale: 1, noise: .infinity) }?.code == .range
    )
    #expect(
      error { try NeuralNetwork.relu(columnNames: ["x"], hidden: 0, priorScale: 1, noiseScale: 1) }?.code
        == .shape
    )
    #expect(
      error { try NeuralNetwork.relu(columnNames: [], hidden: 1, priorScale: 1, noiseScale: 1) }?.code
        == .shape
    )
    #expect(
      error { try NeuralNetwork.relu(columnNames: ["x"], hidden: 1, priorScale: 1, noiseScale: 0) }?.code
        == .range
    )
    let network = { (hidden: [Int], response: NetworkResponse, scale: Double) in
      error {
        try NeuralNetwork(
          columnNames: ["x"], hidden: hidden, activation: .tanh, response: response, priorScale: scale)
      }
    }
    #expect(network([], .real(noise: 1), 1)?.message == "a network needs at least one hidden layer")
    #expect(network([3, 0, 2], .real(noise: 1), 1)?.message.contains("not 0 (layer 2)") == true)
    #expect(network([3], .realWithNoise(priorScale: 0), 1)?.code == .range)
    #expect(network([3], .classes(["only"]), 1)?.message.contains("two classes, not 1") == true)
    #expect(network([3], .classes(["a", "b"]), .nan)?.code == .range)
    let noiseScale = { (names: [String], scale: Double, noise: Double) in
      error { try Targets.fittedNoise(names, scale: scale, noise: noise) }
    }
    #expect(noiseScale([], 1, 1)?.code == .shape)
    #expect(noiseScale(["x"], -1, 1)?.message == "the prior's scale must be a positive number, not -1.0")
    #expect(
      noiseScale(["x"], 1, 0)?.message == "the scale of the noise's prior must be a positive number, not 0.0")
    #expect(noiseScale(["x", "log_noise"], 1, 1)?.message.contains("rename the column") == true)
    #expect(
      error {
        try SoftmaxRegression(
          columnNames: ["x"], classNames: ["a"], priors: CoefficientPriors(.normal(scale: 1)))
      }?.code == .shape)
  }
}
