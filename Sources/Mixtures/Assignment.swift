/// The linear assignment problem.
public enum Assignment {
  /// The permutation σ that minimises `Σ_i cost[i, σ(i)]`, by shortest augmenting paths in O(n³)
  /// (Jonker and Volgenant, Computing 38, 1987). Costs must be finite.
  ///
  /// - Parameters:
  ///   - cost: row-major `[n, n]`.
  ///   - size: n.
  public static func minimize(cost: [Double], size: Int) -> [Int] {
    precondition(cost.count == size * size, "a cost for every pair")
    // Column 0 stands for "no column yet"; rows and columns count from 1 in here.
    var rowPotential = [Double](repeating: 0, count: size + 1)
    var columnPotential = [Double](repeating: 0, count: size + 1)
    var rowOfColumn = [Int](repeating: 0, count: size + 1)
    for row in 0..<size {
      rowOfColumn[0] = row + 1
      var previous = [Int](repeating: 0, count: size + 1)
      var slack = [Double](repeating: .infinity, count: size + 1)
      var visited = [Bool](repeating: false, count: size + 1)
      var column = 0
      repeat {
        visited[column] = true
        let current = rowOfColumn[column]
        var shortest = Double.infinity
        var next = 0
        for j in stride(from: 1, through: size, by: 1) where !visited[j] {
          let reduced = cost[(current - 1) * size + j - 1] - rowPotential[current] - columnPotential[j]
          if reduced < slack[j] {
            slack[j] = reduced
            previous[j] = column
          }
          if slack[j] < shortest || next == 0 {
            shortest = slack[j]
            next = j
          }
        }
        for j in 0...size {
          if visited[j] {
            rowPotential[rowOfColumn[j]] += shortest
            columnPotential[j] -= shortest
          } else {
            slack[j] -= shortest
          }
        }
        column = next
      } while rowOfColumn[column] != 0
      while column != 0 {
        rowOfColumn[column] = rowOfColumn[previous[column]]
        column = previous[column]
      }
    }
    var permutation = [Int](repeating: 0, count: size)
    for column in stride(from: 1, through: size, by: 1) { permutation[rowOfColumn[column] - 1] = column - 1 }
    return permutation
  }
}
