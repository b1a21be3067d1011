import Foundation

/// Names that a netCDF group takes, made from any.
///
/// A name begins with a letter, a digit, an underscore or a character beyond ASCII; it has no slash, no control
/// character and no space at its end, and 256 bytes at most. What is not allowed becomes an underscore, and a name that
/// is taken gets a number.
struct NetCDFNames {
  private var taken: Set<String>

  init(taken: [String] = []) { self.taken = Set(taken) }

  private static let mostBytes = 200

  /// A name of its own for something.
  mutating func name(for given: String) -> String {
    let name = NetCDFNames.allowed(given)
    var candidate = name
    var number = 2
    while !taken.insert(candidate).inserted {
      candidate = "\(name)_\(number)"
      number += 1
    }
    return candidate
  }

  private static func allowed(_ given: String) -> String {
    var name = ""
    var bytes = 0
    for scalar in given.precomposedStringWithCanonicalMapping.unicodeScalars {
      let isAllowed = scalar.value >= 0x20 && scalar.value != 0x7F && scalar != "/"
      bytes += UTF8.width(scalar)
      guard bytes <= mostBytes else { break }
      name.unicodeScalars.append(isAllowed ? scalar : "_")
    }
    while name.unicodeScalars.last == " " { name.unicodeScalars.removeLast() }
    guard let first = name.unicodeScalars.first else { return "_" }
    let begins =
      first == "_" || first.value >= 0x80 || ("0"..."9").contains(first) || ("a"..."z").contains(first)
      || ("A"..."Z").contains(first)
    return begins && !name.hasPrefix("_nc4_non_coord_") ? name : "_" + name
  }
}
