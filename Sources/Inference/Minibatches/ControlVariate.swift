import Mixtures
import NumericsKit

/// What a minibatch's gradient is compared with: points `x*_i`, one a component, at which the gradient of the rows' part of
/// V was computed from all rows.
///
/// With v_r a row's part of V, `M/m Σ_{r in batch} (∇v_r(x) − ∇v_r(x*_i)) + Σ_r ∇v_r(x*_i)` has the expectation
/// `Σ_r ∇v_r(x)` like the plain estimate, and a variance that vanishes with `x − x*_i` (Johnson and Zhang, NeurIPS 2013).
public struct ControlVariate: Sendable, Hashable {
  /// `x*_i` in θ, row-major `[N, d]`.
  public var points: [Double]
  /// `Σ_r ∇v_r(x*_i)` in θ, row-major `[N, d]`.
  public var gradients: [Double]
  /// Whether both are finite, `[N]`: a component without is estimated plainly.
  public let isUsable: [Bool]

  public init(points: [Double], gradients: [Double], dimension: Int) {
    self.points = points
    self.gradients = gradients
    isUsable = (0..<points.count / max(1, dimension)).map { component in
      let range = component * dimension..<(component + 1) * dimension
      return points[range].allSatisfy(\.isFinite) && gradients[range].allSatisfy(\.isFinite)
    }
  }
}

extension JobContext {
  /// Encodes a metric, and after it the points and gradients of a control variate.
  public static func encode(_ metric: Metric, _ variate: ControlVariate?) -> [UInt8] {
    encode(metric) + (variate.map { Float64Bytes.encode([$0.points, $0.gradients]) } ?? [])
  }

  /// Decodes what `encode` made for N components of dimension d.
  /// - Throws: ``FitError`` when the bytes are something else.
  public static func decode(_ bytes: [UInt8], components: Int, dimension: Int) throws -> (
    metric: Metric, variate: ControlVariate?
  ) {
    let count = components * dimension
    let variateBytes = Float64Bytes.width * 2 * count
    let kind =
      bytes.count >= Float64Bytes.width
      ? bytes.withUnsafeBytes { Float64Bytes.decode($0, from: 0, count: 1) } : []
    let metricBytes = kind.first.flatMap { Int(exactly: $0) }.flatMap { index in
      Metric.Kind.allCases.indices.contains(index)
        ? Float64Bytes.width
          * (2 + dimension + 2 * Metric.Kind.allCases[index].factorCount(dimension: dimension))
        : nil
    }
    guard let metricBytes, bytes.count == metricBytes + variateBytes else {
      return (try decode(bytes, dimension: dimension), nil)
    }
    let metric = try decode(Array(bytes.prefix(metricBytes)), dimension: dimension)
    return bytes.withUnsafeBytes { raw in
      (
        metric,
        ControlVariate(
          points: Float64Bytes.decode(raw, from: metricBytes, count: count),
          gradients: Float64Bytes.decode(raw, from: metricBytes + variateBytes / 2, count: count),
          dimension: dimension)
      )
    }
  }
}
