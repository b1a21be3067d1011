import FitRuntime
import Foundation
import TestKit
import Testing
import ZeroMQTransport

@Suite("Key folders")
struct KeyFolderTests {
  let place: TemporaryFolder

  init() throws { place = try TemporaryFolder() }

  private func newFolder(_ name: String = "keys") throws -> String {
    try KeyFolder.create(place(name))
    return place(name)
  }

  private func mode(_ path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  /// The failure of some work, as exit code and sentence.
  private func failure(_ work: () throws -> Void) throws -> RuntimeError {
    do {
      try work()
    } catch let error as RuntimeError {
      return error
    }
    throw TestKitError("nothing failed")
  }

  @Test("a new folder serves the coordinator and its workers, and only its owner can read it")
  func newKeys() throws {
    let folder = try newFolder()
    #expect(try mode(folder) == 0o700)
    for name in [
      "coordinator.secret", "coordinator.public", "worker.secret", "worker.public", "authorized_workers",
    ] {
      #expect(try mode("\(folder)/\(name)") == 0o600)
    }
    let coordinator = try KeyFolder.coordinator(folder)
    let worker = try KeyFolder.worker(folder)
    #expect(worker.coordinator == coordinator.keys.public)
    #expect(coordinator.workers.map(\.key) == [worker.keys.public])
    #expect(coordinator.workers.map(\.name) == ["worker"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 5)
  }

  @Test("keys are never overwritten, and a folder with some of them is left as it is")
  func neverOverwritten() throws {
    let folder = try newFolder()
    let before = try String(contentsOfFile: "\(folder)/coordinator.secret", encoding: .utf8)
    let error = try failure { try KeyFolder.create(folder) }
    #expect(error.exitCode == 73 && error.message.contains("coordinator.secret"))
    #expect(try String(contentsOfFile: "\(folder)/coordinator.secret", encoding: .utf8) == before)
    // A single file is enough, and then no other is made.
    let other = place("other")
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
    chmod(other, 0o700)
    try place.write("x", to: "other/authorized_workers")
    #expect(try failure { try KeyFolder.create(other) }.exitCode == 73)
    #expect(try FileManager.default.contentsOfDirectory(atPath: other) == ["authorized_workers"])
    // Nor is a link followed to somewhere else.
    unlink("\(other)/authorized_workers")
    symlink(place("target"), "\(other)/worker.secret")
    #expect(try failure { try KeyFolder.create(other) }.exitCode == 73)
    #expect(!FileManager.default.fileExists(atPath: place("target")))
  }

  @Test("a worker is added with its own keys, and the others stay")
  func addWorker() throws {
    let folder = try newFolder()
    try KeyFolder.addWorker("cluster-b", to: folder)
    let added = try KeyFolder.worker(folder, name: "cluster-b")
    let coordinator = try KeyFolder.coordinator(folder)
    #expect(coordinator.workers.map(\.name) == ["worker", "cluster-b"])
    #expect(coordinator.workers.last?.key == added.keys.public)
    #expect(try mode("\(folder)/cluster-b.secret") == 0o600)
    #expect(try mode("\(folder)/authorized_workers") == 0o600)
    let again = try failure { try KeyFolder.addWorker("cluster-b", to: folder) }
    #expect(again.exitCode == 73 && again.message.contains("cluster-b.secret"))
    #expect(try KeyFolder.coordinator(folder) == coordinator)
    #expect(try failure { try KeyFolder.addWorker("x", to: place("missing")) }.exitCode == 66)
    for name in ["", ".", "../x", "a/b", "coordinator", "-x", "a b", String(repeating: "a", count: 65), "ä"] {
      #expect(try failure { try KeyFolder.addWorker(name, to: folder) }.exitCode == 64)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 7)
  }

  @Test("workers that are added at the same time are all added")
  func addedTogether() async throws {
    let folder = try newFolder()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<16 {
        group.addTask { #expect(throws: Never.self) { try KeyFolder.addWorker("w\(number)", to: folder) } }
      }
    }
    #expect(try KeyFolder.coordinator(folder).workers.count == 17)
  }

  @Test(
    "a secret that others may read or change is refused, with what to do",
    arguments: [0o640, 0o604, 0o620, 0o602, 0o610])
  func openSecret(mode: Int) throws {
    let folder = try newFolder()
    chmod("\(folder)/coordinator.secret", mode_t(mode))
    chmod("\(folder)/worker.secret", mode_t(mode))
    for error in [
      try failure { _ = try KeyFolder.coordinator(folder) }, try failure { _ = try KeyFolder.worker(folder) },
    ] {
      #expect(error.exitCode == 77 && error.message.contains("chmod 600 \(folder)"))
    }
  }

  @Test("a list, a public key or a folder that others may change is refused")
  func openList() throws {
    let folder = try newFolder()
    // Reading them is harmless.
    chmod("\(folder)/authorized_workers", 0o644)
    chmod("\(folder)/coordinator.public", 0o644)
    _ = try KeyFolder.coordinator(folder)
    _ = try KeyFolder.worker(folder)
    chmod("\(folder)/authorized_workers", 0o664)
    chmod("\(folder)/coordinator.public", 0o666)
    #expect(try failure { _ = try KeyFolder.coordinator(folder) }.message.contains("chmod go-w"))
    #expect(try failure { _ = try KeyFolder.worker(folder) }.exitCode == 77)
    chmod("\(folder)/authorized_workers", 0o600)
    chmod(folder, 0o777)
    #expect(try failure { _ = try KeyFolder.coordinator(folder) }.exitCode == 77)
  }

  @Test("what is no regular file is not read, and waits for nobody")
  func noRegularFile() throws {
    let folder = try newFolder()
    unlink("\(folder)/coordinator.secret")
    mkfifo("\(folder)/coordinator.secret", 0o600)
    #expect(try failure { _ = try KeyFolder.coordinator(folder) }.exitCode == 77)
    unlink("\(folder)/worker.secret")
    mkdir("\(folder)/worker.secret", 0o700)
    #expect(try failure { _ = try KeyFolder.worker(folder) }.exitCode == 77)
    #expect(try failure { _ = try KeyFolder.coordinator(place.write("", to: "file")) }.exitCode == 66)
  }

  @Test("a missing file is named", arguments: ["coordinator.secret", "authorized_workers"])
  func missing(name: String) throws {
    let folder = try newFolder()
    unlink("\(folder)/\(name)")
    let error = try failure { _ = try KeyFolder.coordinator(folder) }
    #expect(error.exitCode == 66 && error.message.contains(name) && error.message.contains("isomix keys new"))
    #expect(try failure { _ = try KeyFolder.worker(place("nowhere")) }.exitCode == 66)
  }

  @Test("a bad line is named")
  func badLines() throws {
    let folder = try newFolder()
    let good = try String(contentsOfFile: "\(folder)/worker.public", encoding: .utf8).trimmingCharacters(
      in: .newlines)
    let cases: [(text: String, line: Int)] = [
      ("# ok\n\n\(good) name\nnonsense\n", 4), ("\(good.dropLast())\n", 1), ("\(good)x\n", 1),
      ("\(good) \(String(repeating: "n", count: 65))\n", 1), ("\n\(good) a\u{1B}[31m\n", 2),
      (String(repeating: "#", count: 5) + "\n" + String(repeating: "'", count: 40), 2),
    ]
    for (text, line) in cases {
      try place.write(text, to: "keys/authorized_workers")
      let error = try failure { _ = try KeyFolder.coordinator(folder) }
      #expect(
        error.exitCode == 65 && error.message.contains("authorized_workers, line \(line):"),
        "\(error.message)")
    }
    for text in ["", "\n\(good)", "\(good)\n\(good)\n", String(good.dropLast())] {
      try place.write(text, to: "keys/coordinator.secret")
      chmod("\(folder)/coordinator.secret", 0o600)
      let error = try failure { _ = try KeyFolder.coordinator(folder) }
      #expect(error.exitCode == 65 && error.message.contains("coordinator.secret, line"), "\(error.message)")
    }
    try place.write(String(repeating: "x", count: 5000), to: "keys/coordinator.secret")
    chmod("\(folder)/coordinator.secret", 0o600)
    #expect(try failure { _ = try KeyFolder.coordinator(folder) }.exitCode == 65)
  }

  @Test("comments, empty lines, tabs and line ends of other systems are understood")
  func lenient() throws {
    let folder = try newFolder()
    let good = try String(contentsOfFile: "\(folder)/worker.public", encoding: .utf8).trimmingCharacters(
      in: .newlines)
    try place.write("# a\r\n\r\n  \(good)\tlab two \r\n\(good)", to: "keys/authorized_workers")
    let workers = try KeyFolder.coordinator(folder).workers
    #expect(workers.map(\.name) == ["lab two", ""])
  }

  @Test(
    "altered files never crash, and never let a key in that is not written there",
    arguments: 0..<4 as Range<UInt64>)
  func fuzz(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let folder = try newFolder()
    try KeyFolder.addWorker("second", to: folder)
    let names = ["coordinator.secret", "authorized_workers", "coordinator.public", "worker.secret"]
    var originals: [String: Data] = [:]
    for name in names { originals[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")) }
    for round in 0..<300 {
      let name = names[round % names.count]
      var bytes = Array(try #require(originals[name]))
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let position = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0 where position < bytes.count: bytes[position] = UInt8.random(in: 0...255, using: &generator)
        case 1 where position < bytes.count: bytes.remove(at: position)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
        case 3: bytes = Array(bytes.prefix(position))
        default: bytes.insert(contentsOf: bytes.suffix(50), at: position)
        }
      }
      try place.write(Data(bytes), to: "keys/\(name)")
      chmod("\(folder)/\(name)", 0o600)
      for load in [
        { try KeyFolder.coordinator(folder).workers.map(\.key.text) },
        {
          _ = try KeyFolder.worker(folder); return []
        },
        { try KeyFolder.contents(folder).authorizedWorkers.map(\.key) },
      ] as [() throws -> [String]] {
        do {
          let written = String(decoding: bytes, as: UTF8.self)
          let keys = try load()
          if name == "authorized_workers" {
            #expect(keys.allSatisfy { written.contains($0) }, "seed \(seed)")
          }
        } catch let error as RuntimeError {
          #expect(
            [65, 66, 77].contains(error.exitCode) && error.message.contains(folder), "seed \(seed): \(error)")
        }
      }
      try place.write(try #require(originals[name]), to: "keys/\(name)")
    }
  }
}
