/// The optimal transport between two discrete distributions, exactly.
public struct Transport: Sendable, Equatable {
  /// How much moves from point i of the first to point j of the second, row-major `[n, m]`; sums to one.
  public let plan: [Double]
  /// `Σ_ij plan[i, j] cost[i, j]`, the least possible.
  public let cost: Double

  /// Solves `min_P Σ_ij P_ij cost_ij` over P ≥ 0 with row sums a and column sums b, by successive shortest
  /// paths with potentials (Ahuja, Magnanti, Orlin, *Network Flows*, section 9.7), a Dijkstra search of O(n m) for
  /// each path. Deterministic: ties go to the lowest index.
  ///
  /// Masses are whole numbers inside, so that nothing is left over by rounding: uniform weights are exact, others
  /// are rounded to multiples of 2⁻⁵².
  ///
  /// Nil when a weight is negative, when either side has none that is positive, or when a number is not finite.
  ///
  /// - Parameters:
  ///   - first: the weights a, `[n]`, of any sum.
  ///   - second: the weights b, `[m]`, of any sum.
  ///   - cost: row-major `[n, m]`.
  public init?(from first: [Double], to second: [Double], cost: [Double]) {
    precondition(cost.count == first.count * second.count, "a cost for every pair")
    guard let masses = TransportMasses(first, second), cost.allSatisfy(\.isFinite) else { return nil }
    var search = TransportSearch(cost: cost, demand: masses.second)
    for (row, supply) in masses.first.enumerated() { search.send(supply, from: row) }
    let columns = second.count
    var plan = [Double](repeating: 0, count: cost.count)
    var total = 0.0
    for i in first.indices {
      for j in second.indices where search.flow[j * first.count + i] > 0 {
        let share = Double(search.flow[j * first.count + i]) / Double(masses.total)
        plan[i * columns + j] = share
        total += share * cost[i * columns + j]
      }
    }
    self.plan = plan
    self.cost = total
  }

  /// The least cost between uniform distributions on n and m points, `[n, m]`: for n = m that of an assignment. Nil when
  /// a cost is not finite or there are no points.
  static func uniformCost(rows n: Int, columns m: Int, cost: [Double]) -> Double? {
    guard n > 0, m > 0, cost.allSatisfy(\.isFinite) else { return nil }
    guard n == m else { return Transport(rows: n, columns: m, cost: cost)?.cost }
    let permutation = Assignment.minimize(cost: cost, size: n)
    return permutation.enumerated().reduce(0) { $0 + cost[$1.offset * n + $1.element] } / Double(n)
  }

  /// The same between uniform distributions on n and m points.
  public init?(rows: Int, columns: Int, cost: [Double]) {
    self.init(
      from: [Double](repeating: 1, count: rows), to: [Double](repeating: 1, count: columns), cost: cost)
  }
}

/// The weights of both sides as whole numbers of equal sum.
private struct TransportMasses {
  let first: [Int]
  let second: [Int]
  let total: Int

  /// Total mass when weights are not uniform: every multiple of its inverse up to one is a double.
  private static let generalTotal = 1 << 52
  private static let largestUniformCount = 1 << 25

  init?(_ first: [Double], _ second: [Double]) {
    for weights in [first, second] {
      guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }), let largest = weights.max(), largest > 0 else {
        return nil
      }
    }
    if Self.isUniform(first), Self.isUniform(second), first.count <= Self.largestUniformCount,
      second.count <= Self.largestUniformCount
    {
      let divisor = Self.commonDivisor(first.count, second.count)
      self.first = [Int](repeating: second.count / divisor, count: first.count)
      self.second = [Int](repeating: first.count / divisor, count: second.count)
      total = first.count * (second.count / divisor)
    } else {
      self.first = Self.rounded(first)
      self.second = Self.rounded(second)
      total = Self.generalTotal
    }
  }

  private static func isUniform(_ weights: [Double]) -> Bool { weights.allSatisfy { $0 == weights[0] } }

  private static func commonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : commonDivisor(b, a % b) }

  /// Differences of the rounded cumulative sums: they add up exactly, and a weight of zero stays zero.
  private static func rounded(_ weights: [Double]) -> [Int] {
    // Division by the largest first, because the sum of huge weights could overflow.
    let largest = weights.max() ?? 1
    let sum = weights.reduce(0) { $0 + $1 / largest }
    var cumulative = 0.0
    var before = 0
    var masses: [Int] = []
    for weight in weights {
      cumulative += weight / largest
      let after = Int((cumulative / sum * Double(generalTotal)).rounded())
      masses.append(after - before)
      before = after
    }
    return masses
  }
}
