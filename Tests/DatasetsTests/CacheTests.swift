import Datasets
import Foundation
import Testing

@Suite("The cache of designs")
struct CacheTests {
  static let request = DesignRequest(response: "y", responseKind: .binary)

  /// Makes a design and tells what took time.
  static func make(
    _ cache: DesignCache, _ paths: [String], _ request: DesignRequest = CacheTests.request
  ) throws -> (folder: String, manifest: DesignManifest, steps: [String]) {
    var steps: [String] = []
    let made = try cache.design(source: DataSource(paths: paths), request: request) { steps.append($0) }
    return (made.folder, made.manifest, steps)
  }

  @Test(
    "the same content is imported once, wherever it lies; other content or options are not confused with it")
  func hits() throws {
    let scratch = try Scratch()
    let cache = DesignCache(folder: scratch.path + "/deep/cache")
    let file = try scratch.file("t.csv", DesignTests.table)
    let first = try Self.make(cache, [file])
    #expect(first.steps.count == 2)
    #expect(first.steps[0].hasPrefix("importing t.csv"))
    #expect(try Self.make(cache, [file]).steps == [])
    let copy = try scratch.file("copy.csv", DesignTests.table)
    let second = try Self.make(cache, [copy])
    #expect(second.steps == [])
    #expect(second.manifest == first.manifest)
    var other = Self.request
    other.standardize = false
    #expect(try Self.make(cache, [file], other).steps.count == 1)
    let changed = try scratch.file("t.csv", DesignTests.table + "9,9,1\n")
    let third = try Self.make(cache, [changed])
    #expect(third.steps.count == 2)
    #expect(third.manifest.rows == 5)
  }

  @Test("the digest does not depend on paths or on the cache")
  func portable() throws {
    let scratch = try Scratch()
    let one = try scratch.file("one.csv", DesignTests.table)
    let two = try scratch.file("two.csv", DesignTests.table)
    let first = try Self.make(DesignCache(folder: scratch.path + "/1"), [one])
    let second = try Self.make(DesignCache(folder: scratch.path + "/2"), [two])
    #expect(first.manifest.digest == second.manifest.digest)
  }

  @Test("a glob names its files in order; what names nothing is exit code 66")
  func globs() throws {
    let scratch = try Scratch()
    let cache = DesignCache(folder: scratch.path + "/cache")
    _ = try scratch.file("b.csv", "a,y\n3,1\n")
    _ = try scratch.file("a.csv", "a,y\n1,0\n2,1\n")
    var request = Self.request
    request.standardize = false
    request.intercept = false
    let made = try Self.make(cache, [scratch.path + "/*.csv"], request)
    #expect(try DesignTests.rows(Design.open(folder: made.folder)) == [[1, 0], [2, 1], [3, 1]])
    for path in ["/none.csv", "/none*.csv"] {
      let error = datasetError { _ = try Self.make(cache, [scratch.path + path]) }
      #expect(error?.code == .noInput)
      #expect(error?.message.hasPrefix(scratch.path + path) == true)
    }
    // Opening a pipe without a writer would wait for ever.
    mkfifo(scratch.path + "/pipe", 0o600)
    let pipe = datasetError { _ = try Self.make(cache, [scratch.path + "/pipe"]) }
    #expect(pipe?.message.contains("/pipe: is not a regular file") == true)
    let folder = datasetError { _ = try Self.make(cache, [scratch.path]) }
    #expect(folder?.message.contains("is not an imported folder") == true)
  }

  @Test(
    "a torn or altered entry is made again, not trusted",
    arguments: ["manifest.json", "features-000000.npy", "responses-000000.npy"], [0, 1, 2])
  func damagedDesign(name: String, damage: Int) throws {
    let scratch = try Scratch()
    let cache = DesignCache(folder: scratch.path + "/cache")
    let file = try scratch.file("t.csv", DesignTests.table)
    let made = try Self.make(cache, [file])
    let url = URL(fileURLWithPath: made.folder + "/" + name)
    let whole = try Data(contentsOf: url)
    switch damage {
    case 0: try FileManager.default.removeItem(at: url)
    case 1: try whole.dropLast().write(to: url)
    default:
      var bytes = Array(whole)
      bytes[bytes.count - 5] ^= 1
      try Data(bytes).write(to: url)
    }
    let again = try Self.make(cache, [file])
    #expect(again.steps.count == 1)
    #expect(again.manifest == made.manifest)
    #expect(try Data(contentsOf: url) == whole)
    try Design.open(folder: again.folder, expecting: made.manifest.digest).verify()
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/cache/designs")
    #expect(left.count == 1)
  }

  @Test(
    "an altered import is made again when it is next read", arguments: ["manifest.json", "rows-000000.npy"])
  func damagedImport(name: String) throws {
    let scratch = try Scratch()
    let cache = DesignCache(folder: scratch.path + "/cache")
    let file = try scratch.file("t.csv", DesignTests.table)
    let made = try Self.make(cache, [file])
    try FileManager.default.removeItem(atPath: made.folder)
    let tables = scratch.path + "/cache/tables"
    let table = try #require(try FileManager.default.contentsOfDirectory(atPath: tables).first)
    let url = URL(fileURLWithPath: "\(tables)/\(table)/\(name)")
    var bytes = try Array(Data(contentsOf: url))
    bytes[bytes.count - 5] ^= 1
    try Data(bytes).write(to: url)
    let again = try Self.make(cache, [file])
    #expect(again.manifest == made.manifest)
    try Dataset.open(folder: "\(tables)/\(table)").verify()
  }

  @Test("an imported folder that was altered is refused by name: it can't be made again")
  func damagedFolder() throws {
    let scratch = try Scratch()
    let folder = scratch.path + "/t"
    try DatasetImporter.importCSV(files: [scratch.file("t.csv", DesignTests.table)], into: folder)
    let path = folder + "/rows-000000.npy"
    var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[bytes.count - 1] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let error = datasetError { _ = try Self.make(DesignCache(folder: scratch.path + "/cache"), [folder]) }
    #expect(error?.code == .changed)
    #expect(error?.message.contains(path) == true)
  }

  @Test("many at once make one entry, and all of them can use it")
  func concurrent() async throws {
    let scratch = try Scratch()
    let cache = DesignCache(folder: scratch.path + "/cache")
    let file = try scratch.file("t.csv", DesignTests.table)
    let digests = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<16 {
        group.addTask {
          let made = try cache.design(source: DataSource(file), request: CacheTests.request)
          try Design.open(folder: made.folder, expecting: made.manifest.digest).verify()
          return made.manifest.digest.description
        }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(digests.count == 1)
    for part in ["tables", "designs"] {
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(cache.folder)/\(part)").count == 1)
    }
  }

  @Test("a cache that can't be written is exit code 73")
  func cannotWrite() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", DesignTests.table)
    let error = datasetError { _ = try Self.make(DesignCache(folder: file + "/cache"), [file]) }
    #expect(error?.code == .cannotWrite)
    #expect(error?.message.contains(file) == true)
  }

  @Test("an index of digests that makes no sense is ignored")
  func damagedIndex() throws {
    let scratch = try Scratch()
    let cache = DesignCache(folder: scratch.path + "/cache")
    let file = try scratch.file("t.csv", DesignTests.table)
    let made = try Self.make(cache, [file])
    for text in ["", "{", "[{\"path\": 1}]", "[]"] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: cache.folder + "/digests.json"))
      #expect(try Self.make(cache, [file]).manifest == made.manifest)
    }
  }
}
