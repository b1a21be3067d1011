import Mixtures
import NumericsKit

/// The metric as it travels to the workers: its kind and log |det L|, then c, L and L⁻¹ as little-endian float64.
public enum JobContext {
  /// Encodes a metric.
  public static func encode(_ metric: Metric) -> [UInt8] {
    let kind = Metric.Kind.allCases.firstIndex(of: metric.kind) ?? 0
    return Float64Bytes.encode([
      [Double(kind), metric.logDeterminant], metric.center, metric.factor, metric.inverse,
    ])
  }

  /// Decodes a metric of dimension d.
  /// - Throws: ``FitError`` when the bytes are none.
  public static func decode(_ bytes: [UInt8], dimension: Int) throws -> Metric {
    let failure = FitError(
      .software, "a context of \(bytes.count) bytes is no metric of dimension \(dimension)")
    guard bytes.count >= 2 * Float64Bytes.width, bytes.count % Float64Bytes.width == 0 else { throw failure }
    let numbers = bytes.withUnsafeBytes {
      Float64Bytes.decode($0, from: 0, count: bytes.count / Float64Bytes.width)
    }
    guard let index = Int(exactly: numbers[0]), Metric.Kind.allCases.indices.contains(index) else {
      throw failure
    }
    let kind = Metric.Kind.allCases[index]
    let size = kind.factorCount(dimension: dimension)
    guard numbers.count == 2 + dimension + 2 * size,
      let metric = Metric(
        kind, center: Array(numbers[2..<2 + dimension]),
        factor: Array(numbers[(2 + dimension)..<(2 + dimension + size)]),
        inverse: Array(numbers[(2 + dimension + size)...]), logDeterminant: numbers[1])
    else { throw failure }
    return metric
  }
}
