import Reporting
import TestKit
import Testing

/// Numbers as predictions are written.
@Suite struct DecimalTextTests {
  private func text(_ value: Double) -> String {
    var bytes = [UInt8](repeating: 0, count: DecimalText.longest)
    let count = bytes.withUnsafeMutableBufferPointer { buffer -> Int in
      guard let start = buffer.baseAddress else { return 0 }
      var writer = DecimalText.Writer(start)
      _ = DecimalText.withPowers { writer.append(value, powers: $0) }
      return writer.end - start
    }
    return String(decoding: bytes[0..<count], as: UTF8.self)
  }

  @Test func familiarNumbersLookFamiliar() {
    for (value, expected) in [
      (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (0.5, "0.5"), (100, "100"), (1_234_567.25, "1234567.25"),
      (0.1, "0.1"), (1.0 / 3, "0.333333333333"), (2.0 / 3, "0.666666666667"), (-12.5, "-12.5"),
      (0.00123, "0.00123"), (1e-5, "0.00001"), (9.999_999_999_999_9, "10"), (0.999_999_999_999_99, "1"),
      (999_999_999_999.4, "999999999999"), (999_999_999_999.6, "1000000000000"),
      (-17.6189223476, "-17.6189223476"), (123_456_789_012, "123456789012"), (1e12, "1000000000000.0"),
      (1e-6, "1e-06"), (1e-21, "1e-21"), (1e-22, "1e-22"), (9.999_999_999_999_9e-23, "1e-22"),
      (-2.0 / 3 * 1e-100, "-6.66666666667e-101"), (1.25e-43, "1.25e-43"), (5e-280, "5e-280"),
      (-2.0 / 3 * 1e-7, "-6.66666666667e-08"), (9.999_999_999_999_9e-6, "1e-05"), (3.25e-17, "3.25e-17"),
      (-2.5e-300, "-2.5e-300"), (10, "10"), (0.1 + 0.2, "0.3"),
    ] as [(Double, String)] { #expect(text(value) == expected) }
    for value in [
      Double.infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .pi * -1e-300,
    ] {
      #expect(Double(text(value)) == value)
    }
  }

  @Test func twelveDigitsAreRight() throws {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<20_000 {
      var value = Double.random(in: -1...1, using: &generator)
      for _ in 0..<Int.random(in: 0...13, using: &generator) { value *= 10 }
      let most = Bool.random(using: &generator) ? 24 : 290
      for _ in 0..<Int.random(in: 0...most, using: &generator) { value /= 10 }
      let shown = text(value)
      let back = try #require(Double(shown), "\(shown)")
      #expect(abs(back - value) <= 0.5001e-11 * abs(value), "\(value) \(shown)")
      #expect(shown.utf8.count <= DecimalText.longest)
    }
  }
}
