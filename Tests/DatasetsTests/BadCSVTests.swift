import Datasets
import Testing

/// CSV text that has to be refused, and how.
struct BadCSV: Sendable, CustomTestStringConvertible {
  let what: String
  let text: [UInt8]
  var options = ImportOptions()
  /// The message starts with this …
  let place: String
  /// … and contains this.
  let reason: String

  var testDescription: String { what }

  init(
    _ what: String, _ text: String, _ options: ImportOptions = ImportOptions(), at place: String,
    _ reason: String
  ) {
    self.init(what, Array(text.utf8), options, at: place, reason)
  }

  init(
    _ what: String, _ text: [UInt8], _ options: ImportOptions = ImportOptions(), at place: String,
    _ reason: String
  ) {
    self.what = what
    self.text = text
    self.options = options
    self.place = place
    self.reason = reason
  }

  static func response(_ kind: ResponseKind, _ classes: [String]? = nil) -> ImportOptions {
    ImportOptions(response: ResponseColumn(name: "y", kind: kind, classes: classes))
  }

  static let all: [BadCSV] = [
    BadCSV("empty file", "", at: "t.csv:1:", "is empty"),
    BadCSV("only a byte order mark", "\u{FEFF}", at: "t.csv:1:", "is empty"),
    BadCSV("empty first line", "\na,b\n1,2\n", at: "t.csv:1:", "starts with an empty line"),
    BadCSV("missing value", "a,b\n1,2\n3,\n", at: "t.csv:3: column 2 'b'", "the value is missing"),
    BadCSV("NA", "a,b\n1,2\nNA,4\n", at: "t.csv:3: column 1 'a'", "the value is missing"),
    BadCSV("NaN", "a,b\n1,2\n3,NaN\n", at: "t.csv:3: column 2 'b'", "the value is missing"),
    BadCSV("null", "a,b\n1,null\n", at: "t.csv:2: column 2 'b'", "the value is missing"),
    BadCSV("question mark", "a,b\n1,?\n", at: "t.csv:2: column 2 'b'", "the value is missing"),
    BadCSV("quoted nothing", "a,b\n1,\"\"\n", at: "t.csv:2: column 2 'b'", "the value is missing"),
    BadCSV("missing category", "a,b\nx,1\n,2\n", at: "t.csv:3: column 1 'a'", "the value is missing"),
    BadCSV(
      "text in a numeric column", "a,b\n1,2\n3,four\n", at: "t.csv:3: column 2 'b'",
      "holds 'four', which is not a number"),
    BadCSV("hexadecimal", "a\n1\n0x10\n", at: "t.csv:3: column 1 'a'", "not a number"),
    BadCSV("thousands separator", "a,b\n1,2\n1,\"1,000\"\n", at: "t.csv:3: column 2 'b'", "holds '1,000'"),
    BadCSV("short record", "a,b,c\n1,2,3\n4,5\n", at: "t.csv:3:", "2 of 3 fields"),
    BadCSV("long record", "a,b\n1,2\n3,4,5\n", at: "t.csv:3:", "more than 2 fields"),
    BadCSV("short last record", "a,b\n1,2\n3", at: "t.csv:3:", "1 of 2 fields"),
    BadCSV("empty line inside", "a,b\n1,2\n\n3,4\n", at: "t.csv:3:", "is an empty line"),
    BadCSV("duplicate header", "a,b,a\n1,2,3\n", at: "t.csv:1: column 3", "the same name 'a' as column 1"),
    BadCSV("empty header", "a,,c\n1,2,3\n", at: "t.csv:1: column 2", "has no name"),
    BadCSV("blank header", "a, \n1,2\n", at: "t.csv:1: column 2", "has no name"),
    BadCSV(
      "infinity", "a,b\n1,2\n3,inf\n", at: "t.csv:3: column 2 'b'",
      "holds 'inf', which is not a finite number"),
    BadCSV("minus infinity", "a\n-Infinity\n", at: "t.csv:2: column 1 'a'", "not a finite number"),
    BadCSV(
      "overflow", "a,b\n1,2\n1e999,3\n", at: "t.csv:3: column 1 'a'",
      "holds '1e999', which is not a finite number"),
    BadCSV(
      "open quote", "a,b\n1,2\n3,\"4\n5,6\n", at: "t.csv:3: column 2 'b'",
      "opens a quote that is never closed"),
    BadCSV(
      "text after a quote", "a,b\n1,\"2\"x\n", at: "t.csv:2: column 2 'b'", "text after its closing quote"),
    BadCSV("quote inside a field", "a,b\n1,2\"3\n", at: "t.csv:2: column 2 'b'", "quote inside a field"),
    BadCSV(
      "stray carriage return", "a,b\n1,2\r3,4\n", at: "t.csv:2: column 2 'b'",
      "carriage return without a line feed"),
    BadCSV("NUL in a field", "a,b\n1,2\u{0}\n", at: "t.csv:2: column 2 'b'", "NUL byte"),
    BadCSV("NUL in quotes", "a,b\n1,\"2\u{0}\"\n", at: "t.csv:2: column 2 'b'", "NUL byte"),
    BadCSV("NUL in the header", "a,b\u{0}\n1,2\n", at: "t.csv:1: column 2", "NUL byte"),
    BadCSV(
      "header not UTF-8", [0x61, 0x2C, 0xFF, 0xFE, 0x0A, 0x31], at: "t.csv:1: column 2", "not valid UTF-8"),
    BadCSV(
      "category not UTF-8", [0x61, 0x0A, 0xC3, 0x28, 0x0A], at: "t.csv:2: column 1 'a'", "not valid UTF-8"),
    BadCSV("compressed", [0x1F, 0x8B, 0x08, 0x00], at: "t.csv:", "is compressed"),
    BadCSV("semicolons", "a;b\n1;2\n", at: "t.csv:1:", "separated by semicolons"),
    BadCSV(
      "long name", String(repeating: "n", count: 1025) + "\n1\n", at: "t.csv:1: column 1",
      "more than 1024 bytes"),
    BadCSV(
      "long field", "a\nx" + String(repeating: "y", count: 70_000) + "\n", at: "t.csv:2: column 1 'a'",
      "more than 65536 bytes"),
    BadCSV(
      "long category", "a\nx" + String(repeating: "y", count: 2000) + "\n", at: "t.csv:2: column 1 'a'",
      "too long for a category"),
    BadCSV(
      "too many columns", (0...65_536).map { "c\($0)" }.joined(separator: ",") + "\n",
      at: "t.csv:1: column 65537", "limit of 65536 columns"),
    BadCSV(
      "too many categories", "a\n" + (0...65_536).map { "k\($0)\n" }.joined(),
      at: "t.csv:65538: column 1 'a'",
      "more than 65536 different texts"),
    BadCSV(
      "unknown column", "a,b\n1,2\n", ImportOptions(columns: ["a", "z", "q"]), at: "t.csv:",
      "no columns 'z', 'q'"),
    BadCSV(
      "column twice", "a,b\n1,2\n", ImportOptions(columns: ["a", "a"]), at: "t.csv:", "'a' is asked for twice"
    ),
    BadCSV(
      "unknown categorical column", "a,b\n1,2\n", ImportOptions(categoricalColumns: ["z"]), at: "t.csv:",
      "no column 'z'"),
    BadCSV("no response", "a,b\n1,2\n", response(.binary), at: "t.csv:", "no column 'y'"),
    BadCSV(
      "binary 2", "a,y\n1,0\n1,1\n1,2\n", response(.binary), at: "t.csv:4: column 2 'y'",
      "holds '2', but a binary"),
    BadCSV(
      "binary 0.5", "y\n0.5\n", response(.binary), at: "t.csv:2: column 1 'y'", "a binary response is 0 or 1"),
    BadCSV(
      "binary text after a number", "y\n0\nyes\n", response(.binary), at: "t.csv:3: column 1 'y'",
      "not a number"),
    BadCSV(
      "third category", "y\nno\nyes\nno\nmaybe\n", response(.binary), at: "t.csv:5: column 1 'y'",
      "third category, 'maybe'"),
    BadCSV(
      "unknown binary class", "y\nno\nperhaps\n", response(.binary, ["no", "yes"]),
      at: "t.csv:3: column 1 'y'",
      "class 'perhaps', which the training data don't have; they have 'no', 'yes'"),
    BadCSV(
      "unknown class", "y\n1\n3\n", response(.classes, ["1", "2"]), at: "t.csv:3: column 1 'y'",
      "class '3', which the training data don't have"),
    BadCSV(
      "too many classes", "y\n" + (0...1000).map { "\($0)\n" }.joined(), response(.classes),
      at: "t.csv:1002: column 1 'y'", "more than 1000 different"),
    BadCSV(
      "real response that is text", "y\nhigh\n", response(.real), at: "t.csv:2: column 1 'y'",
      "holds 'high', which is not"),
  ]
}

@Suite("Refusing bad CSV")
struct BadCSVTests {
  @Test("the message names file, line and column, and the exit code is 65", arguments: BadCSV.all)
  func refusal(bad: BadCSV) {
    for bufferBytes in [8, 1 << 20] {
      let error = datasetError { _ = try rows(bad.text, bad.options, bufferBytes: bufferBytes) }
      #expect(error?.code == .badData)
      #expect(error?.code.exitCode == 65)
      let message = error?.message ?? ""
      #expect(message.hasPrefix(bad.place), "\(message)")
      #expect(message.contains(bad.reason), "\(message)")
    }
  }

  @Test("a file with a header only, or with incomplete records only, is refused")
  func noRecords() throws {
    let scratch = try Scratch()
    let empty = try scratch.file("empty.csv", "a,b\n")
    let none = datasetError { try DatasetImporter.importCSV(files: [empty], into: scratch.path + "/t") }
    #expect(none?.code == .badData)
    #expect(none?.message == "\(empty): has no records, only a header")
    let missing = try scratch.file("missing.csv", "a,b\n1,\n,2\n")
    let all = datasetError {
      try DatasetImporter.importCSV(
        files: [missing], into: scratch.path + "/t", options: ImportOptions(missingValues: .drop))
    }
    #expect(all?.message == "\(missing): has no record left: all 2 have missing values")
  }

  @Test("a file that is not there is exit code 66, and names the path")
  func noInput() throws {
    let scratch = try Scratch()
    let error = datasetError {
      try DatasetImporter.importCSV(files: [scratch.path + "/none.csv"], into: scratch.path + "/t")
    }
    #expect(error?.code == .noInput)
    #expect(error?.code.exitCode == 66)
    #expect(error?.message.hasPrefix(scratch.path + "/none.csv: can't be opened") == true)
  }

  @Test("files of one table need one header")
  func differentHeaders() throws {
    let scratch = try Scratch()
    let first = try scratch.file("1.csv", "a,b\n1,2\n")
    let other = try scratch.file("2.csv", "a,c\n1,2\n")
    let wide = try scratch.file("3.csv", "a,b,c\n1,2,3\n")
    let named = datasetError {
      try DatasetImporter.importCSV(files: [first, other], into: scratch.path + "/t")
    }
    #expect(named?.message.hasPrefix("\(other):1: column 2 is 'c', but in \(first) it is 'b'") == true)
    let counted = datasetError {
      try DatasetImporter.importCSV(files: [first, wide], into: scratch.path + "/t")
    }
    #expect(counted?.message.hasPrefix("\(wide):1: has 3 columns, but \(first) has 2") == true)
  }
}
