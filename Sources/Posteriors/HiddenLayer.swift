/// The sizes of a network with one hidden layer and one output, and where its parameters lie in θ:
/// `[W1 (units × columns, row-major by unit), b1 (units), w2 (units), b2]`.
struct HiddenLayer: Sendable {
  /// Columns of the design matrix.
  let columns: Int
  /// Hidden units, H.
  let units: Int

  /// `H (columns + 2) + 1`.
  var dimension: Int { weightCount + 2 * units + 1 }
  /// Number of first-layer weights, which come first; the biases and the output's weights follow them.
  var weightCount: Int { units * columns }

  /// `w1[unit,column]`, `b1[unit]`, `w2[unit]` and `b2`; units count from 1.
  func parameterNames(columnNames: [String]) -> [String] {
    let numbers = 1...units
    return numbers.flatMap { unit in columnNames.map { "w1[\(unit),\($0)]" } }
      + numbers.map { "b1[\($0)]" } + numbers.map { "w2[\($0)]" } + ["b2"]
  }
}
