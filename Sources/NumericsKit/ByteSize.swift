/// A number of bytes as people write it: `500M`, `20G`, `1.5T`, `4096`. Units are powers of 1000; with an `i`
/// (`20Gi`), of 1024. A `B` may follow.
public struct ByteSize: Sendable, Hashable, CustomStringConvertible {
  public let bytes: Int

  public init(bytes: Int) { self.bytes = bytes }

  /// nil for anything that is no size.
  public init?(_ text: String) {
    var rest = text[...]
    if rest.last == "B" || rest.last == "b" { rest = rest.dropLast() }
    var base = 1000.0
    if rest.last == "i" {
      base = 1024
      rest = rest.dropLast()
    }
    var factor = 1.0
    if let unit = rest.last, let power = ["k", "m", "g", "t"].firstIndex(of: unit.lowercased()) {
      for _ in 0...power { factor *= base }
      rest = rest.dropLast()
    } else if base == 1024 {
      return nil
    }
    guard let number = Double(rest), rest.first?.isNumber == true, number * factor < 0x1p62 else {
      return nil
    }
    bytes = Int(number * factor)
  }

  public var description: String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 1000, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    if unit == 0 { return "\(bytes) B" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
