import Foundation
import Inference
import Mixtures
import NumericsKit
import Specification
import Testing

/// Targets, densities and noise as their formulas say, and sums over samples one after the other.
enum WrittenOut {
  /// V of the analytic example, written out.
  static func analytic(_ x: [Double]) -> Double {
    let weights = [0.3, 0.7]
    let means = [[-1, 0.5, 2], [1, -0.5, 0]]
    let covariances = [
      [[1, 0.3, 0], [0.3, 2, 0.1], [0, 0.1, 0.5]], [[0.5, 0, 0], [0, 1, 0], [0, 0, 2]],
    ]
    var density = 0.0
    for k in 0..<2 {
      let s = covariances[k]
      let r = (0..<3).map { x[$0] - means[k][$0] }
      // The adjugate of a symmetric 3 × 3 matrix.
      let c00 = s[1][1] * s[2][2] - s[1][2] * s[1][2]
      let c01 = s[0][2] * s[1][2] - s[0][1] * s[2][2]
      let c02 = s[0][1] * s[1][2] - s[0][2] * s[1][1]
      let c11 = s[0][0] * s[2][2] - s[0][2] * s[0][2]
      let c12 = s[0][1] * s[0][2] - s[0][0] * s[1][2]
      let c22 = s[0][0] * s[1][1] - s[0][1] * s[0][1]
      let determinant = s[0][0] * c00 + s[0][1] * c01 + s[0][2] * c02
      let diagonal = c00 * r[0] * r[0] + c11 * r[1] * r[1] + c22 * r[2] * r[2]
      let off = c01 * r[0] * r[1] + c02 * r[0] * r[2] + c12 * r[1] * r[2]
      let form = (diagonal + 2 * off) / determinant
      density += weights[k] * exp(-0.5 * form) / sqrt(pow(2 * .pi, 3) * determinant)
    }
    return -log(density)
  }

  static func logistic(_ rows: [(x: [Double], y: Double)], _ theta: [Double]) -> Double {
    var value = 0.0
    for parameter in theta { value += parameter * parameter / 8 + 0.5 * log(2 * .pi * 4) }
    for row in rows {
      let logit = zip(row.x, theta).reduce(0) { $0 + $1.0 * $1.1 }
      value += log(1 + exp(logit)) - row.y * logit
    }
    return value
  }

  /// A central difference of fourth order.
  static func gradient(_ value: ([Double]) -> Double, _ x: [Double]) -> [Double] {
    x.indices.map { index in
      func at(_ step: Double) -> Double {
        var point = x
        point[index] += step
        return value(point)
      }
      let h = 1e-3
      return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    }
  }

  /// log q of the mixture, written out.
  static func logDensity(_ mixture: IsotropicMixture, _ x: [Double]) -> Double {
    var density = 0.0
    let d = mixture.dimension
    for i in 0..<mixture.componentCount {
      let squares = (0..<d).reduce(0.0) { $0 + pow(x[$1] - mixture.means[i * d + $1], 2) }
      let variance = mixture.variances[i]
      density += exp(-0.5 * squares / variance) / pow(2 * .pi * variance, Double(d) / 2)
    }
    return log(density / Double(mixture.componentCount))
  }

  static func normals(
    _ stream: NoiseStream, seed: UInt64, iteration: Int, component: Int, sample: Int, d: Int
  )
    -> [Double]
  {
    [Double](unsafeUninitializedCapacity: d) { buffer, count in
      Noise(seed: seed).fillNormals(
        stream, iteration: iteration, component: component, samples: sample..<sample + 1, dimension: d,
        into: buffer.baseAddress!)
      count = d
    }
  }

  static func close(_ left: Double, _ right: Double, _ scale: Double = 1) -> Bool {
    abs(left - right) <= 1e-7 * max(scale, abs(right))
  }

  /// The standard normal deviates of a gradient's sample, `[d]`, however samples are drawn.
  static func deviates(
    _ sampling: Sampling, seed: UInt64, iteration: Int, component: Int, sample: Int, d: Int
  ) -> [Double] {
    switch sampling {
    case .independent:
      return normals(.gradient, seed: seed, iteration: iteration, component: component, sample: sample, d: d)
    case .antithetic:
      let pair = normals(
        .gradient, seed: seed, iteration: iteration, component: component, sample: sample / 2, d: d)
      return sample % 2 == 0 ? pair : pair.map { -$0 }
    case .sobol:
      // From the whole sequence up to the sample.
      var points = [Double](repeating: 0, count: (sample + 1) * d)
      SobolNormals.fill(
        noise: Noise(seed: seed), iteration: iteration, component: component, samples: 0..<sample + 1,
        dimension: d, into: &points)
      return Array(points.suffix(d))
    }
  }

  /// `c + L u`.
  static func position(_ u: [Double], _ metric: Metric?) -> [Double] {
    guard let metric, !metric.isUnit else { return u }
    let d = u.count
    return (0..<d).map { row in
      let moved =
        metric.kind == .diagonal
        ? metric.factor[row] * u[row] : (0..<d).reduce(0.0) { $0 + metric.factor[row * d + $1] * u[$1] }
      return metric.center[row] + moved
    }
  }

  /// A metric of three dimensions that is neither symmetric nor triangular, with log |det L| by Sarrus.
  static func metric(_ kind: Metric.Kind) throws -> Metric? {
    switch kind {
    case .unit: return nil
    case .diagonal:
      return Metric(
        kind, center: [0.3, -0.2, 0.1], factor: [0.7, 1.3, 0.4], inverse: [1 / 0.7, 1 / 1.3, 1 / 0.4],
        logDeterminant: log(0.7 * 1.3 * 0.4))
    case .dense:
      let l = [0.8, 0.3, -0.2, 0.1, 1.2, 0.4, -0.3, 0.2, 0.6]
      let plus = l[0] * l[4] * l[8] + l[1] * l[5] * l[6] + l[2] * l[3] * l[7]
      let minus = l[2] * l[4] * l[6] + l[0] * l[5] * l[7] + l[1] * l[3] * l[8]
      let inverse = try #require(LinearSolver.invert(l, dimension: 3)).inverse
      return Metric(
        kind, center: [0.3, -0.2, 0.1], factor: l, inverse: inverse, logDeterminant: log(plus - minus))
    }
  }

  /// Compares gradient and objective sums with sums over samples, one after the other, of `value`: V in θ.
  static func check(
    _ setup: FitSetup, seed: UInt64, metric kind: Metric.Kind = .unit, sampling: Sampling = .independent,
    _ value: @escaping ([Double]) -> Double
  ) throws {
    let problem = try Problem(setup)
    let metric = try metric(kind)
    var mixture = try Fit(problem).mixture
    mixture.variances = mixture.variances.indices.map { 0.3 + 0.2 * Double($0) }
    let d = mixture.dimension
    let iteration = 3
    let state = JobState.encode(mixture)
    let integrand = { (u: [Double]) in
      logDensity(mixture, u) - (metric?.logDeterminant ?? 0) + value(position(u, metric))
    }

    let plan = setup.plan.gradient
    let sums = try evaluate(
      problem, FitJob(kind: .gradient, iteration: iteration), state: state, metric: metric)
    #expect(sums.count == plan.blockCount)
    for block in 0..<plan.blockCount {
      #expect(sums[block].count == plan.width(ofBlock: block))
      for (place, i) in plan.components(ofBlock: block).enumerated() {
        var expected = [Double](repeating: 0, count: d + 2)
        for sample in 0..<plan.samples {
          let z = deviates(sampling, seed: seed, iteration: iteration, component: i, sample: sample, d: d)
          let offset = z.map { $0 * mixture.variances[i].squareRoot() }
          let u = (0..<d).map { mixture.means[i * d + $0] + offset[$0] }
          let g = gradient(integrand, u)
          for k in 0..<d {
            expected[k] += g[k]
            expected[d] += g[k] * offset[k]
          }
          expected[d + 1] += integrand(u)
        }
        let found = Array(sums[block][place * (d + 2)..<(place + 1) * (d + 2)])
        for k in 0..<d + 2 { #expect(close(found[k], expected[k], 10), "component \(i), number \(k)") }
      }
    }

    let objective = setup.plan.objective
    let values = try evaluate(
      problem, FitJob(kind: .objective, iteration: iteration), state: state, metric: metric)
    for block in 0..<objective.blockCount {
      var number = 0
      for i in objective.components(ofBlock: block) {
        for sample in objective.samples(ofObjectiveBlock: block) {
          let z = normals(.objective, seed: seed, iteration: iteration, component: i, sample: sample, d: d)
          let u = (0..<d).map { mixture.means[i * d + $0] + mixture.variances[i].squareRoot() * z[$0] }
          #expect(close(values[block][number], integrand(u)))
          number += 1
        }
      }
      #expect(number == values[block].count)
    }

    let empty = try evaluate(
      problem, FitJob(kind: .empty, iteration: iteration), state: state, metric: metric)
    #expect(empty.map(\.count) == sums.map(\.count) && empty.joined().allSatisfy { $0 == 0 })
  }
}
