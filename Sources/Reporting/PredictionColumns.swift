import Inference
import Posteriors

/// The columns of a table of predictions, from the numbers that workers compute of each row.
public struct PredictionColumns: Sendable {
  /// The header.
  public let names: [String]
  public let layout: RowPrediction.Layout
  /// The classes' names; empty where a number is predicted.
  public let classes: [String]
  /// Whether the most probable class is the last column.
  public var hasClass: Bool { !classes.isEmpty }
  private let isBinary: Bool

  /// - Parameters:
  ///   - classes: names from the training data; empty where a number is predicted.
  public init(_ prediction: RowPrediction, layout: RowPrediction.Layout, classes: [String]) {
    self.layout = layout
    self.classes = classes
    isBinary = classes.count == 2 && layout.expectations == 1
    let quantiles = layout.quantiles > 0 ? prediction.quantiles.map { "q\($0)" } : []
    if classes.isEmpty {
      names = ["mean", "sd"] + quantiles
    } else {
      // Of two classes the second's quantiles say everything.
      let computed = classes.suffix(layout.expectations)
      names =
        classes.map { "p[\($0)]" } + quantiles.flatMap { name in computed.map { "\(name)[\($0)]" } } + [
          "class"
        ]
    }
  }

  /// Numbers of a row of the table; the class is its index.
  public var count: Int { names.count }

  /// Writes the numbers of one row of the table.
  func fill(_ row: UnsafePointer<Double>, into output: UnsafeMutablePointer<Double>) {
    guard hasClass else { return output.update(from: row, count: layout.shown) }
    if isBinary {
      output[0] = 1 - row[0]
      (output + 1).update(from: row, count: layout.shown)
    } else {
      output.update(from: row, count: layout.shown)
    }
    output[count - 1] = Double(PredictionColumns.best(row, of: classes.count, isBinary: isBinary))
  }

  /// The most probable class; of equals the first, but the second of two.
  static func best(_ row: UnsafePointer<Double>, of count: Int, isBinary: Bool) -> Int {
    if isBinary { return row[0] >= 0.5 ? 1 : 0 }
    var best = 0
    for c in 1..<count where row[c] > row[best] { best = c }
    return best
  }

  func predictedClass(_ row: UnsafePointer<Double>) -> Int {
    PredictionColumns.best(row, of: classes.count, isBinary: isBinary)
  }
}
