import Foundation

/// Reads decimal numbers from bytes, to the same bits as `strtod` in the C locale.
///
/// Most numbers take one of two exact paths: a mantissa below 2⁵³ times or over a power of ten that is itself
/// exact (Clinger, "How to read floating point numbers accurately", 1990), or the same in the 64-bit mantissa of
/// the x87 format wherever rounding the result to 53 bits can't depend on its error. The rest go to `strtod`.
package struct NumberParser: ~Copyable {
  /// 10⁰ … 10²², all exact in binary64.
  private let powers: UnsafeMutablePointer<Double>
  private static let exactPowers = 22
  #if arch(x86_64) && !os(Windows)
    /// 10⁰ … 10²⁷, all exact in the x87 format.
    private let extendedPowers: UnsafeMutablePointer<Float80>
    private static let exactExtendedPowers = 27
  #endif
  private let locale: locale_t?

  package init() {
    powers = .allocate(capacity: Self.exactPowers + 1)
    var power = 1.0
    for exponent in 0...Self.exactPowers {
      (powers + exponent).initialize(to: power)
      power *= 10
    }
    #if arch(x86_64) && !os(Windows)
      extendedPowers = .allocate(capacity: Self.exactExtendedPowers + 1)
      var extended: Float80 = 1
      for exponent in 0...Self.exactExtendedPowers {
        (extendedPowers + exponent).initialize(to: extended)
        extended *= 10
      }
    #endif
    #if os(Linux)
      locale = newlocale(1 << LC_NUMERIC, "C", nil)
    #else
      locale = newlocale(LC_NUMERIC_MASK, "C", nil)
    #endif
  }

  deinit {
    powers.deallocate()
    #if arch(x86_64) && !os(Windows)
      extendedPowers.deallocate()
    #endif
    if let locale { freelocale(locale) }
  }

  /// Reads the number that starts at `text`: `[+-] digits [. digits] [e [+-] digits]`.
  ///
  /// The bytes must end with one that can't continue a number.
  /// - Returns: the number of bytes read (0 if there is no number here); `value` is infinite on overflow.
  @inline(__always)
  package borrowing func parse(_ text: UnsafePointer<UInt8>, _ value: inout Double) -> Int {
    var cursor = text
    var isNegative = false
    if cursor.pointee == 0x2D {
      isNegative = true
      cursor += 1
    } else if cursor.pointee == 0x2B {
      cursor += 1
    }
    var mantissa: UInt64 = 0
    var significantDigits = 0
    let integerStart = cursor
    while true {
      let digit = cursor.pointee &- 0x30
      if digit > 9 { break }
      significantDigits += mantissa | UInt64(digit) == 0 ? 0 : 1
      mantissa = mantissa &* 10 &+ UInt64(digit)
      cursor += 1
    }
    var digits = cursor - integerStart
    var exponent = 0
    if cursor.pointee == 0x2E {
      cursor += 1
      let fractionStart = cursor
      while true {
        let digit = cursor.pointee &- 0x30
        if digit > 9 { break }
        significantDigits += mantissa | UInt64(digit) == 0 ? 0 : 1
        mantissa = mantissa &* 10 &+ UInt64(digit)
        cursor += 1
      }
      let fraction = cursor - fractionStart
      digits += fraction
      exponent = -fraction
    }
    if digits == 0 { return 0 }
    if cursor.pointee | 0x20 == 0x65 {
      var power = cursor + 1
      var isPowerNegative = false
      if power.pointee == 0x2D {
        isPowerNegative = true
        power += 1
      } else if power.pointee == 0x2B {
        power += 1
      }
      let powerStart = power
      var written = 0
      while true {
        let digit = power.pointee &- 0x30
        if digit > 9 { break }
        if written < 1_000_000 { written = written * 10 + Int(digit) }
        power += 1
      }
      if power == powerStart { return 0 }
      exponent += isPowerNegative ? -written : written
      cursor = power
    }
    let magnitude = exactMagnitude(mantissa, significantDigits: significantDigits, exponent: exponent)
    value = magnitude.map { isNegative ? -$0 : $0 } ?? slowValue(text)
    return cursor - text
  }

  /// mantissa · 10^exponent where one exactly rounded operation gives it; nil elsewhere.
  @inline(__always)
  private borrowing func exactMagnitude(_ mantissa: UInt64, significantDigits: Int, exponent: Int) -> Double?
  {
    // Beyond 19 digits the mantissa may have overflowed.
    guard significantDigits <= 19 else { return nil }
    if mantissa == 0 { return 0 }
    if mantissa <= 1 << 53, exponent >= -Self.exactPowers, exponent <= Self.exactPowers {
      let number = Double(Int64(truncatingIfNeeded: mantissa))
      return exponent < 0 ? number / powers[-exponent] : number * powers[exponent]
    }
    #if arch(x86_64) && !os(Windows)
      if exponent >= -Self.exactExtendedPowers, exponent <= Self.exactExtendedPowers {
        let number = Float80(mantissa)
        let result = exponent < 0 ? number / extendedPowers[-exponent] : number * extendedPowers[exponent]
        // `result` is within half a unit of its 64th bit; rounding to 53 bits is safe unless the 11 bits to be
        // dropped are next to one half. The range (1e-27 … 2e46) holds no subnormals and no overflow.
        let dropped = result.significandBitPattern & 0x7FF
        if dropped < 0x3FF || dropped > 0x401 { return Double(result) }
      }
    #endif
    return nil
  }

  @inline(never)
  private borrowing func slowValue(_ text: UnsafePointer<UInt8>) -> Double {
    // The decimal point must be a point whatever locale the process has; this changes it for this thread only.
    let previous = uselocale(locale)
    defer { uselocale(previous) }
    return text.withMemoryRebound(to: CChar.self, capacity: 1) { strtod($0, nil) }
  }
}
