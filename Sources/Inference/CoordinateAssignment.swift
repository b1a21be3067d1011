import NumericsKit

/// Which component each coordinate of each sample of a tile comes from, where coordinates have mixtures of their own.
///
/// Samples come in blocks of N. In a block every coordinate has a random permutation of the components: the sample at
/// place i takes component `π_k(i)` in coordinate k. So each sample is a draw of `q = Π_k q_k`; each component of each coordinate has
/// exactly one sample of every block, with all other coordinates drawn from their mixtures; and the same gradients of V serve
/// all of them.
///
/// Belongs to one thread. Pointers are valid until the next request.
final class CoordinateAssignment {
  private var memory = ScratchMemory()
  private let scratch = PermutationScratch()

  /// Components `[count, d]`, to be written.
  func reserve(count: Int, dimension: Int) -> UnsafeMutablePointer<Int32> {
    memory.reserve(count * dimension, of: Int32.self)
  }

  /// Fills rows for some places of one block: place i's row begins at `output + (i − first) · stride`.
  /// - Parameter block: the index of its permutations.
  func fill(
    _ noise: Noise, _ kind: JobKind, iteration: Int, block: Int, components: Int, dimension: Int,
    places: Range<Int>, into output: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    noise.fillPermutations(
      .assignment, iteration: iteration, group: Int(kind.rawValue), block: block, size: components,
      columns: dimension, places: places, into: output, stride: stride, scratch: scratch)
  }
}
