import Foundation
import Inference
import TestKit
import Testing

@Suite("Searches for modes")
struct ModeSearchTests {
  private typealias Target = ([Double]) -> (value: Double, gradient: [Double])
  private static let seed: UInt64 = 41

  private func run(_ starts: [Double], dimension: Int, _ target: Target) -> ModeSearch {
    var search = ModeSearch(starts: starts, dimension: dimension)
    while !search.isDone {
      let points = search.proposals
      #expect(points.count == starts.count, "as many points in every round")
      let rows = stride(from: 0, to: points.count, by: dimension).map {
        target(Array(points[$0..<$0 + dimension]))
      }
      search.take(values: rows.map(\.value), gradients: rows.flatMap(\.gradient))
    }
    #expect(search.rounds <= ModeSearch.mostRounds)
    return search
  }

  private func starts(_ count: Int, _ dimension: Int, box: Double) -> [Double] {
    var generator = SeededGenerator(seed: Self.seed)
    return (0..<count * dimension).map { _ in Double.random(in: -box...box, using: &generator) }
  }

  private func rosenbrock(_ x: [Double]) -> (value: Double, gradient: [Double]) {
    let (a, b) = (1 - x[0], x[1] - x[0] * x[0])
    return (a * a + 10 * b * b, [-2 * a - 40 * x[0] * b, 20 * b])
  }

  @Test("find the minimum of a quadratic V from everywhere, once")
  func quadratic() {
    let curvatures = [0.5, 1, 2, 4]
    let middle = [1.0, -2, 3, 0]
    let search = run(starts(32, 4, box: 20), dimension: 4) { x in
      let gradient = (0..<4).map { curvatures[$0] * (x[$0] - middle[$0]) }
      return (7 + 0.5 * zip(gradient, zip(x, middle).map(-)).reduce(0) { $0 + $1.0 * $1.1 }, gradient)
    }
    let modes = search.modes(atLeast: 0.5)
    #expect(modes.count == 1, "seed \(Self.seed)")
    #expect(abs((modes.first?.value ?? 0) - 7) < 1e-3)
    for (value, expected) in zip(modes.first?.point ?? [], middle) { #expect(abs(value - expected) < 0.05) }
  }

  @Test("find the end of a curved valley, and take no point for a mode that is half a nat above it")
  func valley() {
    let search = run(starts(40, 2, box: 3), dimension: 2, rosenbrock)
    let modes = search.modes(atLeast: 1e-3)
    #expect(!modes.isEmpty)
    #expect(modes.allSatisfy { $0.value < 0.5 }, "seed \(Self.seed): \(modes)")
    let best = modes.first
    #expect(abs((best?.point[0] ?? 0) - 1) < 0.01 && abs((best?.point[1] ?? 0) - 1) < 0.02)
  }

  @Test("find both modes of a mixture, the better one first, and neither twice")
  func twoWells() {
    // −log of 0.3 N((−4, 0), I) + 0.7 N((4, 1), I), up to a constant.
    let search = run(starts(40, 2, box: 8), dimension: 2) { x in
      let means = [[-4.0, 0], [4.0, 1]]
      let terms = zip([0.3, 0.7], means).map { weight, mean in
        log(weight) - 0.5 * (pow(x[0] - mean[0], 2) + pow(x[1] - mean[1], 2))
      }
      let most = terms.max() ?? 0
      let total = terms.reduce(0) { $0 + exp($1 - most) }
      let gradient = (0..<2).map { k in
        zip(terms, means).reduce(0) { $0 + exp($1.0 - most) / total * (x[k] - $1.1[k]) }
      }
      return (-most - log(total), gradient)
    }
    let modes = search.modes(atLeast: 0.5)
    #expect(modes.count == 2, "seed \(Self.seed)")
    for (mode, expected) in zip(modes, [(4.0, 1.0, -log(0.7)), (-4, 0, -log(0.3))]) {
      #expect(abs(mode.point[0] - expected.0) < 0.05 && abs(mode.point[1] - expected.1) < 0.05)
      #expect(abs(mode.value - expected.2) < 2e-3)
    }
    #expect(search.modes(atLeast: 100).count == 1)
  }

  @Test("find no mode where V falls without end, but do say how far they got")
  func unbounded() {
    let start = starts(8, 3, box: 1)
    let search = run(start, dimension: 3) { x in (-x[0] - x[1], [-1, -1, 0]) }
    #expect(search.modes(atLeast: 0.1).isEmpty)
    let reached = search.bestPoints(atLeast: 0)
    let highest = stride(from: 0, to: start.count, by: 3).map { -start[$0] - start[$0 + 1] }.max() ?? 0
    #expect(reached.count == 8 && reached.allSatisfy { $0.value < highest })
    #expect(zip(reached, reached.dropFirst()).allSatisfy { $0.value <= $1.value })
  }

  @Test("give up where V is not finite, and go on from the other points")
  func notFinite() {
    // V is only defined on x > 0, with its minimum at (1, 2).
    let target: Target = { x in
      guard x[0] > 0, x[1] > 0 else { return (.nan, [.nan, .nan]) }
      return (x[0] - log(x[0]) + x[1] - 2 * log(x[1]), [1 - 1 / x[0], 1 - 2 / x[1]])
    }
    let mixed = run([-1, 3, 4, 0.5, 0.3, 5, 2, -2], dimension: 2, target)
    let modes = mixed.modes(atLeast: 0.3)
    #expect(modes.count == 1)
    #expect(abs((modes.first?.point[0] ?? 0) - 1) < 0.1 && abs((modes.first?.point[1] ?? 0) - 2) < 0.2)
    let none = run([-1, -1, -2, 3], dimension: 2, target)
    #expect(none.rounds == 1, "there is nothing to go on from")
    #expect(none.modes(atLeast: 0).isEmpty && none.bestPoints(atLeast: 0).isEmpty)
    let infinite = run([0, 0], dimension: 2) { _ in (-.infinity, [0, 0]) }
    #expect(infinite.modes(atLeast: 0).isEmpty && infinite.bestPoints(atLeast: 0).isEmpty)
  }
}
