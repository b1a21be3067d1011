/// Numbers as decimal text of twelve significant digits, which is more than any prediction has.
///
/// Made by correctly rounded arithmetic and integers alone, so that the text is the same on every machine.
package enum DecimalText {
  package static let digits = 12
  /// Bytes of a number, at most.
  package static let longest = 26
  private static let largest: UInt64 = 1_000_000_000_000
  /// Powers of ten that a double holds exactly, from 10⁰.
  private static let powers: [Double] = (0...22).reduce(into: []) { list, _ in
    list.append((list.last ?? 0.1) * 10)
  }
  private static let zero = UInt8(ascii: "0")

  /// Writes numbers into memory that has `longest` bytes for each.
  package struct Writer {
    package private(set) var end: UnsafeMutablePointer<UInt8>

    package init(_ start: UnsafeMutablePointer<UInt8>) { end = start }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
      end.pointee = byte
      end += 1
    }

    mutating func append(_ bytes: [UInt8]) {
      for byte in bytes { append(byte) }
    }

    /// Appends a number, in plain notation from 10⁻⁵ to 10¹², with an exponent from 10⁻²⁸⁰, and by Swift's description
    /// outside.
    @inline(__always)
    package mutating func append(_ value: Double, powers: UnsafePointer<Double>) {
      let magnitude = abs(value)
      guard magnitude >= 1e-5, magnitude < 1e12 else {
        return magnitude >= 1e-280 && magnitude < 1e-5
          ? appendSmall(value, powers: powers) : appendOther(value)
      }
      // Decimals that twelve digits leave room for.
      var decimals = DecimalText.digits - 1
      if magnitude < 1 {
        while magnitude * powers[decimals - DecimalText.digits + 1] < 1 { decimals += 1 }
      } else {
        while magnitude >= powers[DecimalText.digits - decimals] { decimals -= 1 }
      }
      var number = UInt64(magnitude * powers[decimals] + 0.5)
      if value < 0 { append(UInt8(ascii: "-")) }
      if number >= DecimalText.largest {
        guard decimals > 0 else { return append(Array("\(number)".utf8)) }
        number /= 10
        decimals -= 1
      }
      appendDigits(number, decimals: decimals)
    }

    /// Appends `number / 10^decimals` without trailing zeros; `number` has all twelve digits.
    @inline(__always)
    private mutating func appendDigits(_ number: UInt64, decimals: Int) {
      // One digit a byte, the first one lowest: eight digits, and four.
      let head = DecimalText.eightDigits(number / 10_000)
      let tail = DecimalText.fourDigits(UInt32(truncatingIfNeeded: number % 10_000))
      let zeros = tail != 0 ? tail.leadingZeroBitCount / 8 : 4 + head.leadingZeroBitCount / 8
      let whole = DecimalText.digits - decimals
      let kept = DecimalText.digits - zeros
      if whole > 0 {
        // All digits one place to the right, then the whole part back.
        store(head, tail, at: end + 1)
        for index in 0..<whole { end[index] = end[index + 1] }
        guard kept > whole else { return end += whole }
        end[whole] = UInt8(ascii: ".")
        end += kept + 1
      } else {
        append(DecimalText.zero)
        append(UInt8(ascii: "."))
        for _ in 0..<(-whole) { append(DecimalText.zero) }
        store(head, tail, at: end)
        end += kept
      }
    }

    @inline(__always)
    private func store(_ head: UInt64, _ tail: UInt32, at place: UnsafeMutablePointer<UInt8>) {
      let raw = UnsafeMutableRawPointer(place)
      raw.storeBytes(of: (head | 0x3030_3030_3030_3030).littleEndian, as: UInt64.self)
      (raw + 8).storeBytes(of: (tail | 0x3030_3030).littleEndian, as: UInt32.self)
    }

    /// Appends a number from 10⁻²⁸⁰ to 10⁻⁵ as a digit, decimals, and an exponent of at least two digits.
    private mutating func appendSmall(_ value: Double, powers: UnsafePointer<Double>) {
      let (last, most) = (DecimalText.digits - 1, 22)
      var (magnitude, shift) = (abs(value), 0)
      // Each of these few products is off by half a unit of its sixteenth digit at most.
      while magnitude < 1e-21 {
        magnitude *= powers[most]
        shift += most
      }
      var exponent = shift > 0 ? 0 : 6
      while magnitude * powers[exponent] < 1 { exponent += 1 }
      let scaled =
        exponent + last <= most
        ? magnitude * powers[exponent + last] : magnitude * powers[most] * powers[exponent + last - most]
      var number = UInt64(scaled + 0.5)
      if number >= DecimalText.largest {
        number /= 10
        exponent -= 1
      }
      if value < 0 { append(UInt8(ascii: "-")) }
      appendDigits(number, decimals: last)
      append(UInt8(ascii: "e"))
      append(UInt8(ascii: "-"))
      exponent += shift
      if exponent >= 100 { append(DecimalText.zero + UInt8(exponent / 100)) }
      append(DecimalText.zero + UInt8(exponent / 10 % 10))
      append(DecimalText.zero + UInt8(exponent % 10))
    }

    private mutating func appendOther(_ value: Double) {
      guard value != 0 else { return append(DecimalText.zero) }
      append(Array("\(value)".utf8))
    }
  }

  /// The decimal digits of a number below 10⁸, a byte each, the first one lowest: four, two and then one digit are cut
  /// from all fields of the word at once, by multiplications in place of divisions.
  @inline(__always)
  private static func eightDigits(_ number: UInt64) -> UInt64 {
    let fours = number / 10_000 | (number % 10_000) << 32
    let hundreds = ((fours &* 10_486) >> 20) & 0x0000_007F_0000_007F
    let pairs = hundreds | (fours &- 100 &* hundreds) << 16
    let tens = ((pairs &* 103) >> 10) & 0x000F_000F_000F_000F
    return tens | (pairs &- 10 &* tens) << 8
  }

  /// As `eightDigits`, of a number below 10⁴.
  @inline(__always)
  private static func fourDigits(_ number: UInt32) -> UInt32 {
    let hundreds = (number &* 10_486) >> 20
    let pairs = hundreds | (number &- 100 &* hundreds) << 16
    let tens = ((pairs &* 103) >> 10) & 0x000F_000F
    return tens | (pairs &- 10 &* tens) << 8
  }

  /// Calls `body` with the table that `Writer` needs.
  package static func withPowers<Result>(_ body: (UnsafePointer<Double>) -> Result?) -> Result? {
    powers.withUnsafeBufferPointer { $0.baseAddress.flatMap(body) }
  }
}
