/// What a hidden unit does with its input.
public enum NetworkActivation: String, Sendable, Hashable, CaseIterable {
  /// `max(0, x)`.
  case relu
  case tanh
}

/// The sizes of a feed-forward network, and where its parameters lie in θ.
///
/// Layer by layer, from the first hidden one to the output: the weights `[units, inputs]`, row-major by unit, then the
/// biases `[units]`.
struct NetworkShape: Sendable {
  /// One layer of weights and biases.
  struct Layer: Sendable {
    let inputs: Int
    let units: Int
    /// Where its weights begin in θ.
    let weights: Int
    /// Where its biases begin in θ; the next layer follows them.
    var biases: Int { weights + inputs * units }
  }

  let activation: NetworkActivation
  /// The hidden layers.
  let hidden: [Layer]
  /// The output's layer.
  let output: Layer
  /// For each hidden layer the number of hidden units before it.
  let unitsBefore: [Int]

  /// Columns of the design matrix.
  var columns: Int { hidden[0].inputs }
  /// Numbers that the network gives for a row.
  var outputs: Int { output.units }
  /// Hidden units of all layers.
  let hiddenUnits: Int
  /// Hidden units of the widest layer.
  let widest: Int
  /// Number of weights and biases.
  var dimension: Int { output.biases + output.units }
  /// Number of weights.
  var weightCount: Int { hidden.reduce(output.inputs * output.units) { $0 + $1.inputs * $1.units } }

  /// - Throws: ``PosteriorError`` when there are no columns, no hidden layer or an empty one.
  init(columns: Int, hidden sizes: [Int], outputs: Int, activation: NetworkActivation) throws {
    guard !sizes.isEmpty else {
      throw PosteriorError(code: .shape, message: "a network needs at least one hidden layer")
    }
    if let index = sizes.firstIndex(where: { $0 < 1 }) {
      throw PosteriorError(
        code: .shape,
        message:
          "a hidden layer of a network needs at least one unit, not \(sizes[index]) (layer \(index + 1))")
    }
    var layers: [Layer] = []
    var start = 0
    for (inputs, units) in zip([columns] + sizes, sizes + [outputs]) {
      layers.append(Layer(inputs: inputs, units: units, weights: start))
      start += (inputs + 1) * units
    }
    self.activation = activation
    output = layers.removeLast()
    hidden = layers
    unitsBefore = sizes.indices.map { sizes[..<$0].reduce(0, +) }
    hiddenUnits = sizes.reduce(0, +)
    widest = sizes.max() ?? 0
  }
}

extension NetworkShape {
  /// `w1[unit,column]`, `b1[unit]`, `w2[unit,unit]`, …; units count from 1. The output's are `w[unit]` and `b` with the
  /// next number, or `w[class,unit]` and `b[class]`.
  func parameterNames(columnNames: [String], classNames: [String]) -> [String] {
    variables(columnNames: columnNames, classNames: classNames).flatMap(\.columnNames)
  }

  /// `weights_1` (unit_1, feature), `biases_1` (unit_1), `weights_2` (unit_2, unit_1), …, `weights_out` and `biases_out`,
  /// in the order of θ.
  ///
  /// - Parameter classNames: of the outputs; empty for a single output.
  func variables(columnNames: [String], classNames: [String]) -> [OutputVariable] {
    var inputs = OutputVariable.Axis(name: "feature", labels: columnNames)
    var variables: [OutputVariable] = []
    for (index, layer) in hidden.enumerated() {
      let units = OutputVariable.Axis(name: "unit_\(index + 1)", labels: (1...layer.units).map { "\($0)" })
      variables += [
        OutputVariable(name: "weights_\(index + 1)", axes: [units, inputs], prefix: "w\(index + 1)"),
        OutputVariable(name: "biases_\(index + 1)", axes: [units], prefix: "b\(index + 1)"),
      ]
      inputs = units
    }
    let classes = classNames.isEmpty ? [] : [OutputVariable.Axis(name: "class", labels: classNames)]
    let number = hidden.count + 1
    return variables + [
      OutputVariable(name: "weights_out", axes: classes + [inputs], prefix: "w\(number)"),
      OutputVariable(name: "biases_out", axes: classes, prefix: "b\(number)"),
    ]
  }
}

extension OutputVariable {
  /// A variable whose numbers go by a shorter name than itself.
  fileprivate init(name: String, axes: [Axis], prefix: String) {
    let short = OutputVariable(name: prefix, axes: axes)
    self.init(name: name, axes: axes, columnNames: short.columnNames)
  }
}
