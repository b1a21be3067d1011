import CKernels
import NumericsKit
import Posteriors

/// Probabilities of classes without draws: the differences of a row's logits are normal under each component of a mixture
/// of Gaussians, and the averages of softmax over those are integrals over as many variables as there are classes that
/// compete for the row, by products of rules that are chosen by the row's own widths.
final class ClassRows: RowIntegrals {
  private let classes: Int
  private let columns: Int
  private let components: Int
  private let shares: [Double]
  private let variances: [Double]
  /// Means of the coefficients' differences from those of class 0, `[N, classes − 1, columns]`.
  private let means: [Double]
  private let frames: [Frame]
  private let design = Scratch()
  private let transposed = Scratch()
  private let products = Scratch()
  private let centers = Scratch()
  private let covariances = Scratch()
  private let probabilities = Scratch()

  /// What a factor W of a Gaussian `N(m, ε W Wᵀ)` makes of the covariances of two classes' differences from class 0.
  private enum Frame {
    /// Squares of a diagonal W, `[classes, columns]`.
    case diagonal([Double])
    /// Quadratic forms of the pairs, `[pairs, columns, columns]`.
    case dense([Double])
  }

  /// More components are not worth it, nor are more numbers of a quadratic form than this for each class.
  private static let (mostComponents, mostProducts) = (64, 400)

  /// Whether draws would cost more.
  static func isWorthwhile(
    classes: Int, columns: Int, components: Int, frames: Int, isDense: Bool
  ) -> Bool {
    guard classes <= Int(ISOMIX_MOST_CLASSES), components <= mostComponents else { return false }
    return !isDense || frames * columns * (classes - 1) / 2 <= mostProducts
  }

  init(_ job: TileJob, classes: Int) {
    let dimension = job.metric.dimension
    let components = job.mixture.componentCount
    let columns = dimension / classes
    self.classes = classes
    self.columns = columns
    self.components = components
    shares = [Double](repeating: 1 / Double(components), count: components)
    let positions = job.metric.positions(of: job.mixture.means, count: components)
    var means: [Double] = []
    for component in 0..<components {
      for c in 1..<classes {
        for column in 0..<columns {
          let place = component * dimension + column * classes
          means.append(positions[place + c] - positions[place])
        }
      }
    }
    self.means = means
    (variances, frames) = job.frames { ClassRows.frame($0, classes: classes, columns: columns) }
  }

  private static func frame(_ factor: [Double], classes: Int, columns: Int) -> Frame {
    let dimension = classes * columns
    guard factor.count == dimension * dimension, dimension > 1 else {
      let diagonal = factor.isEmpty ? [Double](repeating: 1, count: dimension) : factor
      return .diagonal(
        (0..<classes).flatMap { c in
          (0..<columns).map { diagonal[$0 * classes + c] * diagonal[$0 * classes + c] }
        })
    }
    // Rows of W for a class less those for class 0, [columns, d].
    let differences = (1..<classes).map { c in
      (0..<columns).flatMap { column in
        let (own, first) = ((column * classes + c) * dimension, column * classes * dimension)
        return (0..<dimension).map { factor[own + $0] - factor[first + $0] }
      }
    }
    var forms: [Double] = []
    var form = [Double](repeating: 0, count: columns * columns)
    for a in differences.indices {
      for b in 0...a {
        BLAS.multiply(
          differences[a], leadingDimension: dimension, by: differences[b], leadingDimension: dimension,
          transposed: true, rows: columns, columns: columns, inner: dimension, into: &form,
          leadingDimension: columns)
        forms += form
      }
    }
    return .dense(forms)
  }

  private var pairs: Int { classes * (classes - 1) / 2 }

  var numbersPerRow: Int { max(pairs * columns, components * (classes - 1)) }

  func predict(
    _ block: RowBlock, quantity: RowPrediction.Quantity, _ layout: RowPrediction.Layout,
    into columns: UnsafeMutablePointer<Double>
  ) -> [Int] {
    let count = block.count
    let probabilities = probabilities.pointer(count: classes * count)
    average(block, into: probabilities)
    let left = (0..<count).filter { !(probabilities[$0] >= 0) }
    let first = classes == 2 ? 1 : 0
    columns.update(from: probabilities + first * count, count: (classes - first) * count)
    guard layout.hasScores else { return left }
    let scores = columns + layout.shown * count
    for row in 0..<count {
      let index = min(max(Int(block.responses[row]), 0), classes - 1)
      scores[row] = max(probabilities[index * count + row], 0)
    }
    VectorMath.takeLogarithms(scores, count: count)
    return left
  }

  /// Writes probabilities `[classes, rows]`.
  private func average(_ block: RowBlock, into probabilities: UnsafeMutablePointer<Double>) {
    let count = block.count
    let rows = block.denseRows(design)
    let transposed = transposed.pointer(count: columns * count)
    for row in 0..<count {
      for column in 0..<columns { transposed[column * count + row] = rows[row * columns + column] }
    }
    let vectors = components * (classes - 1)
    let centers = centers.pointer(count: vectors * count)
    BLAS.multiply(
      means, leadingDimension: columns, by: transposed, leadingDimension: count, rows: vectors,
      columns: count, inner: columns, into: centers, leadingDimension: count)
    let covariances = covariances.zeroed(count: frames.count * pairs * count)
    for (index, frame) in frames.enumerated() {
      write(frame, transposed, count: count, into: covariances + index * pairs * count)
    }
    NormalRules.shared.withRules { rules in
      isomix_softmax_averages(
        centers, covariances, variances, shares, components, frames.count, classes, count, rules,
        probabilities)
    }
  }

  /// Adds covariances `[pairs, rows]`.
  private func write(
    _ frame: Frame, _ transposed: UnsafePointer<Double>, count: Int,
    into covariances: UnsafeMutablePointer<Double>
  ) {
    switch frame {
    case .dense(let forms):
      let products = products.pointer(count: pairs * columns * count)
      BLAS.multiply(
        forms, leadingDimension: columns, by: transposed, leadingDimension: count, rows: pairs * columns,
        columns: count, inner: columns, into: products, leadingDimension: count)
      for pair in 0..<pairs {
        let sum = covariances + pair * count
        for column in 0..<columns {
          let product = products + (pair * columns + column) * count
          let own = transposed + column * count
          for row in 0..<count { sum[row] += product[row] * own[row] }
        }
      }
    case .diagonal(let squares):
      let values = products.pointer(count: (columns + classes) * count)
      let own = values + columns * count
      for index in 0..<columns * count { values[index] = transposed[index] * transposed[index] }
      BLAS.multiply(
        squares, leadingDimension: columns, by: values, leadingDimension: count, rows: classes,
        columns: count, inner: columns, into: own, leadingDimension: count)
      var pair = 0
      for a in 1..<classes {
        for b in 1...a {
          let sum = covariances + pair * count
          for row in 0..<count { sum[row] = own[row] + (a == b ? own[a * count + row] : 0) }
          pair += 1
        }
      }
    }
  }
}
