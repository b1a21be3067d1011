import Foundation
import Specification
import TestKit
import Testing

@Suite("Fuzzed specs")
struct FuzzTests {
  static let count = 20_000

  @Test("mutated specs are read or refused; what is read resolves to a spec that reads the same")
  func mutated() {
    let seed: UInt64 = 11
    print("spec fuzz seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let bases = Examples.all.map { Array($0.utf8) }
    let special = Array(":{}[],-#&*!|>'\"%@` \n\t0159.eE+~_xnai\\".utf8) + [0, 0x85, 0xC2, 0xE2, 0xFF]
    var read = 0
    var refused = 0
    for _ in 0..<Self.count {
      var bytes = bases.randomElement(using: &generator) ?? []
      // Half of the time only numbers change, so that enough of it is still YAML.
      let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
      let isGentle = Bool.random(using: &generator)
      for _ in 0..<Int.random(in: 1...3, using: &generator) where isGentle {
        guard let place = digits.randomElement(using: &generator) else { break }
        bytes[place] = Array("0123456789.-e~x".utf8).randomElement(using: &generator) ?? 48
      }
      for _ in 0..<Int.random(in: 1...3, using: &generator) where !isGentle && !bytes.isEmpty {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        let end = min(bytes.count, at + Int.random(in: 1...12, using: &generator))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[at] = special.randomElement(using: &generator) ?? 0
        case 2: bytes.insert(special.randomElement(using: &generator) ?? 0, at: at)
        case 3: bytes.removeSubrange(at..<end)
        case 4:
          bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &generator))
        default: bytes.removeSubrange(end...)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let overrides = Int.random(in: 0..<8, using: &generator) == 0 ? [String(text.suffix(30))] : []
      do throws(SpecificationError) {
        let specification = try FitSpecification(
          yaml: text, source: "fit.yaml", folder: "/f", overrides: overrides)
        read += 1
        let again = try FitSpecification(yaml: specification.resolvedYAML, source: "resolved", folder: "/g")
        if again != specification { Issue.record("changes when it is resolved, seed \(seed):\n\(text)") }
      } catch {
        if error.message.hasPrefix("resolved") { Issue.record("\(error), seed \(seed):\n\(text)") }
        if error.message.isEmpty { Issue.record("no message, seed \(seed):\n\(text)") }
        refused += 1
      }
    }
    #expect(read > Self.count / 20 && refused > Self.count / 3, "\(read) read, \(refused) refused")
  }
}
