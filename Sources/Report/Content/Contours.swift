/// Level curves of a function on a grid, by marching squares.
package struct Contours {
  package let xs: [Double]
  package let ys: [Double]
  /// Values `[ys.count][xs.count]`.
  package let values: [[Double]]

  package init(xs: [Double], ys: [Double], _ function: (Double, Double) -> Double) {
    self.xs = xs
    self.ys = ys
    values = ys.map { y in xs.map { function($0, y) } }
  }

  /// The values above which the given shares of the whole lie: the edges of highest-density regions.
  package func levels(holding shares: [Double]) -> [Double] {
    let sorted = values.flatMap { $0 }.sorted(by: >)
    let total = sorted.reduce(0, +)
    return shares.map { share in
      var sum = 0.0
      for value in sorted {
        sum += value
        if sum >= share * total { return value }
      }
      return 0
    }
  }

  /// The pieces of a level's curve, each joined as far as its segments touch.
  package func curves(at level: Double) -> [[(Double, Double)]] {
    var segments: [(from: Int, to: Int)] = []
    var points: [(Double, Double)] = []
    var numbers: [Int: Int] = [:]
    let width = xs.count
    // An edge of the grid: to the right of a node (0) or above it (1).
    func crossing(_ column: Int, _ row: Int, _ isUp: Bool) -> Int {
      let key = 2 * (row * width + column) + (isUp ? 1 : 0)
      if let number = numbers[key] { return number }
      let a = values[row][column]
      let b = isUp ? values[row + 1][column] : values[row][column + 1]
      let share = (level - a) / (b - a)
      points.append(
        isUp
          ? (xs[column], ys[row] + share * (ys[row + 1] - ys[row]))
          : (xs[column] + share * (xs[column + 1] - xs[column]), ys[row]))
      numbers[key] = points.count - 1
      return points.count - 1
    }
    for row in 0..<ys.count - 1 {
      for column in 0..<width - 1 {
        let corners = [
          values[row][column], values[row][column + 1], values[row + 1][column + 1], values[row + 1][column],
        ].map { $0 >= level }
        var edges: [Int] = []
        if corners[0] != corners[1] { edges.append(crossing(column, row, false)) }
        if corners[1] != corners[2] { edges.append(crossing(column + 1, row, true)) }
        if corners[2] != corners[3] { edges.append(crossing(column, row + 1, false)) }
        if corners[3] != corners[0] { edges.append(crossing(column, row, true)) }
        if edges.count == 2 { segments.append((edges[0], edges[1])) }
        if edges.count == 4 {
          // A saddle: either pairing is right at this resolution.
          segments += [(edges[0], edges[3]), (edges[1], edges[2])]
        }
      }
    }
    return joined(segments, points)
  }

  private func joined(_ segments: [(from: Int, to: Int)], _ points: [(Double, Double)])
    -> [[(Double, Double)]]
  {
    var touching = [[Int]](repeating: [], count: points.count)
    for (index, segment) in segments.enumerated() {
      touching[segment.from].append(index)
      touching[segment.to].append(index)
    }
    var isUsed = [Bool](repeating: false, count: segments.count)
    func follow(from start: Int) -> [Int] {
      var chain = [start]
      var here = start
      while let next = touching[here].first(where: { !isUsed[$0] }) {
        isUsed[next] = true
        here = segments[next].from == here ? segments[next].to : segments[next].from
        chain.append(here)
      }
      return chain
    }
    var curves: [[Int]] = []
    // Open ends first, then what is closed.
    for point in points.indices where touching[point].count == 1 {
      let chain = follow(from: point)
      if chain.count > 1 { curves.append(chain) }
    }
    for point in points.indices {
      let chain = follow(from: point)
      if chain.count > 1 { curves.append(chain) }
    }
    return curves.map { $0.map { points[$0] } }
  }
}
