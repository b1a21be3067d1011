import Datasets
import Foundation
import NumericsKit
import Testing

@Suite("Design matrices")
struct DesignTests {
  /// All rows of a design, with their responses last.
  static func rows(_ design: Design) throws -> [[Double]] {
    var result: [[Double]] = []
    for row in 0..<design.manifest.rows {
      try design.withRows(row..<row + 1) { block in
        let values: [Double]
        switch block.precision {
        case .float64:
          let start = block.features.assumingMemoryBound(to: Double.self)
          values = (0..<block.columns).map { start[$0] }
        case .float32:
          let start = block.features.assumingMemoryBound(to: Float.self)
          values = (0..<block.columns).map { Double(start[$0]) }
        }
        result.append(values + [block.responses[0]])
      }
    }
    return result
  }

  /// The design of some CSV text, through a cache.
  static func design(_ csv: String, _ request: DesignRequest, _ scratch: Scratch) throws -> Design {
    let file = try scratch.file("\(UUID().uuidString).csv", csv)
    let made = try DesignCache(folder: scratch.path + "/cache").design(
      source: DataSource(file), request: request)
    return try Design.open(folder: made.folder, expecting: made.manifest.digest)
  }

  static let table = "a,b,y\n1,10,0\n2,30,1\n4,20,1\n8,25.5,0\n"

  // numpy: x = array([[1,10],[2,30],[4,20],[8,25.5]]); (x - x.mean(0)) / x.std(0)
  @Test("standardised columns are NumPy's, with the intercept first")
  func standardised() throws {
    let scratch = try Scratch()
    let request = DesignRequest(response: "y", responseKind: .binary)
    let design = try Self.design(Self.table, request, scratch)
    #expect(design.manifest.columns == ["intercept", "a", "b"])
    #expect(design.manifest.classes == ["0", "1"])
    let expected: [[Double]] = [
      [1, -1.025755289064345, -1.5245212459882442],
      [1, -0.6527533657682196, 1.1559556700350422],
      [1, 0.09325048082403138, -0.18428278797660094],
      [1, 1.5852581740085334, 0.5528483639298029],
    ]
    let actual = try Self.rows(design)
    for (row, reference) in zip(actual, expected) {
      for (value, known) in zip(row, reference) { #expect(abs(value - known) < 1e-14) }
    }
    #expect(actual.map { $0[0] } == [1, 1, 1, 1])
    #expect(actual.map { $0[3] } == [0, 1, 1, 0])
  }
}
