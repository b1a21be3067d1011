import CKernels

/// Random numbers as a pure function of (seed, stream, iteration, component, sample, coordinate):
/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11), counter based.
///
/// A 64-bit key is derived from seed and stream; coordinates 2p and 2p+1 come from the block of counter
/// (p, sample, component, iteration), each index taken modulo 2³². So a deviate depends neither on `dimension` nor
/// on the range of samples that is asked for, and its bits are the same on every CPU.
public struct Noise: Sendable {
  public let seed: UInt64

  public init(seed: UInt64) { self.seed = seed }

  /// Fills `output`, row-major `[samples.count, dimension]`, with standard normal deviates: Box and Muller's
  /// `√(−2 ln u) cos 2πv` and `√(−2 ln u) sin 2πv` of the pairs (u, v) that `fillUniforms` gives.
  public func fillNormals(
    _ stream: NoiseStream, iteration: Int, component: Int, samples: Range<Int>, dimension: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    isomix_fill_normals(
      key(of: stream), UInt32(truncatingIfNeeded: iteration), UInt32(truncatingIfNeeded: component),
      UInt32(truncatingIfNeeded: samples.lowerBound), samples.count, dimension, output)
  }

  /// Fills `output`, row-major `[samples.count, dimension]`, with uniform deviates in (0, 1].
  public func fillUniforms(
    _ stream: NoiseStream, iteration: Int, component: Int, samples: Range<Int>, dimension: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    isomix_fill_uniforms(
      key(of: stream), UInt32(truncatingIfNeeded: iteration), UInt32(truncatingIfNeeded: component),
      UInt32(truncatingIfNeeded: samples.lowerBound), samples.count, dimension, output)
  }

  private func key(of stream: NoiseStream) -> isomix_noise_key {
    isomix_derive_noise_key(seed, stream.rawValue)
  }
}
