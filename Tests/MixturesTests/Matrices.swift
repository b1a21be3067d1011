import TestKit

/// Small row-major matrices as textbooks write them: an independent witness for BLAS and LAPACK.
enum Matrices {
  static func product(_ a: [Double], _ b: [Double], _ d: Int) -> [Double] {
    (0..<d * d).map { index in (0..<d).reduce(0) { $0 + a[index / d * d + $1] * b[$1 * d + index % d] } }
  }

  static func transpose(_ a: [Double], _ d: Int) -> [Double] {
    (0..<d * d).map { a[$0 % d * d + $0 / d] }
  }

  static func times(_ a: [Double], _ x: [Double]) -> [Double] {
    let d = x.count
    return (0..<d).map { row in (0..<d).reduce(0) { $0 + a[row * d + $1] * x[$1] } }
  }

  /// Expansion along the first row.
  static func determinant(_ a: [Double], _ d: Int) -> Double {
    d == 0 ? 1 : (0..<d).reduce(0) { $0 + a[$1] * cofactor(a, d, 0, $1) }
  }

  /// The adjugate over the determinant.
  static func inverse(_ a: [Double], _ d: Int) -> [Double] {
    let determinant = determinant(a, d)
    return (0..<d * d).map { cofactor(a, d, $0 % d, $0 / d) / determinant }
  }

  private static func cofactor(_ a: [Double], _ d: Int, _ row: Int, _ column: Int) -> Double {
    let minor = a.indices.filter { $0 / d != row && $0 % d != column }.map { a[$0] }
    return ((row + column) % 2 == 0 ? 1 : -1) * determinant(minor, d - 1)
  }

  static func diagonal(_ values: [Double]) -> [Double] {
    let d = values.count
    return (0..<d * d).map { $0 / d == $0 % d ? values[$0 / d] : 0 }
  }

  static func random(_ count: Int, using generator: inout SeededGenerator) -> [Double] {
    (0..<count).map { _ in Double.random(in: -1...1, using: &generator) }
  }

  /// `Q diag(λ) Qᵀ` with a random orthogonal Q, by Gram and Schmidt.
  static func symmetric(_ eigenvalues: [Double], using generator: inout SeededGenerator) -> [Double] {
    let d = eigenvalues.count
    var rows: [[Double]] = []
    while rows.count < d {
      var row = random(d, using: &generator)
      for _ in 0..<2 {
        for other in rows {
          let share = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
          for k in 0..<d { row[k] -= share * other[k] }
        }
      }
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard norm > 0.01 else { continue }
      rows.append(row.map { $0 / norm })
    }
    return (0..<d * d).map { index in
      (0..<d).reduce(0) { $0 + eigenvalues[$1] * rows[$1][index / d] * rows[$1][index % d] }
    }
  }
}
