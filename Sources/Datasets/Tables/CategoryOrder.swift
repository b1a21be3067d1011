/// The order of the categories of a column, and so of the classes of a response.
///
/// Numerical if all are integers; by their UTF-8 bytes otherwise. It does not depend on the order of the rows.
enum CategoryOrder {
  /// The indices of `texts` in the order of the categories.
  static func sorted(_ texts: [String]) -> [Int] {
    let integers = texts.map { integer($0) }
    if integers.allSatisfy({ $0 != nil }) {
      return texts.indices.sorted { (integers[$0] ?? 0, texts[$0]) < (integers[$1] ?? 0, texts[$1]) }
    }
    return texts.indices.sorted { texts[$0].utf8.lexicographicallyPrecedes(texts[$1].utf8) }
  }

  /// The integer that a text is, written the one usual way; nil for anything else.
  private static func integer(_ text: String) -> Int? {
    guard let value = Int(text), String(value) == text else { return nil }
    return value
  }

  /// The index of `text` among `categories`, compared byte by byte.
  static func index(of text: String, in categories: [String]) -> Int? {
    categories.firstIndex { $0.utf8.elementsEqual(text.utf8) }
  }
}
