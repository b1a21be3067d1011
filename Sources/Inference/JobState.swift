import Mixtures

/// The mixture as it travels to the workers: means `[N, d]`, then variances `[N]`, as little-endian float64.
public enum JobState {
  /// Bytes of a state.
  public static func byteCount(components: Int, dimension: Int) -> Int { 8 * components * (dimension + 1) }

  /// Encodes a mixture.
  public static func encode(_ mixture: IsotropicMixture) -> [UInt8] {
    let count = mixture.means.count + mixture.variances.count
    return [UInt8](unsafeUninitializedCapacity: 8 * count) { buffer, initialized in
      var offset = 0
      let raw = UnsafeMutableRawBufferPointer(buffer)
      for value in mixture.means {
        raw.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: offset, as: UInt64.self)
        offset += 8
      }
      for value in mixture.variances {
        raw.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: offset, as: UInt64.self)
        offset += 8
      }
      initialized = 8 * count
    }
  }

  /// Decodes a mixture; nil when the number of bytes is not that of the shape.
  public static func decode(_ bytes: [UInt8], components: Int, dimension: Int) -> IsotropicMixture? {
    guard bytes.count == byteCount(components: components, dimension: dimension) else { return nil }
    return bytes.withUnsafeBytes { raw in
      func values(_ range: Range<Int>) -> [Double] {
        range.map {
          Double(bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)))
        }
      }
      let count = components * dimension
      return IsotropicMixture(
        componentCount: components, dimension: dimension, means: values(0..<count),
        variances: values(count..<count + components))
    }
  }
}
