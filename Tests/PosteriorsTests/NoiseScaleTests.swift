import Foundation
import NumericsKit
import Posteriors
import Testing

@Suite("Linear regression with an unknown noise scale")
struct NoiseScaleTests {
  init() { BLAS.prepare() }

  private static let theta = [0.3, -1.2, 0.8, 2.0, -0.4]

  @Test("Parameters are the columns and then log_noise; the design has the columns alone")
  func names() throws {
    let model = try Targets.noiseScale()
    #expect(model.parameterNames == ["a", "b", "c", "d", "log_noise"])
    #expect(model.dimension == 5 && model.designColumns == 4 && model.logNormalizer == nil)
  }

  @Test(
    "Priors, Jacobian and likelihood with all constants agree with SciPy's", arguments: Precision.allCases)
  func scipy(precision: Precision) throws {
    let value = try Targets.noiseScale().evaluate(Self.theta, .real, precision: precision).value[0]
    #expect(abs(value - 141.33359625445627) < (precision == .float64 ? 1e-13 : 2e-6) * value)
  }

  @Test(
    "Value and gradient are the closed form's, over few rows and over many blocks", arguments: [1, 17, 3001])
  func closedForm(count: Int) throws {
    let rows = TestRows(
      features: normals(2 * count, component: 5), responses: normals(count, component: 6), columns: 2)
    let (tau, scale) = (1.7, 2.5)
    let model = try Targets.fittedNoise(["a", "b"], scale: tau, noise: scale)
    let points = normals(7 * 3, component: 8)
    let (values, gradients) = model.evaluate(points, rows)
    for s in 0..<7 {
      let (a, b, logSigma) = (points[3 * s], points[3 * s + 1], points[3 * s + 2])
      let sigma = exp(logSigma)
      let (n, ratio) = (Double(count), sigma * sigma / (scale * scale))
      var value =
        (a * a + b * b) / (2 * tau * tau) + log(2 * .pi * tau * tau) + ratio / 2 - logSigma
        - log(sqrt(2 / .pi) / scale) + n * logSigma + n / 2 * log(2 * .pi)
      var gradient = [a / (tau * tau), b / (tau * tau), ratio - 1 + n]
      for i in 0..<count {
        let (x, z) = (rows.features[2 * i], rows.features[2 * i + 1])
        let scaled = (a * x + b * z - rows.responses[i]) / sigma
        value += scaled * scaled / 2
        gradient[0] += scaled / sigma * x
        gradient[1] += scaled / sigma * z
        gradient[2] -= scaled * scaled
      }
      let size = gradient.map { abs($0) }.max() ?? 1
      #expect(abs(values[s] - value) < 1e-12 * max(1, abs(value)))
      for k in 0..<3 { #expect(abs(gradients[3 * s + k] - gradient[k]) < 1e-12 * max(1, size)) }
    }
  }

  @Test("With σ fixed it is linear regression with that noise, beside the prior of log σ")
  func fixedNoise() throws {
    let model = try Targets.noiseScale()
    let linear = try Targets.linear(Targets.names, scale: 1.5, noise: exp(-0.4))
    let (value, gradient) = model.evaluate(Self.theta, .real)
    let (expected, slopes) = linear.evaluate(Array(Self.theta[0..<4]), .real)
    let sigma = exp(-0.4)
    let prior = sigma * sigma / (2 * 0.81) + 0.4 - log(sqrt(2 / .pi) / 0.9)
    #expect(abs(value[0] - expected[0] - prior) < 1e-12 * value[0])
    for (a, b) in zip(gradient, slopes) { #expect(abs(a - b) < 1e-12 * max(1, abs(b))) }
  }

  @Test("Integrated over log σ, the prior's density is one")
  func normalised() throws {
    let model = try Targets.fittedNoise(["a"], scale: 2, noise: 3)
    let step = 0.01
    let total = (-3000...600).reduce(0.0) { $0 + exp(-model.value(at: [0, Double($1) * step])) * step }
    // The coefficient's prior at 0 is what remains.
    #expect(abs(total * sqrt(2 * .pi) * 2 - 1) < 1e-10)
  }

  @Test("A noise scale far from all rows leaves finite numbers")
  func extremeScales() throws {
    let model = try Targets.noiseScale()
    for logSigma in [-300.0, -50, 50, 300] {
      let (value, gradient) = model.evaluate([0.3, -1.2, 0.8, 2.0, logSigma], .real)
      #expect(value[0].isFinite && gradient.allSatisfy(\.isFinite), "log σ \(logSigma)")
    }
  }

  @Test("Each draw is scored with its own σ, as by SciPy", arguments: Precision.allCases)
  func scores(precision: Precision) throws {
    let draws = Self.theta + [1, 0.5, -0.25, 0.1, 0.3, -0.7, 0.2, 0.9, -1.1, 1.2]
    let model = try Targets.noiseScale()
    var scores = PredictiveScores()
    TestRows.real.withBlock(precision) {
      model.accumulateScores($0, draws: draws, count: 3, into: &scores, workspace: DensityWorkspace())
    }
    let tolerance = precision == .float64 ? 1e-12 : 1e-5
    #expect(scores.rows == 23 && scores.correct == 0)
    #expect(abs(scores.logPredictiveDensity + 46.15777240595067) < 10 * tolerance)
    #expect(abs(scores.squaredError - 11.904506038196907) < 10 * tolerance)
  }
}
