import Mixtures
import Testing

@Suite struct TransportTests {
  struct Reference: Sendable {
    let rows: Int
    let columns: Int
    let isUniform: Bool
    let cost: Double

    var first: [Double] { (0..<rows).map { isUniform ? 1 : Double($0 * 7 % 11) } }
    var second: [Double] { (0..<columns).map { isUniform ? 1 : Double($0 * 5 % 13) + 0.5 } }
  }

  static func costs(_ rows: Int, _ columns: Int) -> [Double] {
    (0..<rows * columns).map { index -> Double in
      let (i, j) = (index / columns, index % columns)
      let whole = i * j * 3701 + i * 113 + j * j * 59
      return Double(whole % 1009) / 8
    }
  }

  // POT 0.9.7 (ot.emd2) and SciPy 1.17.1 (linprog), which agree: cluster/examples/reference/diagnostics.py.
  static let references = [
    Reference(rows: 3, columns: 5, isUniform: true, cost: 36.34166666666666),
    Reference(rows: 3, columns: 5, isUniform: false, cost: 68.72806603773585),
    Reference(rows: 40, columns: 25, isUniform: true, cost: 7.083125),
    Reference(rows: 40, columns: 25, isUniform: false, cost: 9.077465223157828),
    Reference(rows: 60, columns: 60, isUniform: true, cost: 4.24375),
    Reference(rows: 60, columns: 60, isUniform: false, cost: 5.849804785412648),
  ]

  @Test(
    "The least cost is what POT and linear programming find, with the marginals asked for",
    arguments: references)
  func published(reference: Reference) throws {
    let (n, m) = (reference.rows, reference.columns)
    let cost = Self.costs(n, m)
    let transport = try #require(Transport(from: reference.first, to: reference.second, cost: cost))
    #expect(abs(transport.cost - reference.cost) < 1e-12 * reference.cost)
    #expect(transport.plan.allSatisfy { $0 >= 0 })
    let (firstSum, secondSum) = (reference.first.reduce(0, +), reference.second.reduce(0, +))
    for i in 0..<n {
      let sum = (0..<m).reduce(0) { $0 + transport.plan[i * m + $1] }
      #expect(abs(sum - reference.first[i] / firstSum) < 1e-15)
    }
    for j in 0..<m {
      let sum = (0..<n).reduce(0) { $0 + transport.plan[$1 * m + j] }
      #expect(abs(sum - reference.second[j] / secondSum) < 1e-15)
    }
    #expect(transport == Transport(from: reference.first, to: reference.second, cost: cost))
  }

  @Test("Between equally many points of equal weight it is the assignment problem")
  func assignment() throws {
    let cost = Self.costs(50, 50)
    let permutation = Assignment.minimize(cost: cost, size: 50)
    let expected = permutation.enumerated().reduce(0) { $0 + cost[$1.offset * 50 + $1.element] } / 50
    #expect(abs(try #require(Transport(rows: 50, columns: 50, cost: cost)).cost - expected) < 1e-12)
  }

  @Test(
    "On a line with squared distances the monotone plan is the best",
    arguments: [(7, 4), (300, 299), (299, 17)])
  func line(size: (Int, Int)) throws {
    let (n, m) = size
    // Both sides in ascending order, each point's share an interval of [0, 1].
    let x = (0..<n).map { Double($0 * $0) / Double(n * n) }
    let y = (0..<m).map { Double($0) / Double(m) }
    var expected = 0.0
    var cost: [Double] = []
    for i in 0..<n {
      for j in 0..<m {
        let square = (x[i] - y[j]) * (x[i] - y[j])
        cost.append(square)
        // Of n·m units, i has i·m ..< (i+1)·m and j has j·n ..< (j+1)·n.
        let shared = min((i + 1) * m, (j + 1) * n) - max(i * m, j * n)
        expected += square * Double(max(0, shared)) / Double(n * m)
      }
    }
    #expect(abs(try #require(Transport(rows: n, columns: m, cost: cost)).cost - expected) < 1e-14)
  }

  @Test("Costs may be negative or equal, weights zero, and one point takes everything")
  func edges() throws {
    let one = try #require(Transport(from: [3], to: [1, 0, 1], cost: [-1, 100, 4]))
    #expect(one.plan == [0.5, 0, 0.5] && one.cost == 1.5)
    let equal = try #require(Transport(rows: 3, columns: 2, cost: [Double](repeating: 7, count: 6)))
    #expect(abs(equal.cost - 7) < 1e-14)
    let huge = try #require(Transport(from: [1e308, 1e308], to: [1e-300, 3e-300], cost: [0, 1, 1, 0]))
    #expect(huge.plan == [0.25, 0.25, 0, 0.5])
  }

  @Test("Weights or costs that are no such thing have no transport")
  func invalid() {
    #expect(Transport(from: [], to: [1], cost: []) == nil)
    #expect(Transport(from: [0], to: [1], cost: [0]) == nil)
    #expect(Transport(from: [1, -1], to: [1], cost: [0, 0]) == nil)
    #expect(Transport(from: [.nan], to: [1], cost: [0]) == nil)
    #expect(Transport(from: [1], to: [.infinity], cost: [0]) == nil)
    #expect(Transport(from: [1], to: [1], cost: [.nan]) == nil)
  }
}
