import Datasets
import Foundation
import Testing

@Suite("Manifests")
struct ManifestTests {
  /// A folder with an imported table, and the bytes of its manifest.
  static func imported(_ scratch: Scratch) throws -> (folder: String, bytes: [UInt8]) {
    let file = try scratch.file("t.csv", "a,k\n1,x\n2,y\n3,x\n")
    let folder = scratch.path + "/t"
    try DatasetImporter.importCSV(files: [file], into: folder, options: ImportOptions(rowsPerShard: 2))
    return (folder, try Array(Data(contentsOf: URL(fileURLWithPath: folder + "/manifest.json"))))
  }

  /// The manifest inside the frame that holds its digest.
  static func text(_ bytes: [UInt8]) -> String {
    let all = String(decoding: bytes, as: UTF8.self)
    guard let start = all.range(of: "\"manifest\": ") else { return "" }
    return String(all[start.upperBound...].dropLast(3))
  }

  @Test("a manifest is JSON, and reads back as it was written")
  func roundTrip() throws {
    let scratch = try Scratch()
    let (folder, bytes) = try Self.imported(scratch)
    #expect(try JSONSerialization.jsonObject(with: Data(bytes)) is [String: Any])
    #expect(try DatasetManifest.parse(bytes) == Dataset.open(folder: folder).manifest)
    #expect(try DatasetManifest.decode(Array(Self.text(bytes).utf8)).rows == 3)
  }

  @Test("a manifest cut off anywhere, or with any byte changed, is refused")
  func damage() throws {
    let (_, bytes) = try Self.imported(Scratch())
    for count in bytes.indices {
      #expect(datasetError { _ = try DatasetManifest.parse(Array(bytes[0..<count])) } != nil)
      var altered = bytes
      altered[count] ^= 1
      #expect(datasetError { _ = try DatasetManifest.parse(altered) } != nil)
    }
    let at = try #require(bytes.lastIndex(of: UInt8(ascii: "3")))
    var altered = bytes
    altered[at] = UInt8(ascii: "4")
    let error = datasetError { _ = try DatasetManifest.parse(altered) }
    #expect(error?.code == .changed)
    #expect(error?.message.contains("manifest.json: was altered") == true)
  }

  @Test(
    "a manifest that says what can't be is refused even with the right digest",
    arguments: [
      ("\"rows-000000.npy\"", "\"../rows-000000.npy\"", "plain file name"),
      ("\"rows-000000.npy\"", "\"/etc/passwd\"", "plain file name"),
      ("\"rows-000000.npy\"", "\"..\"", "plain file name"),
      ("\"rows-000000.npy\"", "\"\"", "plain file name"),
      ("\"rows-000000.npy\"", "\"rows-000001.npy\"", "two shards in one file"),
      ("\"rows\" : 3", "\"rows\" : 4", "wrong lengths"), ("\"rows\" : 3", "\"rows\" : 0", "0 rows"),
      ("\"rows\" : 3", "\"rows\" : 9223372036854775807", "rows in shards"),
      ("\"rows\" : 3", "\"rows\" : 1e30", "is not the manifest"),
      ("\"rows\" : 3", "\"rows\" : -3", "-3 rows"),
      ("\"rowsPerShard\" : 2", "\"rowsPerShard\" : 3", "shards of 3"),
      ("\"rowsPerShard\" : 2", "\"rowsPerShard\" : -2", "shards of -2"),
      ("\"formatVersion\" : 1", "\"formatVersion\" : 2", "format version 2"),
      ("\"name\" : \"a\"", "\"name\" : \"k\"", "two columns with one name"),
      ("\"name\" : \"a\"", "\"name\" : \"\"", "without a name"),
      ("\"droppedRows\" : 0", "\"droppedRows\" : -1", "dropped rows"),
      ("\"maximum\" : 3", "\"maximum\" : 0", "impossible statistics"),
      ("\"maximum\" : 3", "\"maximum\" : 1e999", "manifest"), ("\"x\"", "\"z\"", "impossible categories"),
      ("\"x\"", "\"y\"", "impossible categories"), ("\"numeric\"", "\"text\"", "is not the manifest"),
    ])
  func impossible(what: String, instead: String, reason: String) throws {
    let text = try Self.text(Self.imported(Scratch()).bytes)
    let at = try #require(text.range(of: what))
    let error = datasetError {
      _ = try DatasetManifest.decode(Array(text.replacingCharacters(in: at, with: instead).utf8))
    }
    #expect(error?.code == .badData)
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }

  @Test("a folder that is not there or has no manifest is exit code 66")
  func noManifest() throws {
    let scratch = try Scratch()
    #expect(datasetError { _ = try Dataset.open(folder: scratch.path + "/no") }?.code == .noInput)
    let error = datasetError { _ = try Dataset.open(folder: scratch.path) }
    #expect(error?.code == .noInput)
    #expect(error?.message.contains("is not an imported folder: it has no manifest.json") == true)
  }

  @Test("an imported shard that was altered or cut off is refused by name")
  func alteredShard() throws {
    let scratch = try Scratch()
    let (folder, _) = try Self.imported(scratch)
    let path = folder + "/rows-000001.npy"
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    var flipped = whole
    flipped[whole.count - 1] ^= 1
    for bytes in [flipped, Array(whole.dropLast()), whole + [0], []] {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let error = datasetError { try Dataset.open(folder: folder).verify() }
      #expect(error?.message.contains(path) == true)
      #expect(error?.code == .changed)
      #expect(error?.code.exitCode == 65)
    }
  }
}
