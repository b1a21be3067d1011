/// Direction numbers of a Sobol sequence in as many dimensions as ``SobolDirectionData`` holds.
struct SobolDirections: Sendable {
  /// Bits of a coordinate: point coordinates are multiples of 2⁻³⁰.
  static let bitCount = 30
  static let dimensionCount = SobolDirectionData.dimensionCount

  /// Direction numbers v_k as fractions of 2³⁰, `[bitCount, dimensionCount]`: all dimensions' v_0 first.
  let numbers: [UInt32]

  /// The one table, unpacked when it is first asked for (some milliseconds).
  static let shared = SobolDirections()

  private init() {
    var numbers = [UInt32](repeating: 0, count: Self.bitCount * Self.dimensionCount)
    var reader = PackedBits(SobolDirectionData.text)
    for dimension in 0..<Self.dimensionCount {
      let column = dimension == 0 ? Self.firstColumn : Self.column(&reader)
      for (k, number) in column.enumerated() {
        numbers[k * Self.dimensionCount + dimension] = number << UInt32(Self.bitCount - 1 - k)
      }
    }
    self.numbers = numbers
  }

  /// Van der Corput's sequence: every m_k is 1.
  private static let firstColumn = [UInt32](repeating: 1, count: bitCount)

  /// m_1 … m_30 of the next dimension, by the recurrence of its polynomial `x^s + a_1 x^(s−1) + … + a_(s−1) x + 1`:
  /// `m_k = 2 a_1 m_(k−1) ⊕ 2² a_2 m_(k−2) ⊕ … ⊕ 2^s m_(k−s) ⊕ m_(k−s)` (Joe and Kuo 2008, equation 2.2).
  private static func column(_ reader: inout PackedBits) -> [UInt32] {
    let polynomial = reader.next(SobolDirectionData.polynomialWidth)
    let degree = UInt32.bitWidth - 1 - polynomial.leadingZeroBitCount
    var column = (0..<degree).map { 2 * reader.next($0) + 1 }
    for k in degree..<bitCount {
      var number = column[k - degree]
      for i in 1...degree where polynomial >> UInt32(degree - i) & 1 == 1 {
        number ^= column[k - i] << UInt32(i)
      }
      column.append(number)
    }
    return column
  }
}

/// Reads bits, most significant first, from characters of the base-64 alphabet; others are skipped.
private struct PackedBits {
  private var characters: Substring.UTF8View
  private var held: UInt64 = 0
  private var heldCount = 0

  init(_ text: String) { characters = text[...].utf8 }

  /// The next bits as a number; zeros after the end.
  mutating func next(_ count: Int) -> UInt32 {
    while heldCount < count {
      guard let character = characters.popFirst() else {
        held <<= 6
        heldCount += 6
        continue
      }
      guard let value = Self.value(of: character) else { continue }
      held = held << 6 | UInt64(value)
      heldCount += 6
    }
    heldCount -= count
    return UInt32(truncatingIfNeeded: held >> UInt64(heldCount) & (1 << UInt64(count) - 1))
  }

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
