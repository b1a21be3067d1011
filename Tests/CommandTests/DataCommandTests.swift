import Foundation
import TestKit
import Testing

extension Commands {
  /// Imported folders, what they hold, and what happens when they are altered.
  @Suite(.serialized) struct Tables {
    static let train = Examples.data("wine-train.csv")

    @Test func importedFolderGivesTheSameFitAsItsFile() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=20")
      let direct = try await fit(Examples.wine, options, in: folder, output: "direct")
      try await Tables.importFiles([Tables.train], to: folder("table"), in: folder)
      let imported = try await fit(
        Examples.wine, options + setting("data.train=\(folder("table"))"), in: folder, output: "imported")
      #expect(try imported.digest() == direct.digest())
    }

    @Test func globsAreImportedInTheOrderOfTheirNames() async throws {
      let folder = try TemporaryFolder()
      let lines = try String(contentsOfFile: Tables.train, encoding: .utf8).split(separator: "\n")
      for (name, part) in [("part-2.csv", lines[50...]), ("part-1.csv", lines[1..<50])] {
        try folder.write(([lines[0]] + part).joined(separator: "\n") + "\n", to: name)
      }
      try await Tables.importFiles([folder("part-*.csv")], to: folder("parts"), in: folder)
      try await Tables.importFiles([Tables.train], to: folder("whole"), in: folder)
      #expect(try Tables.rows(of: folder("parts")) == Tables.rows(of: folder("whole")))
      let options = setting("inference.iterations=10")
      let whole = try await fit(Examples.wine, options, in: folder, output: "1")
      let glob = try await fit(
        Examples.wine, options + setting("data.train=\(folder("part-*.csv"))"), in: folder, output: "2")
      let list = try await fit(
        Examples.wine, options + setting("data.train=[\(folder("part-1.csv")), \(folder("part-2.csv"))]"),
        in: folder, output: "3")
      #expect(try glob.digest() == whole.digest())
      #expect(try list.digest() == whole.digest())
    }

    @Test func shufflingKeepsTheRows() async throws {
      let folder = try TemporaryFolder()
      try await Tables.importFiles([Tables.train], to: folder("plain"), in: folder)
      try await Tables.importFiles([Tables.train], to: folder("one"), ["--shuffle", "1"], in: folder)
      try await Tables.importFiles([Tables.train], to: folder("two"), ["--shuffle", "2"], in: folder)
      try await Tables.importFiles([Tables.train], to: folder("again"), ["--shuffle", "1"], in: folder)
      let plain = try Tables.rows(of: folder("plain"))
      let one = try Tables.rows(of: folder("one"))
      #expect(plain.count == 89)
      #expect(one != plain)
      #expect(try Tables.rows(of: folder("two")) != one)
      #expect(try Tables.rows(of: folder("again")) == one)
      #expect(Tables.sorted(one) == Tables.sorted(plain))
    }

    @Test func columnsAndMissingRowsAreChosen() async throws {
      let folder = try TemporaryFolder()
      let file = try folder.write("a,b,c\n1,2,3\n4,,6\n7,8,9\n", to: "t.csv")
      try await Tables.importFiles([file], to: folder("t"), ["--drop-missing"], in: folder)
      #expect(try Tables.rows(of: folder("t")) == [[1, 2, 3], [7, 8, 9]])
      try await Tables.importFiles([file], to: folder("ac"), ["--columns", "a,c"], in: folder)
      #expect(try Tables.rows(of: folder("ac")) == [[1, 3], [4, 6], [7, 9]])
      try await Tables.importFiles(
        [file], to: folder("k"), ["--columns", "a", "--categorical", "a"], in: folder)
      #expect(try Tables.rows(of: folder("k")) == [[0], [1], [2]])
    }

    @Test func inspectionDescribesColumns() async throws {
      let folder = try TemporaryFolder()
      try await Tables.importFiles([Tables.train], to: folder("table"), in: folder)
      for path in [Tables.train, folder("table")] {
        let text = try await CommandRun.run(["data", "inspect", path], in: folder)
        #expect(text.exitCode == 0 && text.output.contains("89 rows, 14 columns"), "\(text)")
        #expect(text.output.contains("class_0 (") && text.output.contains("malic_acid"), "\(text)")
        let run = try await CommandRun.run(["data", "inspect", path, "--json"], in: folder)
        let json = try #require(
          try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(json["rows"] as? Int == 89)
        let columns = try #require(json["columns"] as? [[String: Any]])
        #expect(columns.count == 14)
        #expect(columns.last?["categories"] as? [String] == ["class_0", "class_1", "class_2"])
        #expect(columns.first?["minimum"] as? Double == 11.41)
      }
    }

    @Test func importReportsAsJSON() async throws {
      let folder = try TemporaryFolder()
      let run = try await CommandRun.run(
        ["data", "import", Tables.train, "--output", folder("table"), "--json"], in: folder)
      let json = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
      #expect(json["rows"] as? Int == 89)
      let again = try await CommandRun.run(
        ["data", "import", Tables.train, "--output", folder("table")], in: folder)
      #expect(again.exitCode == 73 || again.exitCode == 0, "\(again)")
      #expect(try Tables.rows(of: folder("table")).count == 89)
    }

    @Test func alteredCacheIsMadeAgain() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=20") + ["--workers", "2"]
      let digest = try await fit(Examples.wine, options, in: folder, output: "first").digest()
      let files = Tables.files(below: folder("cache")).filter {
        $0.hasSuffix(".npy") || $0.hasSuffix("manifest.json")
      }
      #expect(files.count >= 8)
      for (index, file) in files.enumerated() {
        try Tables.flipByte(of: file)
        let done = try await fit(Examples.wine, options, in: folder, output: "after-\(index)")
        #expect(try done.digest() == digest, "\(file)")
      }
    }

    @Test func alteredImportIsRefusedByName() async throws {
      let folder = try TemporaryFolder()
      try await Tables.importFiles([Tables.train], to: folder("table"), in: folder)
      try Tables.flipByte(of: folder("table/rows-000000.npy"))
      let result = try await CommandRun.run(
        ["fit", Examples.wine, "--output", folder("out")] + setting("data.train=\(folder("table"))"),
        in: folder)
      #expect(result.exitCode == 65, "\(result)")
      #expect(result.errors.contains(folder("table/rows-000000.npy")), "\(result)")
      Commands.expectPlainWords(result.errors)
    }

    @Test func changedFileIsImportedAnew() async throws {
      let folder = try TemporaryFolder()
      try folder.write(BadSpec.data, to: "train.csv")
      let spec = try folder.write(BadSpec.good, to: "spec.yaml")
      let first = try await fit(spec, in: folder, output: "first").digest()
      try folder.write(BadSpec.data.replacingOccurrences(of: "4,3,1", with: "4,2,1"), to: "train.csv")
      let second = try await fit(spec, in: folder, output: "second").digest()
      try folder.write(BadSpec.data, to: "train.csv")
      let third = try await fit(spec, in: folder, output: "third").digest()
      #expect(first != second)
      #expect(first == third)
    }

    @Test func workerWhoseDataDifferIsNamedAndNotTaken() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startEndless(
        Examples.wine, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"], in: folder)
      _ = try await Commands.endpoint(of: folder("out"))
      for file in Tables.files(below: folder("cache/isomix/designs")) where file.hasSuffix(".npy") {
        try Tables.flipByte(of: file)
      }
      let worker = try CommandRun(["worker", "--rendezvous", folder("out/rendezvous.json")], in: folder)
      let refused = try await worker.finish(within: 30)
      #expect(refused.exitCode == 65, "\(refused)")
      #expect(refused.errors.contains(".npy"), "\(refused)")
      let isNamed = try await eventually(within: 10) {
        run.errors.contains("/\(worker.processID) could not join: ") && run.errors.contains(".npy")
      }
      #expect(isNamed, "\(run.errors)")
      // It waits for one whose data are right.
      #expect(!run.hasEnded)
      try await Commands.stop(run)
    }

    static func importFiles(
      _ files: [String], to output: String, _ options: [String] = [], in folder: TemporaryFolder,
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      let run = try await CommandRun.run(
        ["data", "import"] + files + ["--output", output] + options, in: folder)
      try #require(run.exitCode == 0, "\(run)", sourceLocation: sourceLocation)
    }

    @Test func cacheIsListedAndPrunedAndAFitInUseKeepsItsData() async throws {
      let folder = try TemporaryFolder()
      let cache = ["--cache", folder("cache")]
      struct Entry: Decodable { let kind, folder: String, byteCount: Int, isUsed: Bool }
      func entries(_ arguments: [String]) async throws -> [Entry] {
        let result = try await CommandRun.run(["data", "cache"] + arguments + cache + ["--json"], in: folder)
        try #require(result.exitCode == 0, "\(result)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode([Entry].self, from: Data(result.output.utf8))
      }
      let run = try CommandRun(
        ["fit", Examples.wine, "--output", folder("out"), "--workers", "2"] + cache
          + setting("inference.iterations=1000000000", "inference.objective.every=1000000"), in: folder)
      #expect(try await run.waitForReady(2, output: folder("out")))
      let made = try await entries(["list"])
      #expect(made.contains { $0.kind == "design" && $0.isUsed } && made.contains { $0.kind == "table" })
      // As if all had been asked for an hour ago.
      for entry in made {
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSinceNow: -3600)],
          ofItemAtPath: entry.folder + "/manifest.json")
      }
      let removed = try await entries(["prune", "--limit", "0"])
      #expect(!removed.isEmpty && removed.allSatisfy { !$0.isUsed })
      #expect(try await entries(["list"]).allSatisfy(\.isUsed))
      #expect(!run.hasEnded)
      let bad = try await CommandRun.run(["data", "cache", "prune", "--limit", "much"] + cache, in: folder)
      #expect(bad.exitCode == 65 && bad.errors.contains("write it like 20G"), "\(bad)")
      let none = try await CommandRun.run(["data", "cache", "prune"] + cache, in: folder)
      #expect(none.exitCode == 65 && none.errors.contains("ISOMIX_CACHE_LIMIT"), "\(none)")
    }

    @Test func threadsAndInterruptionsDontShowInAnImport() async throws {
      let folder = try TemporaryFolder()
      let lines = (0..<400_000).map { "\(Double($0 % 9973) / 7),\($0 % 2),\($0)\n" }
      let file = try folder.write("x,y,n\n" + lines.joined(), to: "t.csv")
      func importFile(_ output: String, threads: Int) throws -> CommandRun {
        try CommandRun(
          ["data", "import", file, "--output", folder(output), "--threads", "\(threads)"], in: folder)
      }
      var manifests: [Data] = []
      for threads in [1, 3] {
        let end = try await importFile("\(threads)", threads: threads).finish(within: 60)
        try #require(end.exitCode == 0, "\(end)")
        manifests.append(try Data(contentsOf: URL(fileURLWithPath: folder("\(threads)/manifest.json"))))
      }
      // Killed when it has begun to write, wherever that is, and started again.
      let killed = try importFile("killed", threads: 2)
      _ = try await eventually(within: 30) {
        killed.hasEnded || FileManager.default.fileExists(atPath: folder(".killed.partial"))
      }
      kill(killed.processID, SIGKILL)
      _ = try await killed.finish(within: 30)
      if !FileManager.default.fileExists(atPath: folder("killed")) {
        let end = try await importFile("killed", threads: 2).finish(within: 60)
        try #require(end.exitCode == 0, "\(end)")
      }
      manifests.append(try Data(contentsOf: URL(fileURLWithPath: folder("killed/manifest.json"))))
      #expect(manifests.allSatisfy { $0 == manifests[0] })
      #expect(Tables.files(below: folder("killed")).count == 2)
    }

    /// The table of an imported folder with one shard.
    static func rows(of folder: String) throws -> [[Double]] {
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/rows-000000.npy"))
      let manifest = try FitFolder(path: folder).json("manifest.json")["manifest"] as? [String: Any]
      let columns = try #require(manifest?["columns"] as? [Any]).count
      let start = 10 + Int(data[8]) + 256 * Int(data[9])
      let values = stride(from: start, to: data.count, by: 8).map { place in
        data.withUnsafeBytes { Double(bitPattern: $0.loadUnaligned(fromByteOffset: place, as: UInt64.self)) }
      }
      return stride(from: 0, to: values.count, by: columns).map { Array(values[$0..<$0 + columns]) }
    }

    static func sorted(_ rows: [[Double]]) -> [[Double]] {
      rows.sorted { $0.lexicographicallyPrecedes($1) }
    }

    static func files(below folder: String) -> [String] {
      let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
      return names.map { "\(folder)/\($0)" }.sorted()
    }

    /// Changes the last byte but one: a number's exponent, or a manifest's last digit or bracket.
    static func flipByte(of file: String) throws {
      var data = try Data(contentsOf: URL(fileURLWithPath: file))
      data[data.count - 2] ^= 0x01
      try data.write(to: URL(fileURLWithPath: file))
    }
  }
}
