import Posteriors

/// A Bayesian neural network on the columns of a data set.
public struct NetworkSpecification: Sendable, Equatable {
  public enum Family: String, Sendable, CaseIterable {
    case regression = "bnn_regression"
    case classification = "bnn_classification"
  }

  public var family: Family
  public var response: String
  /// Nil: every other column.
  public var features: [String]?
  /// Units of each hidden layer.
  public var hidden: [Int]
  public var activation: NetworkActivation
  /// Standard deviation of the Gaussian prior on every weight and bias.
  public var priorScale: Double
  /// Standard deviation of a real response around its mean; known to be 1 for classes, which have none.
  public var noise: NoiseSpecification
}

extension NetworkSpecification {
  /// A hundred thousand parameters or more: no machine holds many such components.
  static let maximumUnits = 10_000
  static let maximumLayers = 32
  /// Weights between hidden layers, likewise.
  static let maximumWeights = 10_000_000
  static let usualUnits = 50

  init(_ node: SpecificationNode, family: Family) throws(SpecificationError) {
    self.family = family
    try node.mappingAsIs.forbid(
      ["intercept"], because: "has no place here: the biases of a network are always there; leave it out")
    let values = try node.mapping(
      ["family", "response", "features", "prior"] + (family == .regression ? ["noise"] : [])
        + ["hidden", "activation"])
    let columns = try ModelColumns(values, empty: ", and a network needs at least one")
    response = columns.response
    features = columns.features
    let normal = try values["prior"]?.mapping(["normal"]).required("normal").mapping(["scale"])
    priorScale = try normal?.required("scale").positive() ?? 10
    noise =
      family == .regression ? try NoiseSpecification(values.required("noise")) : .known(1)
    hidden = try values["hidden"].map(Self.layers) ?? [Self.usualUnits]
    activation =
      try values["activation"]?.choice(NetworkActivation.allCases.map { ($0.rawValue, $0) }) ?? .relu
  }

  /// The units of each layer: a list, or one number for one layer.
  private static func layers(_ node: SpecificationNode) throws(SpecificationError) -> [Int] {
    guard node.node.sequence != nil else { return [try node.integer(atLeast: 1, atMost: maximumUnits)] }
    let sizes = try node.list().map { item throws(SpecificationError) in
      try item.integer(atLeast: 1, atMost: maximumUnits)
    }
    guard (1...maximumLayers).contains(sizes.count) else {
      throw node.error("model.hidden must list 1 to \(maximumLayers) layers, not \(sizes.count)")
    }
    let weights = zip(sizes, sizes.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    guard weights <= maximumWeights else {
      throw node.error(
        "model.hidden makes \(weights) weights between its layers; at most \(maximumWeights) are allowed")
    }
    return sizes
  }

  /// The keys of the model behind its family, as the spec writes them.
  func lines(quoted: (String) -> String) -> [String] {
    var lines = ["  response: \(quoted(response))"]
    if let features { lines.append("  features: [\(features.map(quoted).joined(separator: ", "))]") }
    lines.append("  prior: {normal: {scale: \(priorScale)}}")
    if family == .regression { lines.append("  noise: \(noise.yaml)") }
    let sizes = hidden.map { "\($0)" }.joined(separator: ", ")
    lines.append("  hidden: \(hidden.count == 1 ? sizes : "[\(sizes)]")")
    lines.append("  activation: \(activation.rawValue)")
    return lines
  }
}
