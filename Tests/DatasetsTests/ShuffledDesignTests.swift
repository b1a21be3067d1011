import Datasets
import Foundation
import NumericsKit
import Testing

@Suite("Shuffled design matrices")
struct ShuffledDesignTests {
  private static let table =
    "a,b,y\n" + (0..<500).map { "\($0),\(($0 * 37) % 101),\($0 % 2)\n" }.joined()

  @Test("hold the table's rows in another order, with the same statistics, and know where each came from")
  func permutation() throws {
    let scratch = try Scratch()
    for precision in [Precision.float64, .float32] {
      var request = DesignRequest(response: "y", responseKind: .binary, precision: precision)
      let plain = try DesignTests.design(Self.table, request, scratch)
      request.shuffleSeed = 1
      let shuffled = try DesignTests.design(Self.table, request, scratch)
      #expect(shuffled.manifest.digest != plain.manifest.digest)
      #expect(shuffled.manifest.statistics == plain.manifest.statistics)
      #expect(plain.manifest.shuffleSeed == nil && shuffled.manifest.shuffleSeed == 1)
      let (before, after) = (try DesignTests.rows(plain), try DesignTests.rows(shuffled))
      let sources = (0..<500).map(shuffled.manifest.sourceRow)
      #expect(after == sources.map { before[$0] })
      #expect(sources != Array(0..<500) && sources.sorted() == Array(0..<500))
      #expect((0..<500).map(plain.manifest.sourceRow) == Array(0..<500))
    }
  }

  @Test("are found again in the cache, and each seed has its own")
  func cached() throws {
    let scratch = try Scratch()
    var request = DesignRequest(response: "y", responseKind: .binary, shuffleSeed: 1)
    let first = try DesignTests.design(Self.table, request, scratch)
    #expect(try DesignTests.design(Self.table, request, scratch).folder == first.folder)
    request.shuffleSeed = 2
    let second = try DesignTests.design(Self.table, request, scratch)
    #expect(second.folder != first.folder && second.manifest.digest != first.manifest.digest)
    request.shuffleSeed = nil
    #expect(try DesignTests.design(Self.table, request, scratch).manifest.shuffleSeed == nil)
  }

  @Test("an error in a value names the row of the table")
  func errors() throws {
    let scratch = try Scratch()
    let reference = try DesignTests.design(
      "a,k\n1,x\n2,y\n", DesignRequest(response: "k", responseKind: .classes), scratch
    ).manifest.statistics
    let request = DesignRequest(
      response: "k", responseKind: .classes, reference: reference, shuffleSeed: 3)
    #expect(throws: DatasetError.self) {
      try DesignTests.design("a,k\n1,x\n2,y\n3,z\n", request, scratch)
    }
  }
}
