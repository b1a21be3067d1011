/// A field of a CSV file.
enum CSVField {
  /// RFC 4180 quoting where it is needed.
  static func quoted(_ name: String) -> String {
    guard name.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return name }
    return "\"" + name.replacing("\"", with: "\"\"") + "\""
  }
}
