import NumericsKit
import Testing

@Suite("Random permutations") struct PermutationTests {
  private let noise = Noise(seed: 3)

  /// Values by column, `[columns][size]`.
  private func permutations(_ size: Int, columns: Int, block: Int = 0, group: Int = 1, iteration: Int = 2)
    -> [[Int32]]
  {
    var output = [Int32](repeating: -1, count: size * columns)
    noise.fillPermutations(
      .assignment, iteration: iteration, group: group, block: block, size: size, columns: columns,
      places: 0..<size, into: &output, stride: columns, scratch: PermutationScratch())
    return (0..<columns).map { column in (0..<size).map { output[$0 * columns + column] } }
  }

  @Test("have every value once", arguments: [1, 2, 3, 5, 12, 13, 20, 200, 5000])
  func balance(size: Int) {
    for permutation in permutations(size, columns: 7) {
      #expect(permutation.sorted() == (0..<Int32(size)).map { $0 })
    }
  }

  /// χ² with 23 degrees of freedom is above 58.6 with probability 6e-5.
  @Test("of four are all 24 equally likely, in each column, and columns don't depend on one another")
  func uniformity() {
    let count = 24_000
    let all = permutations(4, columns: count)
    func chiSquare(_ codes: [Int]) -> Double {
      var counts: [Int: Double] = [:]
      for code in codes { counts[code, default: 0] += 1 }
      #expect(counts.count == 24)
      let expected = Double(codes.count) / 24
      return counts.keys.sorted().reduce(0) {
        let difference = (counts[$1] ?? 0) - expected
        return $0 + difference * difference / expected
      }
    }
    func code(_ permutation: [Int32]) -> Int { permutation.reduce(0) { 4 * $0 + Int($1) } }
    #expect(chiSquare(all.map(code)) < 58.6)
    // Of a column relative to the one before it.
    let relative = (1..<count).map { column in
      code((0..<4).map { value in Int32(all[column][all[column - 1].firstIndex(of: value) ?? 0]) })
    }
    #expect(chiSquare(relative) < 58.6)
  }

  @Test("are as likely to put any value at any place when many exchanges share one number")
  func places() {
    let (size, columns) = (13, 26_000)
    let all = permutations(size, columns: columns)
    for place in [0, 1, 6, 11, 12] {
      var counts = [Double](repeating: 0, count: size)
      for permutation in all { counts[Int(permutation[place])] += 1 }
      let expected = Double(columns) / Double(size)
      let chiSquare = counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
      // 12 degrees of freedom: above 40 with probability 7e-5.
      #expect(chiSquare < 40, "place \(place): \(chiSquare)")
    }
  }

  @Test("asked for in parts are the same, and others for another iteration, block or group")
  func parts() {
    let whole = permutations(9, columns: 4)
    var part = [Int32](repeating: -1, count: 3 * 10)
    noise.fillPermutations(
      .assignment, iteration: 2, group: 1, block: 0, size: 9, columns: 4, places: 5..<8, into: &part,
      stride: 10, scratch: PermutationScratch())
    for place in 5..<8 {
      for column in 0..<4 { #expect(part[(place - 5) * 10 + column] == whole[column][place]) }
    }
    #expect(whole == permutations(9, columns: 4))
    #expect(whole != permutations(9, columns: 4, block: 1))
    #expect(whole != permutations(9, columns: 4, group: 2))
    #expect(whole != permutations(9, columns: 4, iteration: 3))
  }
}
