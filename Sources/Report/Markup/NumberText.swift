import Foundation

/// Numbers as people read them.
package enum NumberText {
  /// Some significant digits, a true minus sign, powers of ten where needed; "—" for what is not finite.
  package static func short(_ value: Double?, digits: Int = 4) -> String {
    guard let value, !value.isNaN else { return "—" }
    guard value.isFinite else { return value > 0 ? "∞" : "−∞" }
    guard value != 0 else { return "0" }
    let text = String(format: "%.\(digits - 1)e", value)
    guard let place = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: place)...]) else {
      return text
    }
    if (-4...6).contains(exponent) {
      return signed(String(format: "%.\(max(0, digits - 1 - exponent))f", value))
    }
    return signed(String(text[..<place])) + "·10" + superscript(exponent)
  }

  /// A fixed number of decimals.
  package static func fixed(_ value: Double?, decimals: Int) -> String {
    guard let value, value.isFinite, abs(value) < 1e15 else { return short(value) }
    return signed(String(format: "%.\(decimals)f", value))
  }

  /// A whole number with thin spaces between thousands.
  package static func count(_ value: Int) -> String {
    var digits = Array(String(value.magnitude))
    var place = digits.count - 3
    while place > 0 {
      if digits.count > 4 || value.magnitude >= 10_000 { digits.insert("\u{202F}", at: place) }
      place -= 3
    }
    return (value < 0 ? "−" : "") + String(digits)
  }

  /// A count with its noun.
  package static func count(_ value: Int, _ one: String, _ many: String) -> String {
    "\(count(value)) \(value == 1 ? one : many)"
  }

  /// A share in percent.
  package static func percent(_ value: Double) -> String {
    guard value.isFinite else { return "—" }
    return signed(String(format: value >= 0.0995 || value == 0 ? "%.0f" : "%.1f", 100 * value)) + "\u{202F}%"
  }

  /// Seconds as a person says them.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return "—" }
    if seconds < 120 { return "\(short(seconds, digits: 2)) s" }
    if seconds < 7200 { return String(format: "%.0f min", seconds / 60) }
    return String(format: "%.1f h", seconds / 3600)
  }

  private static func signed(_ text: String) -> String {
    guard text.hasPrefix("-") else { return text }
    let rest = text.dropFirst()
    return rest.contains { ("1"..."9").contains($0) } ? "−" + rest : String(rest)
  }

  /// A whole number in superscript.
  package static func superscript(_ value: Int) -> String {
    String(
      String(value).map { digit in
        switch digit {
        case "-": "⁻"
        case "0": "⁰"
        case "1": "¹"
        case "2": "²"
        case "3": "³"
        case "4": "⁴"
        case "5": "⁵"
        case "6": "⁶"
        case "7": "⁷"
        case "8": "⁸"
        default: "⁹"
        }
      })
  }

  /// A place in a drawing, to a tenth.
  package static func place(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
    let (whole, rest) = (tenths.magnitude / 10, tenths.magnitude % 10)
    return (tenths < 0 ? "-" : "") + "\(whole)" + (rest == 0 ? "" : ".\(rest)")
  }
}
