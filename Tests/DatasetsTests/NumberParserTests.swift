import Datasets
import Foundation
import Testing

@Suite("Reading decimal numbers")
struct NumberParserTests {
  /// What the parser makes of `text`: nil unless it reads all of it.
  static func parse(_ text: String, _ parser: borrowing NumberParser) -> Double? {
    let bytes = Array(text.utf8) + [0]
    return bytes.withUnsafeBufferPointer { buffer in
      var value = 0.0
      guard let start = buffer.baseAddress else { return nil }
      return parser.parse(start, &value) == bytes.count - 1 && bytes.count > 1 ? value : nil
    }
  }

  /// A decimal number in one of the ways that people and programs write them.
  static func randomNumber(_ generator: inout SeededGenerator) -> String {
    func digits(_ count: Int, _ generator: inout SeededGenerator) -> String {
      String((0..<count).map { _ in Character(String(Int.random(in: 0...9, using: &generator))) })
    }
    switch Int.random(in: 0..<7, using: &generator) {
    case 0: return String(format: "%.17g", Double(bitPattern: generator.next()))
    case 1: return String(format: "%.18e", Double.random(in: -4...4, using: &generator))
    case 2: return String(format: "%.4f", Double.random(in: -1000...1000, using: &generator))
    case 3: return "\(Double.random(in: -1...1, using: &generator))"
    case 4:
      let exponent = Int.random(in: -40...40, using: &generator)
      return "\(digits(.random(in: 1...25, using: &generator), &generator))e\(exponent)"
    case 5:
      let fraction = digits(.random(in: 0...25, using: &generator), &generator)
      return "-\(digits(.random(in: 1...6, using: &generator), &generator)).\(fraction)"
    default:
      // Exactly between two neighbours of binary64, or just beside.
      let middle = UInt64.random(in: 1 << 53..<1 << 54, using: &generator) | 1
      return "\(middle)\(["", ".0", ".000000001", "e-3", "e10"].randomElement(using: &generator) ?? "")"
    }
  }

  @Test("every number has the bits that strtod gives it")
  func equalsStrtod() {
    let seed: UInt64 = 20_250_101
    var generator = SeededGenerator(seed: seed)
    let parser = NumberParser()
    for _ in 0..<400_000 {
      let text = Self.randomNumber(&generator)
      let expected = strtod(text, nil)
      if expected.isNaN { continue }
      let value = Self.parse(text, parser)
      if text.contains("inf") || text.contains("nan") {
        #expect(value == nil, "\(text), seed \(seed)")
      } else if value?.bitPattern != expected.bitPattern {
        Issue.record("\(text): \(String(describing: value)) instead of \(expected), seed \(seed)")
      }
    }
  }

  @Test(
    "numbers at the edges have the bits that strtod gives them",
    arguments: [
      "0", "-0", "0.0", "+1", ".5", "5.", "1e22", "1e23", "1e-22", "9007199254740993", "18446744073709551616",
      "18446744073709551615", "184467440737095516160", "4.9e-324", "2.2250738585072014e-308", "1e-400",
      "1e400",
      "1.7976931348623157e308", "1.7976931348623159e308", "00000000000000000000000000001",
      "0.00000000000000000000000000000000000001", "1e000000000000000000000001", "1e99999999999999999999",
      "123456789012345678901234567890", "8.5e27", "9223372036854775808e27", "5e-27",
    ])
  func edges(text: String) {
    let parser = NumberParser()
    #expect(Self.parse(text, parser)?.bitPattern == strtod(text, nil).bitPattern)
  }

  @Test(
    "what is not a decimal number is not read as one",
    arguments: [
      "", "-", "+", ".", "e5", "1e", "1e+", "0x10", "1,5", "1 2", "--1", "1.2.3", "inf", "nan", "1f", "１",
    ])
  func refusals(text: String) {
    let parser = NumberParser()
    #expect(Self.parse(text, parser) == nil)
  }
}
