/// The state of a transport problem that is being solved: flow, potentials and what each column still takes.
///
/// Reduced costs `cost[i, j] − u_i − v_j` are never negative, and zero where something flows; so every flow is the
/// cheapest for the mass that was sent.
struct TransportSearch {
  /// Mass that flows from row i to column j, `[m, n]`: by columns, because a search asks who feeds a column.
  private(set) var flow: [Int]
  /// Row-major `[n, m]`.
  private let cost: [Double]
  private var demand: [Int]
  private let rows: Int
  private let columns: Int
  private var rowPotential: [Double]
  private var columnPotential: [Double]

  // One search: distances, and the tree of shortest paths.
  private var rowDistance: [Double]
  private var columnOfRow: [Int]
  private var columnDistance: [Double]
  private var rowOfColumn: [Int]
  private var isSettled: [Bool]

  init(cost: [Double], demand: [Int]) {
    columns = demand.count
    rows = cost.count / max(1, columns)
    self.cost = cost
    self.demand = demand
    flow = [Int](repeating: 0, count: cost.count)
    rowPotential = [Double](repeating: 0, count: rows)
    columnPotential = [Double](repeating: 0, count: columns)
    rowDistance = rowPotential
    columnOfRow = [Int](repeating: -1, count: rows)
    columnDistance = columnPotential
    rowOfColumn = [Int](repeating: -1, count: columns)
    isSettled = [Bool](repeating: false, count: columns)
    // Feasible from the start: v_j = 0 and u_i the least cost of its row.
    for i in 0..<rows { rowPotential[i] = cost[i * columns..<(i + 1) * columns].min() ?? 0 }
  }

  /// Sends the supply of one row to the columns along cheapest paths. All supplies together must not exceed
  /// the demand.
  mutating func send(_ supply: Int, from source: Int) {
    var supply = supply
    while supply > 0 {
      let target = findPath(from: source)
      supply -= augment(from: source, to: target, atMost: supply)
    }
  }

  /// Finds the nearest column that still takes mass and makes the path to it tight.
  private mutating func findPath(from source: Int) -> Int {
    for i in 0..<rows { rowDistance[i] = .infinity }
    for j in 0..<columns {
      columnDistance[j] = .infinity
      isSettled[j] = false
    }
    rowDistance[source] = 0
    columnOfRow[source] = -1
    scan(source)
    while true {
      let nearest = nearestColumn()
      isSettled[nearest] = true
      if demand[nearest] > 0 {
        moveTo(columnDistance[nearest])
        return nearest
      }
      // Mass that flows into this column can be taken back, at no reduced cost.
      for i in 0..<rows where flow[nearest * rows + i] > 0 && rowDistance[i] == .infinity {
        rowDistance[i] = columnDistance[nearest]
        columnOfRow[i] = nearest
        scan(i)
      }
    }
  }

  /// Shortens the distances of open columns by way of a row.
  private mutating func scan(_ i: Int) {
    let start = rowDistance[i] - rowPotential[i]
    for j in 0..<columns where !isSettled[j] {
      let distance = start + (cost[i * columns + j] - columnPotential[j])
      if distance < columnDistance[j] {
        columnDistance[j] = distance
        rowOfColumn[j] = i
      }
    }
  }

  private func nearestColumn() -> Int {
    var nearest = -1
    for j in 0..<columns where !isSettled[j] {
      if nearest < 0 || columnDistance[j] < columnDistance[nearest] { nearest = j }
    }
    precondition(nearest >= 0, "more supply than demand")
    return nearest
  }

  /// Changes the potentials so that the tree up to a distance has reduced costs of zero.
  private mutating func moveTo(_ distance: Double) {
    for i in 0..<rows where rowDistance[i] < distance { rowPotential[i] += distance - rowDistance[i] }
    for j in 0..<columns where isSettled[j] { columnPotential[j] -= max(0, distance - columnDistance[j]) }
  }

  /// Sends as much as the path carries and returns it.
  private mutating func augment(from source: Int, to target: Int, atMost supply: Int) -> Int {
    var amount = min(supply, demand[target])
    var j = target
    while rowOfColumn[j] != source {
      let i = rowOfColumn[j]
      j = columnOfRow[i]
      amount = min(amount, flow[j * rows + i])
    }
    demand[target] -= amount
    j = target
    while true {
      let i = rowOfColumn[j]
      flow[j * rows + i] += amount
      if i == source { return amount }
      j = columnOfRow[i]
      flow[j * rows + i] -= amount
    }
  }
}
