import Datasets
import Foundation
import NumericsKit
import Testing

@Suite("Designs that come file by file")
struct StreamedDesignTests {
  private static let part = 1 << 12

  /// A design of several shards in a cache of its own.
  private static func design(_ scratch: Scratch, cache: String = "coordinator") throws
    -> (folder: String, manifest: DesignManifest, digest: Digest)
  {
    let columns = 512
    // 8192 rows a shard of 16 MiB; responses are the same in both shards, and so is their file.
    let rows = 2 * 8192
    var features = [UInt8](npy: "(\(rows), \(columns))", type: "<f4")
    for row in 0..<rows {
      for column in 0..<columns {
        withUnsafeBytes(of: Float(row % 7 * (column + 1) + row / 8192).bitPattern) {
          features.append(contentsOf: $0)
        }
      }
    }
    var responses = [UInt8](npy: "(\(rows),)", type: "|u1")
    responses += [UInt8](repeating: 0, count: rows).enumerated().map { UInt8($0.offset % 2) }
    let made = try DesignCache(folder: scratch.path + "/" + cache).design(
      source: DataSource(
        paths: [try scratch.file("x.npy", features)], responseFile: try scratch.file("y.npy", responses)),
      request: DesignRequest(response: "response", responseKind: .binary, precision: .float32))
    return (made.folder, made.manifest, made.manifest.digest)
  }

  /// Brings a file, as a worker does.
  private static func bring(
    _ digest: Digest, from catalogue: ShardCatalogue, to designs: StreamedDesigns,
    alter: (inout [UInt8]) -> Void = { _ in }
  ) throws -> Bool {
    #expect(try designs.claim(digest))
    var offset: UInt64 = 0
    var size: UInt64 = 1
    while offset < size {
      var (bytes, fileBytes) = try catalogue.read(digest, offset: offset, count: part)
      if offset == 0 { try designs.begin(digest, byteCount: fileBytes) }
      size = fileBytes
      alter(&bytes)
      try designs.write(digest, offset: offset, bytes)
      offset += UInt64(part)
    }
    return try designs.check(digest)
  }

  @Test("what comes is the design, and the next process finds it; files with the same content come once")
  func wholeDesign() throws {
    let scratch = try Scratch()
    let made = try Self.design(scratch)
    #expect(made.manifest.shards.count == 2)
    let catalogue = try ShardCatalogue(folders: [made.folder])
    let cache = scratch.path + "/worker"
    let designs = StreamedDesigns(folder: cache, limit: nil, designs: [made.digest])
    #expect(designs.missingManifests() == [made.digest])
    #expect(try Self.bring(made.digest, from: catalogue, to: designs))
    #expect(designs.missingManifests().isEmpty)
    let all = designs.missing([0, 1], of: made.digest)
    #expect(all.count == 3, "two feature files, and one response file for both shards")
    #expect(designs.missing([1], of: made.digest).count == 2)
    for digest in all { #expect(try Self.bring(digest, from: catalogue, to: designs)) }
    #expect(designs.missing([0, 1], of: made.digest).isEmpty && designs.fetchedFiles == 4)
    let design = try Design.open(folder: designs.folder(of: made.digest), expecting: made.digest)
    try design.verify()
    #expect(design.manifest == made.manifest)
    // A second process, and what it finds.
    let again = StreamedDesigns(folder: cache, limit: nil, designs: [made.digest])
    #expect(again.missingManifests().isEmpty && again.missing([0, 1], of: made.digest).isEmpty)
    #expect(again.fetchedFiles == 0 && again.foundFiles == 3)
    let entries = DesignCache(folder: cache).entries()
    #expect(entries.count == 1 && entries[0].kind == .shard && entries[0].isUsed)
  }

  @Test("a file that came damaged is not kept, and one that was altered in the cache is brought again")
  func damaged() throws {
    let scratch = try Scratch()
    let made = try Self.design(scratch)
    let catalogue = try ShardCatalogue(folders: [made.folder])
    let designs = StreamedDesigns(folder: scratch.path + "/worker", limit: nil, designs: [made.digest])
    #expect(try !Self.bring(made.digest, from: catalogue, to: designs) { $0[0] ^= 1 })
    #expect(designs.missingManifests() == [made.digest])
    #expect(try Self.bring(made.digest, from: catalogue, to: designs))
    let file = try #require(designs.missing([0], of: made.digest).first)
    #expect(try !Self.bring(file, from: catalogue, to: designs) { $0[$0.count / 2] ^= 0x80 })
    #expect(designs.missing([0], of: made.digest).contains(file))
    #expect(try Self.bring(file, from: catalogue, to: designs))
    // Altered while nobody looks.
    let path = designs.folder(of: made.digest) + "/" + made.manifest.shards[0].featureFile
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seek(toOffset: 5000)
    try handle.write(contentsOf: Data([1, 2, 3]))
    try handle.close()
    let next = StreamedDesigns(folder: scratch.path + "/worker", limit: nil, designs: [made.digest])
    #expect(next.missingManifests().isEmpty)
    #expect(next.missing([0], of: made.digest).contains(file))
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(try Self.bring(file, from: catalogue, to: next))
    #expect(try Digest.of(Array(Data(contentsOf: URL(fileURLWithPath: path)))) == file)
  }

  @Test("nothing but the design's files can be read, and only where parts of them begin")
  func hostileRequests() throws {
    let scratch = try Scratch()
    let made = try Self.design(scratch)
    let catalogue = try ShardCatalogue(folders: [made.folder])
    func isRefused(_ digest: Digest, _ offset: UInt64) -> Bool {
      datasetError { _ = try catalogue.read(digest, offset: offset, count: Self.part) } != nil
    }
    let file = try #require(Digest(hexadecimal: made.manifest.shards[0].featureSHA256))
    let (_, size) = try catalogue.read(file, offset: 0, count: Self.part)
    for offset in [
      1, UInt64(Self.part) - 1, size, size / UInt64(Self.part) * UInt64(Self.part) + UInt64(Self.part),
    ]
      + [.max, .max - UInt64(Self.part) + 1, 1 << 63, UInt64(Int64.max)]
    {
      #expect(isRefused(file, offset), "\(offset)")
    }
    // Files that are there and not the design's: the table, the index of digests, other digests.
    for digest in [Digest.of(""), Digest.of("manifest.json"), Digest.of([])] { #expect(isRefused(digest, 0)) }
    #expect(try catalogue.read(made.digest, offset: 0, count: 1 << 20).bytes.first == UInt8(ascii: "{"))
    // A relay's.
    let designs = StreamedDesigns(
      folder: scratch.path + "/relay", limit: nil, designs: [made.digest], isAlone: true)
    #expect(datasetError { _ = try designs.read(Digest.of("x"), offset: 0, count: Self.part) } != nil)
    func isMissing(_ digest: Digest) throws -> Bool {
      try designs.read(digest, offset: 0, count: Self.part) == nil
    }
    #expect(try isMissing(made.digest))
    #expect(try Self.bring(made.digest, from: catalogue, to: designs))
    #expect(try isMissing(file))
    #expect(try Self.bring(file, from: catalogue, to: designs))
    let mine = try #require(try designs.read(file, offset: UInt64(Self.part), count: Self.part))
    #expect(try mine.bytes == catalogue.read(file, offset: UInt64(Self.part), count: Self.part).bytes)
    #expect(datasetError { _ = try designs.read(file, offset: size, count: Self.part) } != nil)
  }

  @Test("one process brings a file and others wait; what a killed one leaves is in nobody's way")
  func sharedCache() throws {
    let scratch = try Scratch()
    let made = try Self.design(scratch)
    let catalogue = try ShardCatalogue(folders: [made.folder])
    let cache = scratch.path + "/worker"
    var first: StreamedDesigns? = StreamedDesigns(folder: cache, limit: nil, designs: [made.digest])
    let second = StreamedDesigns(folder: cache, limit: nil, designs: [made.digest])
    if let first { #expect(try Self.bring(made.digest, from: catalogue, to: first)) }
    #expect(second.missingManifests().isEmpty)
    _ = first?.missingManifests()
    let files = second.missing([0, 1], of: made.digest)
    #expect(try first?.claim(files[0]) == true)
    #expect(try !second.claim(files[0]))
    #expect(try second.claim(files[1]))
    try first?.begin(files[0], byteCount: 1 << 20)
    try first?.write(files[0], offset: 0, [1, 2, 3])
    #expect(try !second.claim(files[0]))
    // The first one is gone in the middle.
    first = nil
    #expect(try Self.bring(files[0], from: catalogue, to: second))
    #expect(try Self.bring(files[1], from: catalogue, to: second))
    #expect(try Self.bring(files[2], from: catalogue, to: second))
    try Design.open(folder: second.folder(of: made.digest), expecting: made.digest).verify()
    let names = try FileManager.default.contentsOfDirectory(atPath: second.folder(of: made.digest))
    #expect(names.filter { $0.hasPrefix(".") }.isEmpty, "\(names)")
  }

  @Test("the cache is kept to its limit by what is not in use, and never by what is")
  func limit() throws {
    let scratch = try Scratch()
    let made = try Self.design(scratch)
    let catalogue = try ShardCatalogue(folders: [made.folder])
    let cache = scratch.path + "/worker"
    // What an earlier fit has left.
    let old = cache + "/shards/" + Digest.of("old").description
    try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: true)
    for (name, count) in [("manifest.json", 10), ("features-000000.npy", 3 << 20)] {
      try Data(count: count).write(to: URL(fileURLWithPath: old + "/" + name))
    }
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -1000)], ofItemAtPath: old + "/manifest.json")
    // There is room for the manifest beside it, and not for the data; nor do these fit alone.
    let designs = StreamedDesigns(
      folder: cache, limit: ByteSize(bytes: 4 << 20), designs: [made.digest])
    #expect(try Self.bring(made.digest, from: catalogue, to: designs))
    #expect(FileManager.default.fileExists(atPath: old))
    for digest in designs.missing([0, 1], of: made.digest) {
      #expect(try Self.bring(digest, from: catalogue, to: designs))
      #expect(!FileManager.default.fileExists(atPath: old))
    }
    try Design.open(folder: designs.folder(of: made.digest), expecting: made.digest).verify()
  }
}

extension [UInt8] {
  /// The header of an NPY file, version 1.0.
  fileprivate init(npy shape: String, type: String) {
    var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
    text += String(repeating: " ", count: 117 - text.utf8.count) + "\n"
    self = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
  }
}
