import CKernels
import NumericsKit
import Posteriors

/// A factor W of Gaussians `N(m, ε W Wᵀ)` of θ, and what it does to the linear predictors of rows: lengths of `Wᵀx`, and
/// their parts along what is given.
final class PredictorFrame {
  private enum Shape {
    /// W is a diagonal, `[d]`.
    case diagonal([Double])
    /// `[d, d]`, row-major.
    case dense([Double])
  }

  private let shape: Shape
  private let dimension: Int
  private let law: PredictorLaw
  private let conditions: [Int]
  /// An orthonormal basis of the rows of W for the given coordinates, `[conditions, d]`, and their coefficients in it,
  /// `[conditions, conditions]`.
  private var basis: [Double] = []
  private(set) var coefficients: [Double]
  /// Squared lengths of W's rows for the levels of each group, and their parts along the basis, `[levels, conditions]`.
  private var lengths: [[Double]] = []
  private var levelShares: [[Double]] = []

  private let projected = Scratch()
  private let arrays = Scratch()

  /// - Parameter factor: `[d, d]`, a diagonal `[d]`, or none for the identity.
  init(_ factor: [Double], dimension: Int, law: PredictorLaw) {
    self.dimension = dimension
    self.law = law
    conditions = law.conditions
    if factor.count == dimension * dimension, dimension > 1 {
      shape = .dense(factor)
    } else {
      shape = .diagonal(factor.isEmpty ? [Double](repeating: 1, count: dimension) : factor)
    }
    coefficients = [Double](repeating: 0, count: conditions.count * conditions.count)
    makeBasis()
    for group in law.groups {
      let rows = group.levels.map(row)
      lengths.append(rows.map { PredictorFrame.product($0, $0) })
      levelShares.append(
        rows.flatMap { row in
          conditions.indices.map { PredictorFrame.product(row, basisVector($0)) }
        })
    }
  }

  private func row(_ coordinate: Int) -> [Double] {
    switch shape {
    case .diagonal(let diagonal):
      var row = [Double](repeating: 0, count: dimension)
      row[coordinate] = diagonal[coordinate]
      return row
    case .dense(let matrix):
      return Array(matrix[coordinate * dimension..<(coordinate + 1) * dimension])
    }
  }

  private func basisVector(_ index: Int) -> [Double] {
    Array(basis[index * dimension..<(index + 1) * dimension])
  }

  private static func product(_ left: [Double], _ right: [Double]) -> Double {
    zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// Gram and Schmidt's, on the few rows of the given coordinates; they are independent, because W is regular.
  private func makeBasis() {
    let count = conditions.count
    for (index, coordinate) in conditions.enumerated() {
      var rest = row(coordinate)
      for other in 0..<index {
        let vector = basisVector(other)
        let share = PredictorFrame.product(rest, vector)
        coefficients[index * count + other] = share
        for k in rest.indices { rest[k] -= share * vector[k] }
      }
      let length = PredictorFrame.product(rest, rest).squareRoot()
      coefficients[index * count + index] = length
      basis += rest.map { $0 / max(length, ISOMIX_SMALLEST_DEVIATION) }
    }
  }

  /// The length of W's longest row for a given coordinate: its standard deviation over √ε.
  var largestLength: Double {
    conditions.map { PredictorFrame.product(row($0), row($0)).squareRoot() }.max() ?? 0
  }

  /// The parts of rows of a design `[count, columns]` that don't depend on the component; its memory is the frame's, and
  /// valid until the next call.
  func parts(
    _ rows: UnsafePointer<Double>, levels: UnsafePointer<Int32>?, count: Int, columns: Int
  ) -> isomix_predictor_parts {
    let (r, groups) = (conditions.count, law.groups.count)
    let pairs = groups * (groups - 1) / 2
    let squares = arrays.zeroed(count: count * (1 + r + groups * (2 + r) + pairs))
    let shares = squares + count
    let products = shares + r * count
    let lengths = products + groups * count
    let groupShares = lengths + groups * count
    let crosses = groupShares + groups * r * count
    switch shape {
    case .diagonal(let diagonal):
      // What is given, and the levels, are coordinates of their own.
      for j in 0..<count {
        var sum = 0.0
        for k in 0..<columns {
          let part = rows[j * columns + k] * diagonal[k]
          sum += part * part
        }
        squares[j] = sum
      }
    case .dense(let matrix):
      let w = projected.pointer(count: count * dimension)
      BLAS.multiply(
        rows, leadingDimension: columns, by: matrix, leadingDimension: dimension, rows: count,
        columns: dimension, inner: columns, into: w, leadingDimension: dimension)
      for j in 0..<count { squares[j] = VectorMath.sumOfSquares(w + j * dimension, count: dimension) }
      if r > 0 {
        BLAS.multiply(
          basis, leadingDimension: dimension, by: w, leadingDimension: dimension, transposed: true,
          rows: r, columns: count, inner: dimension, into: shares, leadingDimension: count)
      }
    }
    for (g, group) in law.groups.enumerated() {
      for j in 0..<count {
        guard let level = level(j, group: g, levels) else { continue }
        lengths[g * count + j] = self.lengths[g][level]
        for k in 0..<r { groupShares[(g * r + k) * count + j] = levelShares[g][level * r + k] }
        guard case .dense(let matrix) = shape else { continue }
        let own = (group.levels.lowerBound + level) * dimension
        let w = projected.pointer(count: count * dimension) + j * dimension
        products[g * count + j] = PredictorFrame.product(w, matrix, own, dimension)
        for h in 0..<g {
          guard let other = self.level(j, group: h, levels) else { continue }
          let second = (law.groups[h].levels.lowerBound + other) * dimension
          crosses[(g * (g - 1) / 2 + h) * count + j] = matrix.withUnsafeBufferPointer {
            $0.baseAddress.map { PredictorFrame.product($0 + second, matrix, own, dimension) } ?? 0
          }
        }
      }
    }
    return isomix_predictor_parts(
      rows: count, conditions: r, groups: groups, centers: nil, squares: squares, shares: shares,
      effects: nil, products: products, lengths: lengths, group_shares: groupShares, crosses: crosses)
  }

  private static func product(_ left: UnsafePointer<Double>, _ matrix: [Double], _ start: Int, _ count: Int)
    -> Double
  {
    var sum = 0.0
    for k in 0..<count { sum += left[k] * matrix[start + k] }
    return sum
  }

  /// The level of a row; nil when it is not among those of the fit, and has no effect.
  func level(_ row: Int, group: Int, _ levels: UnsafePointer<Int32>?) -> Int? {
    guard let levels else { return nil }
    let level = Int(levels[row * law.groups.count + group])
    return level < law.groups[group].levels.count ? level : nil
  }
}
