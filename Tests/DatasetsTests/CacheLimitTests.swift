import Datasets
import Foundation
import NumericsKit
import Testing

@Suite("The size of the cache, and of what is mapped of it")
struct CacheLimitTests {
  private static func make(_ cache: DesignCache, _ scratch: Scratch, _ number: Int) throws -> String {
    let text = "a,y\n" + (0..<100).map { "\($0 * number),\($0 % 2)\n" }.joined()
    let file = try scratch.file("\(number).csv", text)
    return try CacheTests.make(cache, [file]).folder
  }

  /// Pretends that an entry was used some seconds ago.
  private static func age(_ folder: String, seconds: Double) throws {
    let date = Date(timeIntervalSinceNow: -seconds)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: folder + "/manifest.json")
  }

  @Test("what was used longest ago goes first; what is open or was asked for just now stays")
  func prune() throws {
    let scratch = try Scratch()
    let cache = DesignCache(folder: scratch.path + "/cache")
    let folders = try (1...4).map { try Self.make(cache, scratch, $0) }
    #expect(cache.entries().count == 8)
    #expect(cache.entries().contains { $0.content == "2.csv: 100 rows × 2 columns" })
    #expect(cache.prune(to: ByteSize(bytes: 0)).isEmpty, "all was used just now")
    for entry in cache.entries() where entry.kind == .table { try Self.age(entry.folder, seconds: 10_000) }
    for (index, folder) in folders.enumerated() { try Self.age(folder, seconds: 1000 - Double(index)) }
    let open = try Design.open(folder: folders[0])
    let designs = cache.entries().filter { $0.kind == .design }
    #expect(designs.map(\.folder) == folders && designs.map(\.isUsed) == [true, false, false, false])
    let removed = cache.prune(to: ByteSize(bytes: 2 * designs[0].byteCount + 1000))
    #expect(removed.map(\.kind) == [.table, .table, .table, .table, .design, .design])
    #expect(cache.entries().map(\.folder) == [folders[0], folders[3]])
    try open.verify()
    // A design that went is made again.
    #expect(try Self.make(cache, scratch, 2) == folders[1])
    withExtendedLifetime(open) {}
  }

  @Test(
    "sizes are read as people write them",
    arguments: [
      ("0", 0), ("4096", 4096), ("500M", 500_000_000), ("1.5k", 1500), ("2GiB", 2 << 30),
      ("20GB", 20_000_000_000),
    ])
  func sizes(text: String, bytes: Int) { #expect(ByteSize(text)?.bytes == bytes) }

  @Test("what is no size is none", arguments: ["", "G", "-1", "1Q", "1i", "nan", "1e400", "inf", "2 G G"])
  func noSizes(text: String) { #expect(ByteSize(text) == nil) }

  @Test("a design keeps within its share of memory, and gives the same rows")
  func mapping() throws {
    let scratch = try Scratch()
    let columns = 64
    let names: [String] = (0..<columns).map { "x\($0)" }
    let header: String = names.joined(separator: ",") + ",y\n"
    let rows = 4000
    var lines = ""
    for row in 0..<rows {
      for column in 0..<columns { lines += "\((row * 31 + column * 17) % 1009)," }
      lines += "\(row % 2)\n"
    }
    let file = try scratch.file("t.csv", header + lines)
    // The small shards of a streamed design: 4096 rows of 64 numbers would be one of 2 MiB.
    let cache = DesignCache(folder: scratch.path + "/cache")
    let request = DesignRequest(response: "y", responseKind: .binary, standardize: false)
    let made = try cache.design(source: DataSource(file), request: request)
    let reference = made.manifest.statistics
    var streamed = request
    streamed.reference = reference
    let manifest = try #require(
      try DesignStream.build(source: DataSource(file), request: streamed, into: scratch.path + "/design"))
    let shardBytes = manifest.rowsPerShard * manifest.columns.count * 8
    let small = Design(folder: scratch.path + "/design", manifest: manifest, mappedBytes: shardBytes / 2)
    let large = Design(folder: scratch.path + "/design", manifest: manifest, mappedBytes: 1 << 30)
    try #require(manifest.shards.count > 1)
    for _ in 0..<3 {
      for start in stride(from: 0, to: rows, by: 100) {
        let shardEnd = (start / manifest.rowsPerShard + 1) * manifest.rowsPerShard
        let range = start..<min(start + 100, shardEnd, rows)
        func sum(_ design: Design) throws -> [Double] {
          try design.withRows(range) { block in
            let numbers = block.features.assumingMemoryBound(to: Double.self)
            return (0..<block.count * block.columns).map { numbers[$0] }
          }
        }
        #expect(try sum(small) == sum(large))
        #expect(small.mappedBytes <= shardBytes + (1 << 16))
      }
    }
    #expect(large.mappedBytes > small.mappedBytes)
  }

  @Test("a shard that is changed while it is not mapped is found out when it is mapped again")
  func changed() throws {
    let scratch = try Scratch()
    let file = try scratch.file("t.csv", DesignTests.table)
    let made = try DesignCache(folder: scratch.path + "/cache").design(
      source: DataSource(file), request: CacheTests.request)
    let design = try Design.open(folder: made.folder)
    try design.verify()
    let shard = URL(fileURLWithPath: made.folder + "/" + made.manifest.shards[0].featureFile)
    var bytes = try Data(contentsOf: shard)
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: shard)
    #expect(datasetError { try design.withRows(0..<1) { _ in } }?.code == .changed)
  }
}
