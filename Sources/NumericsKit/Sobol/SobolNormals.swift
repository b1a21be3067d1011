/// Standard normal deviates from scrambled Sobol points: each is exactly as distributed as a random one (up to its
/// 30 bits), but those of one set spread evenly, so that means over them have less error than means over
/// independent ones.
public enum SobolNormals {
  /// Dimensions that direction numbers are known for.
  public static let maximumDimension = SobolSequence.maximumDimension

  /// Fills `output`, row-major `[samples.count, dimension]`, with `Φ⁻¹((x + ½)/2³⁰)` for the points x of a scrambled
  /// Sobol sequence.
  ///
  /// A function of (seed, iteration, component, sample, coordinate) alone: a part of the samples gives the numbers
  /// of the whole. Every (iteration, component) has a scramble of its own; two uses of one pair share it. Spread
  /// is best when the number of samples is a power of two. Bits are those of the logarithm kernel, equal where
  /// ``NumericsFingerprint`` is.
  ///
  /// - Parameters:
  ///   - samples: within `0 ..< 2³⁰`.
  ///   - dimension: at most ``maximumDimension``.
  public static func fill(
    noise: Noise, iteration: Int, component: Int, samples: Range<Int>, dimension: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    guard !samples.isEmpty, dimension > 0 else { return }
    var sequence = SobolSequence(dimension: dimension, pointCount: samples.upperBound)
    sequence.scramble(noise, iteration: iteration, component: component)
    let unit = 1 / Double(SobolSequence.maximumCount)
    sequence.forEachPoint(samples) { row, point in
      let values = output + row * dimension
      // The middle of its cell: never 0 or 1, and exact.
      for j in point.indices { values[j] = (Double(point[j]) + 0.5) * unit }
    }
    InverseNormal.transform(output, count: samples.count * dimension)
  }
}
