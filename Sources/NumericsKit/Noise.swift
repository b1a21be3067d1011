import CKernels

/// Random numbers as a pure function of (seed, stream, iteration, component, sample, coordinate):
/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11), counter based.
public struct Noise: Sendable {
  public let seed: UInt64

  public init(seed: UInt64) { self.seed = seed }

  /// Fills `output`, row-major `[samples.count, dimension]`, with standard normal deviates.
  public func fillNormals(
    _ stream: NoiseStream, iteration: Int, component: Int, samples: Range<Int>, dimension: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    fatalError("stub")
  }

  /// Fills `output`, row-major `[samples.count, dimension]`, with uniform deviates in (0, 1].
  public func fillUniforms(
    _ stream: NoiseStream, iteration: Int, component: Int, samples: Range<Int>, dimension: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    fatalError("stub")
  }
}
