import Foundation

/// The first record of a CSV file: the names of its columns.
enum CSVHeader {
  /// Reads the names; throws where one is empty, there twice, too long or not UTF-8.
  static func read<Source: ByteSource>(_ tokenizer: inout CSVTokenizer<Source>) throws -> [String] {
    try tokenizer.skipByteOrderMark()
    guard try tokenizer.beginRecord(), tokenizer.emptyLines == 0 else {
      let what = tokenizer.emptyLines == 0 ? "is empty" : "starts with an empty line"
      throw DatasetError(.badData, "\(tokenizer.name):1: \(what); the first line has to name the columns")
    }
    var names: [String] = []
    var seen: [String: Int] = [:]
    while true {
      let terminator = try tokenizer.nextField()
      let name = try self.name(tokenizer)
      if let earlier = seen.updateValue(names.count, forKey: name) {
        throw tokenizer.failure("has the same name '\(name)' as column \(earlier + 1); rename one of them")
      }
      names.append(name)
      guard names.count <= DatasetLimits.columns else {
        throw tokenizer.failure("is one more than the limit of \(DatasetLimits.columns) columns")
      }
      if terminator != .comma { break }
    }
    if names.count == 1, let name = names.first,
      let separator = name.first(where: { $0 == ";" || $0 == "\t" })
    {
      let kind = separator == ";" ? "semicolons" : "tabs"
      throw DatasetError(.badData, "\(tokenizer.name):1: is separated by \(kind); convert it to commas")
    }
    tokenizer.columnNames = names
    return names
  }

  private static func name<Source: ByteSource>(_ tokenizer: borrowing CSVTokenizer<Source>) throws -> String {
    guard tokenizer.fieldCount <= DatasetLimits.nameBytes else {
      throw tokenizer.failure("has a name of more than \(DatasetLimits.nameBytes) bytes")
    }
    guard let text = tokenizer.fieldText else {
      throw tokenizer.failure("has a name that is not valid UTF-8; convert the file to UTF-8")
    }
    let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !name.isEmpty else { throw tokenizer.failure("has no name; name every column in the first line") }
    return name
  }

  /// The error for a file whose header is not the first file's.
  static func differs(_ header: [String], from expected: [String], name: String, first: String)
    -> DatasetError
  {
    guard header.count == expected.count,
      let index = header.indices.first(where: { header[$0] != expected[$0] })
    else {
      return DatasetError(
        .badData,
        "\(name):1: has \(header.count) columns, but \(first) has \(expected.count); all files need the same header"
      )
    }
    return DatasetError(
      .badData,
      "\(name):1: column \(index + 1) is '\(header[index])', but in \(first) it is '\(expected[index])'; "
        + "all files need the same header")
  }
}

/// The name of a category.
enum CategoryName {
  /// The text of a field as a category's name; nil if it is too long or not UTF-8. Labels that are integers are
  /// written the one usual way: `1.0` and `01` are the class `1`.
  static func make(
    _ text: UnsafeBufferPointer<UInt8>, isLabel: Bool, _ numbers: borrowing NumberParser
  ) -> String? {
    guard text.count <= DatasetLimits.nameBytes, let name = String(bytes: text, encoding: .utf8) else {
      return nil
    }
    var value = 0.0
    if isLabel, let start = text.baseAddress, numbers.parse(start, &value) == text.count,
      let integer = Int(exactly: value), abs(value) < 0x1p53
    {
      return String(integer)
    }
    return name
  }
}
