import NumericsKit
import Testing

@Suite("Random directions in orthogonal frames")
struct OrthogonalDirectionsTests {
  init() { BLAS.prepare() }

  private static let seed: UInt64 = 19

  private func directions(_ range: Range<Int>, _ d: Int, iteration: Int = 3) -> [Double] {
    var source = OrthogonalDirections(noise: Noise(seed: Self.seed), dimension: d)
    var output = [Double](repeating: .nan, count: range.count * d)
    source.fill(range, iteration: iteration, into: &output)
    return output
  }

  @Test(
    "the directions of a frame are orthogonal and of length √d, and Σ z zᵀ = d I", arguments: [1, 2, 7, 64])
  func orthogonal(dimension d: Int) {
    let rows = directions(0..<3 * d, d)
    for frame in 0..<3 {
      let start = frame * d
      for i in 0..<d {
        for j in 0...i {
          let product = (0..<d).reduce(0.0) { $0 + rows[(start + i) * d + $1] * rows[(start + j) * d + $1] }
          let outer = (0..<d).reduce(0.0) { $0 + rows[(start + $1) * d + i] * rows[(start + $1) * d + j] }
          let expected = i == j ? Double(d) : 0
          #expect(abs(product - expected) < 1e-12 * Double(d), "seed \(Self.seed)")
          #expect(abs(outer - expected) < 1e-12 * Double(d), "seed \(Self.seed)")
        }
      }
    }
    #expect(Set(rows.map(\.bitPattern)).count > (d == 1 ? 0 : 2 * d * d), "frames differ")
  }

  @Test("any range gives the numbers of the whole, however many frames it crosses", arguments: [1, 2, 7, 64])
  func ranges(dimension d: Int) {
    let count = 6 * d + 3
    let whole = directions(0..<count, d)
    var source = OrthogonalDirections(noise: Noise(seed: Self.seed), dimension: d)
    for range in [0..<1, d - 1..<d + 1, 5 * d..<count, 1..<4 * d + 1, 0..<count, 2..<2, 0..<d] {
      var output = [Double](repeating: .nan, count: range.count * d + 1)
      source.fill(range, iteration: 3, into: &output)
      #expect(output.last?.isNaN == true, "nothing beyond is written")
      #expect(output.dropLast() == whole[range.lowerBound * d..<range.upperBound * d], "\(range)")
    }
    if d > 1 { #expect(directions(0..<d, d, iteration: 4) != Array(whole.prefix(d * d))) }
  }

  @Test(
    "a direction is uniform on its sphere: mean 0, E z_k² = 1, E z_k⁴ = 3d/(d + 2)", arguments: [1, 2, 7, 64])
  func moments(dimension d: Int) {
    let frames = 4000
    var source = OrthogonalDirections(noise: Noise(seed: Self.seed), dimension: d)
    var sums = [Double](repeating: 0, count: d)
    var products = [Double](repeating: 0, count: d)
    var fourths = [Double](repeating: 0, count: d)
    var row = [Double](repeating: 0, count: d)
    for frame in 0..<frames {
      // Another place in each frame, so that every one is judged.
      let index = frame * d + frame % d
      source.fill(index..<index + 1, iteration: 1, into: &row)
      for k in 0..<d {
        sums[k] += row[k]
        products[k] += row[k] * row[(k + 1) % d]
        fourths[k] += row[k] * row[k] * row[k] * row[k]
      }
    }
    let n = Double(frames)
    let dimension = Double(d)
    let fourth = 3 * dimension / (dimension + 2)
    // E z⁸ = 105 d³ / ((d + 2)(d + 4)(d + 6)).
    let eighth =
      105 * dimension * dimension * dimension / ((dimension + 2) * (dimension + 4) * (dimension + 6))
    for k in 0..<d {
      #expect(abs(sums[k] / n) < 5 / n.squareRoot(), "seed \(Self.seed)")
      if d > 1 { #expect(abs(products[k] / n) < 5 / n.squareRoot(), "seed \(Self.seed)") }
      let error = 5 * ((eighth - fourth * fourth) / n).squareRoot() + 1e-12
      #expect(abs(fourths[k] / n - fourth) < error, "seed \(Self.seed)")
    }
  }
}
