import Foundation
import FitRuntime
import TestKit
import Testing

@Suite("The rendezvous file")
struct RendezvousTests {
  private static let good =
    "{\"run\":\"00ff\",\"endpoints\":[\"tcp://10.0.0.7:5555\",\"ipc:///tmp/x\"],\"host\":\"node1\",\"process_id\":7,"
    + "\"version\":\"0.1.0\"}"

  @Test("the first endpoint is taken")
  func reading() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.good, to: "rendezvous.json")
    #expect(try Rendezvous.read(path) == "tcp://10.0.0.7:5555")
  }

  @Test("no file, another file and endpoints that are none are refused with their exit codes")
  func refusals() throws {
    let folder = try TemporaryFolder()
    func code(_ path: String) -> Int32? {
      do {
        _ = try Rendezvous.read(path)
        return nil
      } catch { return (error as? RuntimeError)?.exitCode }
    }
    #expect(code(folder("nothing.json")) == 66)
    for text in [
      "", "{}", "[]", "{\"endpoints\": 3}",
      Self.good.replacingOccurrences(of: "tcp://10.0.0.7:5555", with: "x"),
      Self.good.replacingOccurrences(of: "tcp://10.0.0.7:5555", with: "inproc://zeromq.zap.01"),
      Self.good + String(repeating: " ", count: 70_000),
    ] {
      #expect(code(try folder.write(text, to: "bad.json")) == 65, "\(text.prefix(80))")
    }
  }

  @Test("mutated files are read or refused and crash nothing")
  func fuzz() throws {
    let seed: UInt64 = 20_261_124
    print("rendezvous fuzz seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let folder = try TemporaryFolder()
    let good = Array(Self.good.utf8)
    var read = 0
    for _ in 0..<5_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: bytes[..<(place / 2)], at: place)
        default: bytes.removeSubrange(place...)
        }
        if bytes.isEmpty { bytes = [0] }
      }
      let path = try folder.write(Data(bytes), to: "fuzzed.json")
      do {
        let endpoint = try Rendezvous.read(path)
        try Endpoint.check(endpoint)
        read += 1
      } catch let error as RuntimeError {
        #expect(error.exitCode == 65, "seed \(seed): \(error.message)")
      }
    }
    #expect(read > 50, "mutations leave too little to read, seed \(seed)")
  }
}
