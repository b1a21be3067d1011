import TestKit
import Testing
import Wire

@Suite("Fuzzed frames")
struct FuzzTests {
  static let count = 100_000

  private func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
    let place = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &generator)
    switch Int.random(in: 0..<6, using: &generator) {
    case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 1 where !bytes.isEmpty: bytes[place] = [0, 1, 127, 128, 255].randomElement(using: &generator) ?? 0
    case 2: bytes.removeSubrange(place...)
    case 3:
      let extra = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      bytes.insert(contentsOf: extra, at: place)
    case 4 where !bytes.isEmpty: bytes.remove(at: place)
    default:
      bytes = (0..<Int.random(in: 0...96, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
    }
  }

  @Test("mutated frames are read or refused, and a stream of them crashes nothing")
  func frames() {
    let seed: UInt64 = 20_250_613
    print("frame fuzz seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let bases = Examples.small.map { physicalMessages(Examples.message($0).encoded())[0] }
    var read = 0
    var codes: [WireError.Code: Int] = [:]
    var assembler = MessageAssembler(bulkLimit: 1 << 16)
    for _ in 0..<Self.count {
      var frames = bases.randomElement(using: &generator) ?? []
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        switch Int.random(in: 0..<40, using: &generator) {
        case 0: frames.removeLast()
        case 1: frames.append([])
        default:
          guard let place = frames.indices.randomElement(using: &generator) else { break }
          mutate(&frames[place], using: &generator)
        }
        if frames.isEmpty { break }
      }
      do throws(WireError) {
        guard let message = try assembler.accept(frames) else { continue }
        read += 1
        // What was read can be sent on.
        var other = MessageAssembler(bulkLimit: 1 << 16)
        let again = try other.accept(physicalMessages(message.encoded())[0])
        if again?.kind != message.kind { Issue.record("\(message) changes on its way, seed \(seed)") }
      } catch {
        codes[error.code, default: 0] += 1
        assembler = MessageAssembler(bulkLimit: 1 << 16)
      }
    }
    #expect(read > 1000, "mutations leave too little to read, seed \(seed)")
    #expect((codes[.malformed] ?? 0) > Self.count / 4, "seed \(seed)")
    #expect((codes[.protocolVersion] ?? 0) > 100, "seed \(seed)")
    #expect((codes[.limit] ?? 0) > 10, "seed \(seed)")
  }

  @Test("the parts of large messages in any order, lost or repeated, give the message or nothing")
  func parts() {
    let seed: UInt64 = 7
    print("part fuzz seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let messages = Examples.large.prefix(5).map { Examples.message($0) }
    var complete = 0
    for _ in 0..<60 {
      guard let message = messages.randomElement(using: &generator) else { return }
      var parts = physicalMessages(message.encoded())
      let original = parts
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: parts.shuffle(using: &generator)
      case 1: parts.remove(at: Int.random(in: 0..<parts.count, using: &generator))
      case 2: parts.insert(parts[0], at: Int.random(in: 0...parts.count, using: &generator))
      default: break
      }
      var assembler = MessageAssembler(bulkLimit: WireLimits.bulkBytes)
      for frames in parts {
        do throws(WireError) {
          guard let read = try assembler.accept(frames) else { continue }
          complete += 1
          if read != message { Issue.record("another message was put together, seed \(seed)") }
        } catch {
          if parts == original { Issue.record("\(error) for parts in order, seed \(seed)") }
          break
        }
      }
    }
    #expect(complete > 10, "seed \(seed)")
  }
}
