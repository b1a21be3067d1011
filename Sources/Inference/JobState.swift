import Mixtures
import NumericsKit

/// The mixture as it travels to the workers: means `[N, d]`, then variances `[N]`, and with full covariances their factors
/// `[N, d, d]`, as little-endian float64. Where coordinates have mixtures of their own, means and variances are both `[N, d]`.
public enum JobState {
  /// Bytes of a state.
  public static func byteCount(components: Int, dimension: Int) -> Int { 8 * components * (dimension + 1) }

  /// Encodes a mixture.
  /// - Parameter factors: of full covariances; empty without.
  public static func encode(_ mixture: IsotropicMixture, factors: [Double] = []) -> [UInt8] {
    Float64Bytes.encode([mixture.means, mixture.variances, factors])
  }

  /// Encodes points `[count, d]`, as the means of a mixture.
  public static func encode(points: [Double], dimension: Int) -> [UInt8] {
    Float64Bytes.encode([points, [Double](repeating: 1, count: points.count / max(1, dimension))])
  }

  /// Decodes a mixture; nil when the number of bytes is not that of the shape.
  public static func decode(_ bytes: [UInt8], components: Int, dimension: Int) -> IsotropicMixture? {
    guard bytes.count == byteCount(components: components, dimension: dimension) else { return nil }
    return bytes.withUnsafeBytes { raw in
      let count = components * dimension
      return IsotropicMixture(
        componentCount: components, dimension: dimension,
        means: Float64Bytes.decode(raw, from: 0, count: count),
        variances: Float64Bytes.decode(raw, from: Float64Bytes.width * count, count: components))
    }
  }

  /// Decodes a mixture of full covariances and their factors; nil when the number of bytes is not that of the shape.
  public static func decodeFull(_ bytes: [UInt8], components: Int, dimension: Int) -> (
    mixture: IsotropicMixture, factors: [Double]
  )? {
    let start = byteCount(components: components, dimension: dimension)
    let count = components * dimension * dimension
    guard bytes.count == start + Float64Bytes.width * count,
      let mixture = decode(Array(bytes.prefix(start)), components: components, dimension: dimension)
    else { return nil }
    return (mixture, bytes.withUnsafeBytes { Float64Bytes.decode($0, from: start, count: count) })
  }
}
