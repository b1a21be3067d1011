import NumericsKit

/// A quantity that users of a target know by name, computed from θ: a coefficient vector, a scale, a constrained
/// parameter of a Stan model.
public struct OutputVariable: Sendable, Hashable, Codable {
  /// One dimension of a variable.
  public struct Axis: Sendable, Hashable, Codable {
    /// The dimension's name, for example `feature`.
    public var name: String
    /// The label of each place; their number is the dimension's size.
    public var labels: [String]

    public init(name: String, labels: [String]) {
      self.name = name
      self.labels = labels
    }
  }

  public var name: String
  /// The dimensions, slowest first; empty for a single number.
  public var axes: [Axis]
  /// One name for each number, row-major, as they stand above a column of a table of draws.
  public var columnNames: [String]

  /// - Parameter columnNames: nil: `name`, or `name[label,label]`.
  public init(name: String, axes: [Axis] = [], columnNames: [String]? = nil) {
    self.name = name
    self.axes = axes
    self.columnNames = columnNames ?? OutputVariable.names(name, axes)
  }

  /// How many numbers it has.
  public var count: Int { columnNames.count }

  private static func names(_ name: String, _ axes: [Axis]) -> [String] {
    guard !axes.isEmpty else { return [name] }
    var places = [""]
    for axis in axes {
      places = places.flatMap { place in
        axis.labels.map { place.isEmpty ? $0 : "\(place),\($0)" }
      }
    }
    return places.map { "\(name)[\($0)]" }
  }
}

extension LogDensity {
  /// θ itself, a variable for each coordinate.
  public var outputVariables: [OutputVariable] { parameterNames.map { OutputVariable(name: $0) } }

  /// Copies θ.
  public func computeOutputs(
    points: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) throws {
    output.update(from: points, count: count * dimension)
  }

  /// How many numbers the output variables have together.
  public var outputCount: Int { outputVariables.reduce(0) { $0 + $1.count } }
}
