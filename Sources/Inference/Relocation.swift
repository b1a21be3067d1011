import Mixtures
import NumericsKit

/// Which components of a mixture are of no use where they are, and where they should be.
///
/// Gradient steps can't carry a component from one mode to another, so the numbers of components at the modes stay as
/// chance made them. What is best is known, though: with weights w_A of groups of components that don't overlap, KL(q ‖ π) is
/// least at `w_A ∝ exp(reward_A)`-multiples of what they are, where the reward of a component is
/// `E_i[log π − log q]`.
package struct Relocation {
  /// A component and where it goes: near another one, or to a mode that no component covers.
  package struct Move: Equatable {
    package enum Target: Equatable {
      case component(Int)
      case mode(Int)
    }
    package var component: Int
    package var target: Target
  }

  let mixture: IsotropicMixture
  /// `E_i[log π − log q]` of each component, in nats.
  let rewards: [Double]
  /// The components of each group that hangs together.
  package let groups: [[Int]]

  /// Components overlap when their Bhattacharyya coefficient is above this.
  static let overlap = 0.01

  package init(_ mixture: IsotropicMixture, rewards: [Double]) {
    self.mixture = mixture
    self.rewards = rewards
    groups = Relocation.groups(of: mixture)
  }

  /// How many components each group should have, a real number each, N in all.
  package var shares: [Double] {
    let means = groups.map { group in
      group.reduce(0) { $0 + rewards[$1] } / Double(group.count)
    }
    let best = means.max() ?? 0
    let weights = zip(groups, means).map { Double($0.count) * VectorMath.exponential(max($1 - best, -700)) }
    let total = weights.reduce(0, +)
    return weights.map { max($0 / total * Double(mixture.componentCount), 1e-12) }
  }

  /// Moves to modes that the mixture lacks, at most half of the components: from the group that has most too many.
  package func moves(toModes count: Int) -> [Move] {
    var left = groups
    let shares = shares
    var moves: [Move] = []
    for mode in 0..<min(count, mixture.componentCount / 2) {
      let surplus = left.indices.filter { left[$0].count > 1 }
        .max { Double(left[$0].count) - shares[$0] < Double(left[$1].count) - shares[$1] }
      guard let surplus, let component = worst(of: left[surplus]) else { break }
      left[surplus].removeAll { $0 == component }
      moves.append(Move(component: component, target: .mode(mode)))
    }
    return moves
  }

  /// Moves that bring the groups' sizes nearer to their shares: each lowers `Σ_A n_A log(n_A / share_A)`, and after
  /// them no further one does.
  package func moves() -> [Move] {
    var left = groups
    var counts = groups.map(\.count)
    let shares = shares
    func cost(_ count: Int, _ group: Int) -> Double {
      count == 0 ? 0 : Double(count) * VectorMath.logarithm(Double(count) / shares[group])
    }
    var moves: [Move] = []
    var taken = [Int](repeating: 0, count: groups.count)
    while moves.count < mixture.componentCount {
      let removals = counts.indices.filter { counts[$0] > 0 && !left[$0].isEmpty }
        .map { ($0, cost(counts[$0] - 1, $0) - cost(counts[$0], $0)) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
      let additions = counts.indices.map { ($0, cost(counts[$0] + 1, $0) - cost(counts[$0], $0)) }
        .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
      var best: (from: Int, to: Int, change: Double)?
      for (from, gain) in removals.prefix(2) {
        for (to, loss) in additions.prefix(2)
        where from != to && gain + loss < best?.change ?? -Relocation.smallestGain {
          best = (from, to, gain + loss)
        }
      }
      guard let best, let component = worst(of: left[best.from]) else { return moves }
      left[best.from].removeAll { $0 == component }
      counts[best.from] -= 1
      counts[best.to] += 1
      let members = groups[best.to]
      moves.append(Move(component: component, target: .component(members[taken[best.to] % members.count])))
      taken[best.to] += 1
    }
    return moves
  }

  private static let smallestGain = 1e-9

  /// The component with the least reward; of equals the last.
  private func worst(of group: [Int]) -> Int? {
    group.min { (rewards[$0], -$0) < (rewards[$1], -$1) }
  }

  /// Connected components of the graph of overlaps, by union-find.
  private static func groups(of mixture: IsotropicMixture) -> [[Int]] {
    let n = mixture.componentCount
    let d = Double(mixture.dimension)
    var parent = Array(0..<n)
    func root(_ i: Int) -> Int {
      var i = i
      while parent[i] != i { i = parent[i] }
      return i
    }
    let limit = VectorMath.logarithm(overlap)
    let logVariances = mixture.variances.map { VectorMath.logarithm($0) }
    for i in 0..<n {
      for j in 0..<i where root(i) != root(j) {
        let sum = mixture.variances[i] + mixture.variances[j]
        let spread =
          0.5 * d
          * (0.5 * (logVariances[i] + logVariances[j]) + VectorMath.logarithm(2.0) - VectorMath.logarithm(sum))
        guard spread > limit else { continue }
        var distance = 0.0
        for k in 0..<mixture.dimension {
          let difference =
            mixture.means[i * mixture.dimension + k] - mixture.means[j * mixture.dimension + k]
          distance += difference * difference
        }
        if spread - 0.25 * distance / sum > limit {
          let (a, b) = (root(i), root(j))
          parent[max(a, b)] = min(a, b)
        }
      }
    }
    var members: [Int: [Int]] = [:]
    for i in 0..<n { members[root(i), default: []].append(i) }
    return members.keys.sorted().compactMap { members[$0] }
  }
}
