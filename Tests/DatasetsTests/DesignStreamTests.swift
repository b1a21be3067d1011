import Datasets
import Foundation
import NumericsKit
import Testing

@Suite("Designs made in one pass")
struct DesignStreamTests {
  private func statistics(_ classes: [String]) -> DesignStatistics {
    DesignStatistics(features: ["b", "a"], means: [3, -1], standardDeviations: [2, 0.5], classes: classes)
  }

  private func streamed(_ csv: String, _ request: DesignRequest, _ scratch: Scratch) throws -> Design? {
    let folder = "\(scratch.path)/\(UUID().uuidString)"
    let file = try scratch.file("\(UUID().uuidString).csv", csv)
    guard let manifest = try DesignStream.build(source: DataSource(file), request: request, into: folder)
    else {
      return nil
    }
    return try Design.open(folder: folder, expecting: manifest.digest)
  }

  @Test("they hold what those made from an import hold")
  func sameNumbers() throws {
    let scratch = try Scratch()
    for (kind, classes, responses) in [
      (ResponseKind.real, [], ["0.5", "-3", "1e3"]), (.binary, ["0", "1"], ["1", "0", "1.0"]),
      (.binary, ["no", "yes"], ["yes", "no", "yes"]), (.classes, ["2", "5", "9"], ["9", "2", "5.0"]),
      (.classes, ["p", "q", "r"], ["r", "r", "p"]),
    ] {
      for precision in Precision.allCases {
        let request = DesignRequest(
          response: "y", responseKind: kind, precision: precision, reference: statistics(classes))
        let rows = zip(["1,2.5", "-4,1e-3", "0.1,7"], responses).map { "skipped,\($0),\($1)" }
        let csv = "id,a,b,y\n" + rows.joined(separator: "\n") + "\n"
        let design = try #require(try streamed(csv, request, scratch))
        let usual = try DesignTests.design(csv, request, scratch)
        #expect(try DesignTests.rows(design) == DesignTests.rows(usual))
        #expect(design.manifest.columns == ["intercept", "b", "a"] && design.manifest.classes == classes)
        try design.verify()
      }
    }
  }

  @Test("data without a response have zeros for it, whichever way they are prepared")
  func withoutResponse() throws {
    let scratch = try Scratch()
    let request = DesignRequest(
      response: nil, responseKind: .classes, intercept: false, reference: statistics(["p", "q", "r"]))
    let csv = "a,b\n-1,3\n-0.5,5\n"
    let design = try #require(try streamed(csv, request, scratch))
    #expect(try DesignTests.rows(design) == [[0, 0, 0], [1, 1, 0]])
    let usual = try DesignTests.design(csv, request, scratch)
    #expect(try DesignTests.rows(usual) == DesignTests.rows(design))
    #expect(design.manifest.classes == ["p", "q", "r"] && design.manifest.response == nil)
  }

  @Test("shards are small, and can be let go and read again")
  func shards() throws {
    let scratch = try Scratch()
    let request = DesignRequest(response: nil, responseKind: .real, reference: statistics([]))
    let csv = "a,b\n" + (0..<200_000).map { "\($0),1\n" }.joined()
    let design = try #require(try streamed(csv, request, scratch))
    #expect(design.manifest.shards.count > 1)
    for row in [0, 199_999, 0] {
      let value = try design.withRows(row..<row + 1) { $0.features.assumingMemoryBound(to: Double.self)[2] }
      #expect(value == 2 * (Double(row) + 1))
      design.release(before: 200_000)
    }
  }

  @Test("what takes an import is left to it, and what is wrong is named")
  func others() throws {
    let scratch = try Scratch()
    func request(_ kind: ResponseKind, _ classes: [String]) -> DesignRequest {
      DesignRequest(response: "y", responseKind: kind, reference: statistics(classes))
    }
    #expect(try streamed("a,b,y\n1,x,1\n", request(.real, []), scratch) == nil)
    #expect(try streamed("a,c,y\n1,2,1\n", request(.real, []), scratch) == nil)
    for (csv, classes, words) in [
      ("a,b,y\n1,2,\n", ["0", "1"], ":2"), ("a,b,y\n1,2,1\n1,zwei,1\n", ["0", "1"], ":3"),
      ("a,b,y\n1,2,1\n1,2,2\n", ["0", "1"], "2"), ("a,b,y\n1,2,no\n1,2,maybe\n", ["no", "yes"], "maybe"),
      ("a,b,y\n", ["0", "1"], "no records"),
    ] {
      let error = datasetError { _ = try streamed(csv, request(.binary, classes), scratch) }
      #expect(error?.code == .badData && error?.message.contains(words) == true, "\(csv): \(error as Any)")
    }
    let wide = "a,b,y\n1,1e300,1\n"
    var narrow = request(.real, [])
    narrow.precision = .float32
    let error = datasetError { _ = try streamed(wide, narrow, scratch) }
    #expect(error?.message.contains("column 'b'") == true, "\(error as Any)")
  }
}
