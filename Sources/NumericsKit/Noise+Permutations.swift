import CKernels

extension Noise {
  /// Random permutations of `0..<size`, independent for every column, as a function of (seed, stream, iteration, group,
  /// block).
  ///
  /// Writes the values of column k's permutation at some places to `output[(place − first) · stride + k]`: asked for in
  /// parts, the permutations are the same.
  ///
  /// - Parameters:
  ///   - group: tells apart what the permutations are for.
  ///   - columns: their number.
  ///   - scratch: memory of the caller's thread.
  public func fillPermutations(
    _ stream: NoiseStream, iteration: Int, group: Int, block: Int, size: Int, columns: Int,
    places: Range<Int>, into output: UnsafeMutablePointer<Int32>, stride: Int, scratch: PermutationScratch
  ) {
    let perColumn = isomix_permutation_uniforms(size)
    let uniforms = scratch.uniforms.reserve(columns * perColumn)
    fillUniforms(
      stream, iteration: iteration, component: group, samples: block..<block + 1,
      dimension: columns * perColumn, into: uniforms)
    isomix_fill_permutations(
      uniforms, columns, size, places.lowerBound, places.count,
      scratch.permutation.reserve(size, of: Int32.self), output, stride)
    withExtendedLifetime(scratch) {}
  }
}

/// Memory of one thread for random permutations.
public final class PermutationScratch {
  fileprivate var uniforms = ScratchMemory()
  fileprivate var permutation = ScratchMemory()

  public init() {}
}
