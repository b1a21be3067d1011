import Mixtures
import NumericsKit

/// The mixture as it travels to the workers: means `[N, d]`, then variances `[N]`, as little-endian float64.
public enum JobState {
  /// Bytes of a state.
  public static func byteCount(components: Int, dimension: Int) -> Int { 8 * components * (dimension + 1) }

  /// Encodes a mixture.
  public static func encode(_ mixture: IsotropicMixture) -> [UInt8] {
    Float64Bytes.encode([mixture.means, mixture.variances])
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
}
