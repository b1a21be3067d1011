import Posteriors

/// How a target's output variables stand in a netCDF group: under names that netCDF takes, each dimension with its
/// labels once.
struct PosteriorLayout {
  /// One variable: columns of a table of draws from `offset` on.
  struct Entry {
    let variable: OutputVariable
    let name: String
    let offset: Int
    /// Places in ``PosteriorLayout/axes``.
    let axes: [Int]
  }

  let entries: [Entry]
  let axes: [OutputVariable.Axis]
  /// Columns of a table of draws.
  let width: Int

  /// More single numbers than this are one variable, because thousands of variables make a file that nobody can use.
  static let mostSingleNumbers = 100
  /// Its name, and that of its dimension.
  static let joinedName = "theta"
  static let joinedAxis = "parameter"
  /// The dimensions of every variable.
  static let drawAxes = ["chain", "draw"]

  init(_ given: [OutputVariable]) {
    width = given.reduce(0) { $0 + $1.count }
    let variables = PosteriorLayout.joined(given)
    var axes: [OutputVariable.Axis] = []
    var keys: [OutputVariable.Axis] = []
    var names = NetCDFNames(taken: PosteriorLayout.drawAxes)
    var places: [[Int]] = []
    for variable in variables {
      places.append(
        variable.axes.map { axis in
          if let place = keys.firstIndex(of: axis) { return place }
          keys.append(axis)
          axes.append(OutputVariable.Axis(name: names.name(for: axis.name), labels: axis.labels))
          return axes.count - 1
        })
    }
    var entries: [Entry] = []
    var offset = 0
    for (variable, axes) in zip(variables, places) {
      entries.append(
        Entry(variable: variable, name: names.name(for: variable.name), offset: offset, axes: axes))
      offset += variable.count
    }
    self.entries = entries.filter { $0.variable.count > 0 }
    self.axes = axes
  }

  private static func joined(_ variables: [OutputVariable]) -> [OutputVariable] {
    guard variables.count > mostSingleNumbers, variables.allSatisfy({ $0.axes.isEmpty }) else {
      return variables
    }
    let names = variables.map(\.name)
    return [
      OutputVariable(
        name: joinedName, axes: [OutputVariable.Axis(name: joinedAxis, labels: names)], columnNames: names)
    ]
  }

  /// An entry's columns of a table `[rows, width]`, row-major.
  func columns(_ entry: Entry, of table: [Double], rows: Int) -> [Double] {
    let count = entry.variable.count
    guard count < width else { return table }
    var result: [Double] = []
    result.reserveCapacity(rows * count)
    for row in 0..<rows {
      let start = row * width + entry.offset
      result += table[start..<start + count]
    }
    return result
  }
}
