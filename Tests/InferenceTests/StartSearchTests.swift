import Foundation
import Inference
import TestKit
import Testing

@Suite("The box to start in")
struct StartSearchTests {
  /// Searches with V of draws that grow with the box; returns the scale and the number of trials.
  private func run(_ value: (Double) -> Double) -> (scale: Double, trials: Int) {
    var generator = SeededGenerator(seed: 2)
    let draws = (0..<64).map { _ in Double.random(in: -5...5, using: &generator) }
    var search = StartSearch()
    for trials in 1...1000 {
      let scale = search.scale
      if search.take(values: draws.map { value(scale * $0) }, dimension: 1) { return (search.scale, trials) }
    }
    Issue.record("the search does not end")
    return (0, 0)
  }

  /// The median of V above its least, in a box of a scale.
  private func excess(_ scale: Double, _ value: (Double) -> Double) -> Double {
    var generator = SeededGenerator(seed: 2)
    let values = (0..<64).map { _ in value(scale * Double.random(in: -5...5, using: &generator)) }.sorted()
    return values[32] - values[0]
  }

  @Test("is the usual one where V varies over it as it should")
  func usual() {
    let found = run { 4 * $0 * $0 }
    #expect(found.scale == 1 && found.trials == 1)
  }

  @Test(
    "is doubled until V varies, halved until it can be compared",
    arguments: [1e-8, 1e-4, 0.01, 100, 1e4, 1e9])
  func sizes(curvature: Double) {
    let value = { (x: Double) in curvature * x * x }
    let found = run(value)
    let excess = excess(found.scale, value)
    #expect(excess >= 15 && excess <= 100, "\(found)")
    // Not further than needed: one size less would be too flat, or too steep.
    if found.scale > 1 { #expect(excess < 4 * 15) } else { #expect(excess > 100 / 4) }
    #expect(log2(found.scale) == log2(found.scale).rounded())
    #expect(found.trials == 1 + Int(abs(log2(found.scale))))
  }

  @Test("is the last one in which V is finite")
  func finite() {
    // Every draw is within 5 scales of the origin.
    #expect(run { abs($0) < 45 ? 0 : .infinity }.scale == 8)
    #expect(run { abs($0) < 1 ? $0 : .nan }.scale < 0.25)
    // The excess does not count draws that are not finite as small.
    #expect(run { $0 > 0.3 ? -.infinity : 1000 * $0 * $0 }.scale < 0.1)
  }

  @Test("is looked for sixty times at most")
  func end() {
    #expect(run { _ in 3 }.trials == 60)
    #expect(run { _ in .nan }.trials == 60)
  }
}
