import Foundation
import Inference
import Mixtures
import TestKit
import Testing

@Suite("Components that are of no use where they are")
struct RelocationTests {
  private static let seed: UInt64 = 51

  private func line(_ means: [Double], _ variances: [Double]? = nil) -> IsotropicMixture {
    IsotropicMixture(
      componentCount: means.count, dimension: 1, means: means,
      variances: variances ?? [Double](repeating: 1, count: means.count))
  }

  @Test("two components belong together while their Bhattacharyya coefficient, by quadrature, is above 0.01")
  func overlap() {
    var generator = SeededGenerator(seed: Self.seed)
    var (together, apart) = (0, 0)
    for _ in 0..<200 {
      let means = [0, Double.random(in: 0...20, using: &generator)]
      let variances = (0..<2).map { _ in exp(Double.random(in: -4...2, using: &generator)) }
      func density(_ x: Double, _ i: Int) -> Double {
        exp(-0.5 * pow(x - means[i], 2) / variances[i]) / (2 * Double.pi * variances[i]).squareRoot()
      }
      let coefficient = (-4000..<4000).reduce(0) { sum, index in
        let x = 0.01 * Double(index)
        return sum + 0.01 * (density(x, 0) * density(x, 1)).squareRoot()
      }
      guard abs(coefficient / 0.01 - 1) > 0.01 else { continue }
      let groups = Relocation(line(means, variances), rewards: [0, 0]).groups
      #expect(groups.count == (coefficient > 0.01 ? 1 : 2), "seed \(Self.seed): \(coefficient)")
      if groups.count == 1 { together += 1 } else { apart += 1 }
    }
    #expect(together > 20 && apart > 20)
  }

  @Test("a chain of neighbours is one group, and groups are in the order of their first components")
  func chain() {
    let relocation = Relocation(line([50, 0, 5, 10, 55, 100]), rewards: [0, 0, 0, 0, 0, 0])
    #expect(relocation.groups == [[0, 4], [1, 2, 3], [5]])
  }

  @Test(
    "the shares of two modes with masses 0.1 and 0.9 are these masses, however many components are there now")
  func shares() {
    for (first, second) in [(5, 5), (8, 2), (1, 9), (9, 1)] {
      // Components that agree with their mode: E[log π − log q] = log mass − log (their share of q).
      let n = Double(first + second)
      let rewards =
        [Double](repeating: log(0.1) - log(Double(first) / n), count: first)
        + [Double](repeating: log(0.9) - log(Double(second) / n), count: second)
      let means = [Double](repeating: 0, count: first) + [Double](repeating: 100, count: second)
      let shares = Relocation(line(means), rewards: rewards).shares
      #expect(shares.count == 2 && abs(shares[0] - 1) < 1e-12 && abs(shares[1] - 9) < 1e-12, "\(first)")
    }
  }

  /// `Σ n_A log(n_A / share_A)`.
  private func cost(_ counts: [Int], _ shares: [Double]) -> Double {
    zip(counts, shares).reduce(0) { $1.0 == 0 ? $0 : $0 + Double($1.0) * log(Double($1.0) / $1.1) }
  }

  /// All ways to spread `total` over `groups`.
  private func compositions(_ total: Int, _ groups: Int) -> [[Int]] {
    guard groups > 1 else { return [[total]] }
    return (0...total).flatMap { first in compositions(total - first, groups - 1).map { [first] + $0 } }
  }

  @Test("moves lead to the best numbers of components that there are, found by trying all")
  func moves() throws {
    var generator = SeededGenerator(seed: Self.seed)
    var moved = 0
    for _ in 0..<300 {
      let groups = Int.random(in: 1...4, using: &generator)
      let sizes = (0..<groups).map { _ in Int.random(in: 1...3, using: &generator) }
      let means = sizes.enumerated().flatMap {
        [Double](repeating: 100 * Double($0.offset), count: $0.element)
      }
      let rewards = means.map { _ in Double.random(in: -3...3, using: &generator) }
      let relocation = Relocation(line(means), rewards: rewards)
      #expect(relocation.groups.map(\.count) == sizes)
      var counts = sizes
      let group = sizes.enumerated().flatMap { [Int](repeating: $0.offset, count: $0.element) }
      var movers: [Int] = []
      for move in relocation.moves() {
        guard case .component(let other) = move.target else {
          Issue.record("a move to a mode that nobody named")
          continue
        }
        counts[group[move.component]] -= 1
        counts[group[other]] += 1
        movers.append(move.component)
      }
      moved += movers.count
      #expect(Set(movers).count == movers.count, "a component moves once")
      let shares = relocation.shares
      let best = compositions(means.count, groups).map { cost($0, shares) }.min() ?? 0
      #expect(
        abs(cost(counts, shares) - best) < 1e-9, "seed \(Self.seed): \(sizes) to \(counts), shares \(shares)")
      // Of each group the components with the least rewards go.
      for (number, members) in relocation.groups.enumerated() {
        let gone = movers.filter { group[$0] == number }.map { rewards[$0] }
        let kept = members.filter { !movers.contains($0) }.map { rewards[$0] }
        #expect((gone.max() ?? -.infinity) <= (kept.min() ?? .infinity))
      }
    }
    #expect(moved > 100)
  }

  @Test("nothing moves when the numbers are the best already, nor within one group")
  func none() {
    // Four and four components at two modes of mass one half each.
    let means = [0.0, 0, 0, 0, 100, 100, 100, 100]
    #expect(Relocation(line(means), rewards: [0, 0.1, -0.1, 0, 0.1, -0.1, 0, 0]).moves().isEmpty)
    #expect(Relocation(line([0, 1, 2]), rewards: [-5, 0, 9]).moves().isEmpty)
    #expect(Relocation(line([0]), rewards: [3]).moves().isEmpty)
  }

  @Test("new modes get the worst components of the groups that have most too many, never a group's last one")
  func donors() {
    let means = [0.0, 0, 0, 0, 100, 100, 200]
    let rewards = [1, -2, 3, 0, -9, 0, -50.0]
    let relocation = Relocation(line(means), rewards: rewards)
    // Half of seven at most.
    let moves = relocation.moves(toModes: 10)
    #expect(moves.count == 3)
    #expect(moves.map(\.target) == [.mode(0), .mode(1), .mode(2)])
    // Shares: nearly all belongs to the first group, so that the second one has most too many; its better one stays.
    #expect(moves.map(\.component) == [4, 1, 3])
    #expect(relocation.moves(toModes: 0).isEmpty)
    #expect(Relocation(line([0, 100, 200]), rewards: [0, 0, 0]).moves(toModes: 2).isEmpty)
  }
}
