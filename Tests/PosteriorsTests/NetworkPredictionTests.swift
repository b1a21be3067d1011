import Foundation
import NumericsKit
import Posteriors
import Testing

@Suite("What networks predict of rows")
struct NetworkPredictionTests {
  init() { BLAS.prepare() }

  private static let draws = 5

  private static func networks() throws -> [(NeuralNetwork, TestRows)] {
    let count = 700
    func rows(_ response: (Int) -> Double) -> TestRows {
      TestRows(features: normals(count * 4), responses: (0..<count).map(response), columns: 4)
    }
    return [
      (try Targets.deep(.relu, .real(noise: 0.7)), rows { cos(Double($0)) }),
      (try Targets.deep(.tanh, .realWithNoise(priorScale: 1)), rows { cos(Double($0)) }),
      (try Targets.deep(.tanh, .classes(["x", "y"])), rows { Double($0 % 2) }),
      (try Targets.deep(.relu, .classes(["x", "y", "z"])), rows { Double($0 % 3) }),
    ]
  }

  private func points(_ network: NeuralNetwork) -> [Double] {
    normals(Self.draws * network.dimension, component: 9).map { 0.6 * $0 }
  }

  private func expectations(_ network: NeuralNetwork, _ rows: TestRows) -> [Double] {
    let width = network.predictedResponse?.expectationWidth ?? 0
    var output = [Double](repeating: .nan, count: Self.draws * width * rows.count)
    rows.withBlock {
      network.computeExpectations(
        $0, draws: points(network), count: Self.draws, into: &output, workspace: DensityWorkspace())
    }
    return output
  }

  private func logLikelihoods(_ network: NeuralNetwork, _ rows: TestRows) -> [Double] {
    var output = [Double](repeating: .nan, count: Self.draws * rows.count)
    rows.withBlock {
      network.computeLogLikelihoods(
        $0, draws: points(network), count: Self.draws, into: &output, workspace: DensityWorkspace())
    }
    return output
  }

  @Test("Log likelihoods of rows add up to the rows' part of −V, and give the scores")
  func logLikelihoods() throws {
    for (network, rows) in try Self.networks() {
      let points = points(network)
      let logs = logLikelihoods(network, rows)
      var value = [Double](repeating: 0, count: Self.draws)
      var scores = PredictiveScores()
      rows.withBlock {
        network.accumulateRows(
          $0, points: points, count: Self.draws, value: &value, gradient: nil, workspace: DensityWorkspace())
        network.accumulateScores(
          $0, draws: points, count: Self.draws, into: &scores, workspace: DensityWorkspace())
      }
      for s in 0..<Self.draws {
        let sum = logs[(s * rows.count)..<((s + 1) * rows.count)].reduce(0, +)
        #expect(abs(sum + value[s]) < 1e-11 * abs(sum), "\(network.response)")
      }
      var predictive = 0.0
      for row in 0..<rows.count {
        var likelihood = 0.0
        for s in 0..<Self.draws { likelihood += exp(logs[s * rows.count + row]) }
        predictive += log(likelihood / Double(Self.draws))
      }
      #expect(scores.rows == Double(rows.count))
      #expect(abs(scores.logPredictiveDensity - predictive) < 1e-11 * abs(predictive), "\(network.response)")
    }
  }

  @Test("Expectations are means of a real response and probabilities of classes")
  func expectations() throws {
    for (network, rows) in try Self.networks() {
      let means = expectations(network, rows)
      let logs = logLikelihoods(network, rows)
      let width = network.predictedResponse?.expectationWidth ?? 0
      var squares = 0.0
      var correct = 0.0
      for row in 0..<rows.count {
        let y = rows.responses[row]
        let each: [[Double]] = (0..<Self.draws).map { s in
          (0..<width).map { c in means[(s * width + c) * rows.count + row] }
        }
        var mean = [Double](repeating: 0, count: width)
        for values in each { for c in 0..<width { mean[c] += values[c] / Double(Self.draws) } }
        squares += pow(mean[0] - y, 2)
        var best = 0
        if width == 1 { best = mean[0] >= 0.5 ? 1 : 0 }
        for c in 1..<max(1, width) where mean[c] > mean[best] { best = c }
        correct += Double(best) == y ? 1 : 0
        guard case .classes? = network.predictedResponse else { continue }
        for s in 0..<Self.draws {
          var probability = each[s][width == 1 ? 0 : Int(y)]
          if width == 1, y == 0 { probability = 1 - probability }
          #expect(abs(log(probability) - logs[s * rows.count + row]) < 1e-10 * max(1, 1 / probability))
          if width > 1 { #expect(abs(each[s].reduce(0, +) - 1) < 1e-14) }
        }
      }
      var scores = PredictiveScores()
      rows.withBlock {
        network.accumulateScores(
          $0, draws: points(network), count: Self.draws, into: &scores, workspace: DensityWorkspace())
      }
      if case .classes? = network.predictedResponse {
        #expect(scores.correct == correct && scores.squaredError == 0)
      } else {
        #expect(abs(scores.squaredError - squares) < 1e-10 * squares && scores.correct == 0)
      }
    }
  }

  @Test("Drawn responses have the frequencies and moments of their distributions")
  func responses() throws {
    for (network, rows) in try Self.networks() {
      let means = expectations(network, rows)
      let points = points(network)
      let width = network.predictedResponse?.expectationWidth ?? 0
      var drawn = [Double](repeating: .nan, count: Self.draws * rows.count)
      // An even grid in a scrambled order, from just above 0 to 1.
      let total = drawn.count
      let uniforms: [Double] = (0..<total).map { index in
        let place = (index * 1009) % total + 1
        return Double(place) / Double(total)
      }
      rows.withBlock {
        network.computeResponses(
          $0, draws: points, count: Self.draws, uniforms: uniforms, into: &drawn,
          workspace: DensityWorkspace())
      }
      #expect(drawn.allSatisfy { $0.isFinite })
      var sums = [Double](repeating: 0, count: 4)
      for s in 0..<Self.draws {
        for row in 0..<rows.count {
          let y = drawn[s * rows.count + row]
          let expected: [Double] = (0..<width).map { c in means[(s * width + c) * rows.count + row] }
          switch network.response {
          case .real, .realWithNoise:
            let scale =
              network.response == .real(noise: 0.7) ? 0.7 : exp(points[(s + 1) * network.dimension - 1])
            let z = (y - expected[0]) / scale
            sums[0] += z
            sums[1] += z * z - 1
          case .classes(let names):
            #expect((0..<names.count).contains(Int(y)))
            for c in names.indices {
              var probability = expected[width == 1 ? 0 : c]
              if width == 1, c == 0 { probability = 1 - probability }
              sums[c] += (y == Double(c) ? 1 : 0) - probability
            }
          }
        }
      }
      // Five standard errors at most, of terms whose variance is at most 2.
      for sum in sums { #expect(abs(sum) < 5 * (2 * Double(total)).squareRoot(), "\(network.response)") }
    }
  }

  @Test("The largest uniform gives a finite response, and the smallest the first class")
  func extremes() throws {
    let real = try Targets.deep(.tanh, .real(noise: 1))
    let classes = try Targets.deep(.tanh, .classes(["x", "y", "z"]))
    for (network, expected) in [(real, nil), (classes, [2.0, 0.0])] {
      var drawn = [0.0, 0]
      TestRows.classes.withBlock(range: 0..<2) {
        network.computeResponses(
          $0, draws: [Double](repeating: 0.1, count: network.dimension), count: 1, uniforms: [1, 0x1p-52],
          into: &drawn, workspace: DensityWorkspace())
      }
      #expect(drawn.allSatisfy { $0.isFinite } && (expected == nil || drawn == expected))
    }
  }
}
