/// Numbers as decimal text of twelve significant digits, which is more than any prediction has.
///
/// Made by correctly rounded arithmetic and integers alone, so that the text is the same on every machine.
package enum DecimalText {
  package static let digits = 12
  /// Bytes of a number, at most.
  package static let longest = 26
  private static let largest: UInt64 = 1_000_000_000_000
  /// Powers of ten that a double holds exactly, from 10⁰.
  private static let powers: [Double] = (0...17).reduce(into: []) { list, _ in
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

    /// Appends a number, in plain notation from 10⁻⁵ to 10¹² and by Swift's description outside.
    @inline(__always)
    package mutating func append(_ value: Double, powers: UnsafePointer<Double>) {
      let magnitude = abs(value)
      guard magnitude >= 1e-5, magnitude < 1e12 else { return appendOther(value) }
      // Decimals that twelve digits leave room for.
      var decimals = DecimalText.digits - 1
      if magnitude < 1 {
        while magnitude * powers[decimals - DecimalText.digits + 1] < 1 { decimals += 1 }
      } else {
        while magnitude >= powers[DecimalText.digits - decimals] { decimals -= 1 }
      }
      var number = UInt64(magnitude * powers[decimals] + 0.5)
      if number >= DecimalText.largest, decimals > 0 {
        number /= 10
        decimals -= 1
      }
      if value < 0 { append(UInt8(ascii: "-")) }
      appendDigits(number, decimals: decimals)
    }

    /// Appends `number / 10^decimals` without trailing zeros.
    @inline(__always)
    private mutating func appendDigits(_ number: UInt64, decimals: Int) {
      var rest = number
      var decimals = decimals
      while decimals >= 4, rest % 10_000 == 0 {
        rest /= 10_000
        decimals -= 4
      }
      while decimals > 0, rest % 10 == 0 {
        rest /= 10
        decimals -= 1
      }
      // Written from the right; below 1 there are zeros in front.
      var own = 1
      var bound: UInt64 = 10
      while own <= DecimalText.digits, rest >= bound {
        bound *= 10
        own += 1
      }
      let count = max(own, decimals + 1)
      let length = count + (decimals > 0 ? 1 : 0)
      var place = end + length
      for index in 0..<count {
        if index == decimals, decimals > 0 {
          place -= 1
          place.pointee = UInt8(ascii: ".")
        }
        let next = rest / 10
        place -= 1
        place.pointee = DecimalText.zero + UInt8(truncatingIfNeeded: rest - 10 * next)
        rest = next
      }
      end += length
    }

    private mutating func appendOther(_ value: Double) {
      guard value != 0 else { return append(DecimalText.zero) }
      append(Array("\(value)".utf8))
    }
  }

  /// Calls `body` with the table that `Writer` needs.
  package static func withPowers<Result>(_ body: (UnsafePointer<Double>) -> Result?) -> Result? {
    powers.withUnsafeBufferPointer { $0.baseAddress.flatMap(body) }
  }
}
