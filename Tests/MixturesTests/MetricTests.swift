import Foundation
import Mixtures
import NumericsKit
import TestKit
import Testing

@Suite("Coordinates in which components are isotropic")
struct MetricTests {
  init() { BLAS.prepare() }

  private static let seed: UInt64 = 21
  private let d = 4

  /// L as a full matrix, whatever its kind.
  static func matrix(_ metric: Metric) -> [Double] {
    switch metric.kind {
    case .unit: Matrices.diagonal([Double](repeating: 1, count: metric.dimension))
    case .diagonal: Matrices.diagonal(metric.factor)
    case .dense: metric.factor
    }
  }

  /// `c + L u`.
  private static func position(_ u: [Double], _ metric: Metric) -> [Double] {
    let moved = Matrices.times(matrix(metric), u)
    return u.indices.map { metric.center[$0] + moved[$0] }
  }

  /// A metric with an origin of its own and an L that is neither symmetric nor triangular; inverse and determinant by
  /// expansion.
  static func random(_ kind: Metric.Kind, _ d: Int, using generator: inout SeededGenerator) throws -> Metric {
    let center = Matrices.random(d, using: &generator)
    switch kind {
    case .unit: return Metric(.unit, dimension: d)
    case .diagonal:
      let scales = (0..<d).map { _ in exp(Double.random(in: -3...3, using: &generator)) }
      return try #require(
        Metric(
          kind, center: center, factor: scales, inverse: scales.map { 1 / $0 },
          logDeterminant: log(scales.reduce(1, *))))
    case .dense:
      var factor = Matrices.random(d * d, using: &generator)
      for k in 0..<d { factor[k * d + k] += 2 }
      return try #require(
        Metric(
          kind, center: center, factor: factor, inverse: Matrices.inverse(factor, d),
          logDeterminant: log(abs(Matrices.determinant(factor, d)))))
    }
  }

  private func expectClose(
    _ values: [Double], _ expected: [Double], _ tolerance: Double = 1e-12,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(values.count == expected.count, sourceLocation: sourceLocation)
    for (value, wanted) in zip(values, expected) {
      #expect(
        abs(value - wanted) <= tolerance * max(1, abs(wanted)), "\(value) for \(wanted), seed \(Self.seed)",
        sourceLocation: sourceLocation)
    }
  }

  @Test("θ = c + L u, and u is found again from θ", arguments: Metric.Kind.allCases)
  func positions(kind: Metric.Kind) throws {
    var generator = SeededGenerator(seed: Self.seed)
    let metric = try Self.random(kind, d, using: &generator)
    let points = Matrices.random(3 * d, using: &generator)
    let positions = metric.positions(of: points, count: 3)
    let written = stride(from: 0, to: 3 * d, by: d).flatMap { row -> [Double] in
      MetricTests.position(Array(points[row..<row + d]), metric)
    }
    expectClose(positions, written)
    expectClose(metric.coordinates(of: positions, count: 3), points)
    #expect(metric.positions(of: [], count: 0).isEmpty && metric.coordinates(of: [], count: 0).isEmpty)
  }

  @Test(
    "directions are differences of positions, and gradients are their adjoint",
    arguments: Metric.Kind.allCases)
  func adjoint(kind: Metric.Kind) throws {
    var generator = SeededGenerator(seed: Self.seed)
    let metric = try Self.random(kind, d, using: &generator)
    let points = Matrices.random(3 * d, using: &generator)
    let offsets = Matrices.random(3 * d, using: &generator)
    let directions = metric.directions(of: offsets, count: 3)
    let moved = metric.positions(of: zip(points, offsets).map(+), count: 3)
    expectClose(zip(moved, metric.positions(of: points, count: 3)).map(-), directions)
    // g · (L o) = (Lᵀ g) · o, row by row.
    let gradients = Matrices.random(3 * d, using: &generator)
    let pulled = metric.gradients(of: gradients, count: 3)
    for row in 0..<3 {
      let cells = row * d..<(row + 1) * d
      let outside = cells.reduce(0) { $0 + gradients[$1] * directions[$1] }
      let inside = cells.reduce(0) { $0 + pulled[$1] * offsets[$1] }
      #expect(abs(outside - inside) < 1e-12, "seed \(Self.seed)")
    }
    #expect(metric.gradients(of: [], count: 0).isEmpty)
  }

  @Test(
    "the gradient in u of a function of θ is what finite differences give", arguments: Metric.Kind.allCases)
  func chainRule(kind: Metric.Kind) throws {
    var generator = SeededGenerator(seed: Self.seed)
    let metric = try Self.random(kind, d, using: &generator)
    let point = Matrices.random(d, using: &generator).map { 0.1 * $0 }
    func value(_ u: [Double]) -> Double {
      let x = metric.positions(of: u, count: 1)
      return sin(x[0]) * x[1] + 0.5 * x[2] * x[2] * x[3]
    }
    let x = metric.positions(of: point, count: 1)
    let slope = [cos(x[0]) * x[1], sin(x[0]), x[2] * x[3], 0.5 * x[2] * x[2]]
    let pulled = metric.gradients(of: slope, count: 1)
    for k in 0..<d {
      var (ahead, behind) = (point, point)
      let step = 1e-5
      ahead[k] += step
      behind[k] -= step
      let difference = (value(ahead) - value(behind)) / (2 * step)
      #expect(abs(pulled[k] - difference) < 1e-7 * max(1, abs(difference)))
    }
  }

  @Test("a factor's inverse and log |det L| are those of the expansion by minors", arguments: 1...6)
  func determinant(dimension: Int) throws {
    var generator = SeededGenerator(seed: Self.seed)
    for _ in 0..<10 {
      let factor = Matrices.random(dimension * dimension, using: &generator)
      let expected = Matrices.determinant(factor, dimension)
      guard abs(expected) > 1e-3 else { continue }
      let metric = try #require(Metric(.dense, dimension: dimension, factor: factor))
      expectClose([metric.logDeterminant], [log(abs(expected))], 1e-11)
      expectClose(metric.inverse, Matrices.inverse(factor, dimension), 1e-9)
      let scales = factor.prefix(dimension).map { abs($0) + 0.1 }
      let logarithm = log(scales.reduce(1, *))
      for kind in [Metric.Kind.diagonal, .dense] {
        let scaled = Metric(kind, scales: scales)
        expectClose([scaled.logDeterminant], [logarithm])
        expectClose(Self.matrix(scaled), Matrices.diagonal(scales), 0)
        expectClose(scaled.coordinates(of: scaled.positions(of: scales, count: 1), count: 1), scales)
      }
      expectClose(
        [try #require(Metric(.diagonal, dimension: dimension, factor: scales)).logDeterminant], [logarithm])
    }
    #expect(Metric(.unit, scales: [2, 3]) == Metric(.unit, dimension: 2))
  }

  @Test(
    "covariance, shape and scales are L Lᵀ and the roots of its diagonal", arguments: Metric.Kind.allCases)
  func covariance(kind: Metric.Kind) throws {
    var generator = SeededGenerator(seed: Self.seed)
    let metric = try Self.random(kind, d, using: &generator)
    let factor = Self.matrix(metric)
    let expected = Matrices.product(factor, Matrices.transpose(factor, d), d)
    let diagonal = (0..<d).map { expected[$0 * d + $0] }
    expectClose(metric.covariance, expected)
    expectClose(metric.scales, diagonal.map { $0.squareRoot() })
    expectClose(metric.shape, kind == .dense ? expected : diagonal)
  }

  @Test("what can't be inverted, has another size or is not finite is no metric")
  func refusals() {
    #expect(Metric(.dense, dimension: 2, factor: [1, 2, 2, 4]) == nil)
    #expect(Metric(.dense, dimension: 2, factor: [1, 2, 3]) == nil)
    #expect(Metric(.dense, dimension: 1, factor: [.nan]) == nil)
    for factor in [[1.0, 0], [1, -1], [1], [1, .infinity], [1, .nan]] {
      #expect(Metric(.diagonal, dimension: 2, factor: factor) == nil, "\(factor)")
    }
    #expect(Metric(.unit, dimension: 2, factor: [1, 1]) == nil)
    #expect(Metric(.unit, dimension: 2, factor: []) == Metric(.unit, dimension: 2))
    #expect(Metric(.diagonal, center: [.nan], factor: [1], inverse: [1], logDeterminant: 0) == nil)
    #expect(Metric(.diagonal, center: [0], factor: [1], inverse: [.infinity], logDeterminant: 0) == nil)
    #expect(Metric(.diagonal, center: [0], factor: [1], inverse: [1], logDeterminant: .nan) == nil)
  }

  @Test("the density of Σ N(c + L m, ε L Lᵀ)/N in θ is q(u) / |det L|", arguments: Metric.Kind.allCases)
  func changeOfVariables(kind: Metric.Kind) throws {
    var generator = SeededGenerator(seed: Self.seed)
    let metric = try Self.random(kind, d, using: &generator)
    let mixture = IsotropicMixture(
      componentCount: 3, dimension: d, means: Matrices.random(3 * d, using: &generator),
      variances: [0.3, 1, 0.7])
    let factor = Self.matrix(metric)
    let shape = Matrices.product(factor, Matrices.transpose(factor, d), d)
    let precision = Matrices.inverse(shape, d)
    for _ in 0..<20 {
      let point = Matrices.random(d, using: &generator).map { 1.5 * $0 }
      let theta = metric.positions(of: point, count: 1)
      var density = 0.0
      for i in 0..<3 {
        let mean = Self.position(Array(mixture.means[i * d..<(i + 1) * d]), metric)
        let r = (0..<d).map { theta[$0] - mean[$0] }
        let solved = Matrices.times(precision, r)
        var form = 0.0
        for k in 0..<d { form += r[k] * solved[k] / mixture.variances[i] }
        let volume = pow(2 * .pi * mixture.variances[i], Double(d)) * Matrices.determinant(shape, d)
        density += exp(-0.5 * form) / volume.squareRoot() / 3
      }
      let u = metric.coordinates(of: theta, count: 1)
      #expect(
        abs(mixture.logDensity(at: u) - metric.logDeterminant - log(density)) < 1e-10, "seed \(Self.seed)")
    }
  }
}
