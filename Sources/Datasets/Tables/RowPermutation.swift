/// A pseudo-random permutation of 0 ..< count in constant memory, as a function of a seed.
///
/// A balanced Feistel network on the smallest even number of bits that holds `count`, keyed by SplitMix64
/// (Steele, Lea, Flood, OOPSLA 2014); results beyond `count` are put through it again until they fall inside
/// ("cycle walking": Black and Rogaway, CT-RSA 2002).
struct RowPermutation {
  let count: Int
  private let halfBits: UInt64
  private let keys: [UInt64]
  private static let rounds = 8

  init(count: Int, seed: UInt64) {
    self.count = count
    let bits = UInt64(Int.bitWidth - max(1, count - 1).leadingZeroBitCount)
    halfBits = max(1, (bits + 1) / 2)
    var state = seed
    keys = (0..<RowPermutation.rounds).map { _ in
      state &+= 0x9E37_79B9_7F4A_7C15
      return RowPermutation.mix(state)
    }
  }

  /// Where the row at `position` of the result comes from.
  func source(of position: Int) -> Int {
    let mask = UInt64(1) << halfBits - 1
    var value = UInt64(position)
    repeat {
      var left = value >> halfBits
      var right = value & mask
      for key in keys {
        (left, right) = (right, left ^ (RowPermutation.mix(right ^ key) & mask))
      }
      value = left << halfBits | right
    } while value >= UInt64(count)
    return Int(value)
  }

  /// The output function of SplitMix64.
  private static func mix(_ value: UInt64) -> UInt64 {
    var mixed = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
