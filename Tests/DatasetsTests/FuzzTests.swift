import Datasets
import Foundation
import Testing

/// Mutated inputs: none may crash the reader, and every refusal is a `DatasetError`.
@Suite("Fuzzing the readers")
struct FuzzTests {
  static let count = 100_000

  /// Changes, removes, repeats or inserts a few bytes.
  static func mutate(_ bytes: [UInt8], _ special: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var result = bytes
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let at = result.isEmpty ? 0 : Int.random(in: 0..<result.count, using: &generator)
      let end = min(result.count, at + Int.random(in: 1...8, using: &generator))
      let byte = special.randomElement(using: &generator) ?? 0
      switch Int.random(in: 0..<6, using: &generator) {
      case 0 where !result.isEmpty: result[at] = UInt8.random(in: 0...255, using: &generator)
      case 1 where !result.isEmpty: result[at] = byte
      case 2: result.insert(byte, at: at)
      case 3: result.removeSubrange(at..<end)
      case 4: result.insert(contentsOf: result[at..<end], at: at)
      default: result.removeSubrange(end...)
      }
    }
    return result
  }

  @Test("mutated CSV is read or refused, and the same through a small buffer as through a large one")
  func csv() {
    let seed: UInt64 = 1
    print("CSV fuzz seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let bases = [
      "a,b\n1,2\n3,4\n", "\u{FEFF}x,y\r\n1.5e3,\"2\"\r\n-.25,\"4\"\r\n",
      "k,\"n \"\"q\"\"\"\nred,1\n\"gre\nen\",2\n", "a\n1\n\n2\n",
      "a,y,c\n1,no,0.1\n2,yes,0.2\n3,no,NA\n",
    ].map { Array($0.utf8) }
    let special = Array("\",\n\r\0 \t.eE+-019NAxyz;?".utf8) + [0xEF, 0xBB, 0xBF, 0xFF]
    var refused = 0
    for _ in 0..<Self.count {
      let text = Self.mutate(bases.randomElement(using: &generator) ?? [], special, &generator)
      var options = ImportOptions(missingValues: Bool.random(using: &generator) ? .drop : .error)
      if Int.random(in: 0..<4, using: &generator) == 0 {
        options.response = ResponseColumn(
          name: "y", kind: ResponseKind.allCases.randomElement(using: &generator) ?? .real)
      }
      let small = outcome(text, options, bufferBytes: Int.random(in: 8...32, using: &generator))
      let large = outcome(text, options, bufferBytes: 4096)
      if small != large { Issue.record("\(text): \(small) but \(large), seed \(seed)") }
      if case .failure = large { refused += 1 }
    }
    #expect(refused > Self.count / 10 && refused < Self.count * 9 / 10)
  }

  private func outcome(_ text: [UInt8], _ options: ImportOptions, bufferBytes: Int) -> Result<
    [[Double]], DatasetError
  > {
    do {
      let values = try rows(text, options, bufferBytes: bufferBytes)
      // Numbers are finite whatever the bytes.
      return values.allSatisfy({ $0.allSatisfy(\.isFinite) })
        ? .success(values) : .failure(DatasetError(.changed, "a number that is not finite"))
    } catch let error as DatasetError {
      return .failure(error)
    } catch {
      Issue.record("\(error) is not a DatasetError")
      return .success([])
    }
  }

  @Test("mutated NPY files are read or refused")
  func npy() {
    let seed: UInt64 = 2
    print("NPY fuzz seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let names = [
      "float64 [2, 3]", "float32 [2, 2]", "bool [3]", "version 2", "version 3", "three", "fortran",
    ]
    // Most of a header is padding: take it out, so that mutations hit what matters.
    let bases = names.map { name -> [UInt8] in
      let bytes = NumPyFiles.bytes(name)
      let start = bytes[6] == 1 ? 10 : 12
      let text = bytes[start..<128].filter { $0 != 0x20 }
      return bytes[0..<8] + [UInt8(text.count)] + bytes[9..<start] + text + bytes[128...]
    }
    let special = Array("{}()'\",: 0123456789LTrueFalse<>|f8i4u1b".utf8)
    var refused = 0
    for _ in 0..<Self.count {
      let file = Self.mutate(bases.randomElement(using: &generator) ?? [], special, &generator)
      do {
        _ = try numbers(file)
      } catch is DatasetError {
        refused += 1
      } catch {
        Issue.record("\(error) is not a DatasetError; \(file), seed \(seed)")
      }
    }
    #expect(refused > Self.count / 2 && refused < Self.count)
  }

  @Test("mutated manifests are read or refused")
  func manifests() throws {
    let seed: UInt64 = 3
    print("manifest fuzz seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let (folder, table) = try ManifestTests.imported(scratch)
    let made = try DesignCache(folder: scratch.path + "/cache").design(
      source: DataSource(folder), request: DesignRequest(response: "k", responseKind: .binary))
    let design = try Array(Data(contentsOf: URL(fileURLWithPath: made.folder + "/manifest.json")))
    let bases = [table, design].map { ManifestTests.text($0).utf8.filter { $0 != 0x20 && $0 != 0x0A } }
    let special = Array("{}[]\":,0123456789-.eEtruefalsn/\\".utf8)
    var refused = 0
    for round in 0..<Self.count {
      let text = Self.mutate(bases[round % 2], special, &generator)
      do {
        if round % 2 == 0 {
          _ = try DatasetManifest.decode(text)
        } else {
          _ = try DesignManifest.decode(text)
        }
        // The frame around the text must hold as well.
        if round % 16 == 0 { _ = try DatasetManifest.parse(Self.mutate(table, special, &generator)) }
      } catch is DatasetError {
        refused += 1
      } catch {
        Issue.record("\(error) is not a DatasetError; \(String(decoding: text, as: UTF8.self)), seed \(seed)")
      }
    }
    #expect(refused > Self.count / 2 && refused < Self.count)
  }
}
