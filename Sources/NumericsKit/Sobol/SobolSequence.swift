/// The points of a Sobol sequence, plain or scrambled, as whole numbers of 30 bits.
///
/// Point n is the exclusive or of the direction numbers v_k over the bits k of the Gray code `n ⊕ ⌊n/2⌋` (Antonov
/// and Saleev 1979), so a stretch may start anywhere.
public struct SobolSequence: Sendable {
  /// Bits of a coordinate: a coordinate x stands for x / 2³⁰.
  public static let bitCount = SobolDirections.bitCount
  /// Dimensions that direction numbers are known for.
  public static let maximumDimension = SobolDirections.dimensionCount
  /// Points of the sequence.
  public static let maximumCount = 1 << SobolDirections.bitCount

  /// d.
  public let dimension: Int
  /// Points up to this index (exclusive) can be made: a power of two.
  public let capacity: Int
  /// `[log2(capacity), d]`.
  private var directions: [UInt32]
  /// `[d]`, exclusive or'ed to every point.
  private var shift: [UInt32]

  /// The sequence without scrambling, whose first point is the origin; SciPy's `qmc.Sobol(d, scramble=False)`.
  ///
  /// - Parameters:
  ///   - dimension: d, at most ``maximumDimension``.
  ///   - pointCount: only points of lower index will be asked for, at most ``maximumCount``.
  public init(dimension: Int, pointCount: Int) {
    precondition(
      dimension >= 0 && dimension <= Self.maximumDimension, "direction numbers for every dimension")
    precondition(pointCount >= 0 && pointCount <= Self.maximumCount, "points of 30 bits")
    self.dimension = dimension
    var levels = 0
    while (1 << levels) < pointCount { levels += 1 }
    capacity = 1 << levels
    directions = []
    directions.reserveCapacity(levels * dimension)
    let table = SobolDirections.shared.numbers
    for level in 0..<levels {
      directions += table[level * Self.maximumDimension..<level * Self.maximumDimension + dimension]
    }
    shift = [UInt32](repeating: 0, count: dimension)
  }

  /// Scrambles the points by a random linear map and a random digital shift in each dimension: x becomes `L x ⊕ s`
  /// over the field of two elements, L a lower triangular 30×30 matrix with ones on the diagonal (Matoušek,
  /// J. Complexity 14, 1998). Each point is then uniform, and the points keep their even spread.
  ///
  /// Randomness is that of `noise`'s stream ``NoiseStream/scrambling``: of its uniforms at (iteration, component),
  /// sample 0 makes the shifts and sample 1 + c column c of the matrices. Only the columns that the digits of
  /// the points can reach are drawn.
  public mutating func scramble(_ noise: Noise, iteration: Int, component: Int) {
    let d = dimension
    let levels = capacity.trailingZeroBitCount
    let random = Self.words(noise, iteration: iteration, component: component, rows: levels + 1, dimension: d)
    for j in 0..<d { shift[j] = random[j] }
    var scrambled = [UInt32](repeating: 0, count: directions.count)
    for column in 0..<levels {
      let place = UInt32(Self.bitCount - 1 - column)
      // Digit c counts from the most significant; direction number k has its last one at digit k.
      for level in column..<levels {
        for j in 0..<d {
          let random = random[(column + 1) * d + j] & ((1 << place) - 1)
          let digit = directions[level * d + j] >> place & 1
          scrambled[level * d + j] ^= (1 << place | random) & (0 &- digit)
        }
      }
    }
    directions = scrambled
  }

  /// Hands out the points of a range in order, `[d]` each, with its place in the range.
  public func forEachPoint(_ points: Range<Int>, _ body: (Int, UnsafeBufferPointer<UInt32>) -> Void) {
    precondition(points.lowerBound >= 0 && points.upperBound <= capacity, "points within the capacity")
    guard !points.isEmpty else { return }
    let levels = capacity.trailingZeroBitCount
    var point = shift
    let gray = points.lowerBound ^ points.lowerBound >> 1
    for level in 0..<levels where gray >> level & 1 == 1 { add(level, to: &point) }
    for index in points {
      point.withUnsafeBufferPointer { body(index - points.lowerBound, $0) }
      // From one Gray code to the next the bit changes that is the lowest zero of the index.
      let level = (~index).trailingZeroBitCount
      if level < levels { add(level, to: &point) }
    }
  }

  private func add(_ level: Int, to point: inout [UInt32]) {
    point.withUnsafeMutableBufferPointer { point in
      directions.withUnsafeBufferPointer { directions in
        for j in point.indices { point[j] ^= directions[level * dimension + j] }
      }
    }
  }

  /// Random words of 30 bits, `[rows, dimension]`.
  private static func words(
    _ noise: Noise, iteration: Int, component: Int, rows: Int, dimension: Int
  ) -> [UInt32] {
    guard rows * dimension > 0 else { return [] }
    var uniforms = [Double](repeating: 0, count: rows * dimension)
    noise.fillUniforms(
      .scrambling, iteration: iteration, component: component, samples: 0..<rows, dimension: dimension,
      into: &uniforms)
    // Uniforms are multiples of 2⁻⁵² in (0, 1], so both operations before the truncation are exact.
    return uniforms.map { UInt32((1 - $0) * Double(maximumCount)) }
  }
}
